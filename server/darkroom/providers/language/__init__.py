"""Services as data: one TOML file says how a service is asked and its responses are read, without a line of code."""
