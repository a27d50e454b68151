"""Hosts that start MCP servers: their settings, and Darkroom's entry there, edited without another byte changed."""
