"""Requests: what may be asked for, what the user wants to pay for, and whether the caller ever got its result."""
