"""The bytes of a picture: recognised, decoded within limits, shown small, and stripped where that is wished."""
