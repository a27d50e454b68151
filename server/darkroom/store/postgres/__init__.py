"""PostgreSQL under the ledger; nothing outside imports its driver."""
