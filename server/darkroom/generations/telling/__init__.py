"""Writes down a generation's state, and reports it to callers and watchers."""
