"""Agents of other people, each with a stub for its model: the examples, Claude Code and Codex. `dev.py test-agents`."""
