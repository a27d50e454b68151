"""Leaving: all that an owner has here, exported or deleted, and generations that a person has discarded."""
