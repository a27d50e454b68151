"""The one door for text that others wrote: secrets are taken out, control characters too, and it is capped."""
