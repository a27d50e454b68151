"""All that one owner has here: written down for it, and removed."""
