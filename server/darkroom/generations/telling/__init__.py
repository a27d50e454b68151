"""What is written down of a generation, and what is said of it to whoever asks or watches."""
