"""The command line: argv in, lines out."""
