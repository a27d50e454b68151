"""What Darkroom adds to the protocol for hosts that declare it."""
