"""Keys that `setup` keeps for this user: in the system's keychain, or else in a file for the user alone."""
