"""Generations, their pictures, and the models that can be asked for, as resources of the MCP server."""
