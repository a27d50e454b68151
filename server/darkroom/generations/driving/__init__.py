"""What moves a generation on, in this process or another: its turn, its POST, the looks at its job, its pictures."""
