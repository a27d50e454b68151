"""The end of what an owner has here: all of it written down or removed, or what a person is done with."""
