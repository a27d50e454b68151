"""The gallery in a browser on this machine: the page that hosts of MCP Apps show, and a small host for it."""
