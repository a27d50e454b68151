"""What survives: the ledger and the picture files."""
