"""The drawing of a sketch: a composition, light and a title, from nothing but the prompt and the seed."""
