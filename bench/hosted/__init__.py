"""The parts of `bench/replicas.py`: each measures some of what hosting promises, and cleans up after itself."""
