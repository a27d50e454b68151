"""The checks of `doctor`: what keeps Darkroom from working here, each with its cure, and no secret in any of it."""
