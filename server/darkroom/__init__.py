"""Darkroom: an MCP server that makes pictures and never loses or pays twice for one."""

__version__ = "0.4.0"
