"""Pictures in a terminal: by the protocol that it has, or as coloured half blocks."""
