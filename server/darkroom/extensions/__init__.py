"""Features beyond the core of the protocol; each works only where the host can, and nothing else depends on it."""
