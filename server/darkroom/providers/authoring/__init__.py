"""Help for people who write a declaration: what is wrong with it, where, and what to write instead."""
