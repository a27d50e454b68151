"""The composition root: settings in, everything built once and handed down, an MCP server or a command line out."""
