"""The parts that survive: the ledger and the picture files."""
