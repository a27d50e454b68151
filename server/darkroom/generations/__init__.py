"""The life of a generation: what callers may ask, and what drives it."""
