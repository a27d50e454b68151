"""The steps of a generation, in this process or another: its turn, its POST, the looks at its job, its pictures."""
