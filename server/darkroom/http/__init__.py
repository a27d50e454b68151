"""The front door for many people: MCP over Streamable HTTP, with who asks, from where, and how much of it bounded."""
