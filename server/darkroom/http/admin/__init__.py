"""The operator's page: what waits, runs and failed, and for whom; read-only, and without a word of any caller."""
