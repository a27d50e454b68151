"""Services as data: one TOML file says how a service is asked and how its answers are read, without a line of code."""
