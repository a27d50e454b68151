"""The commands that a person runs, one file each: each opens the same ledger that the servers use."""
