"""How a generation's state is written down, and how it is reported to callers and watchers."""
