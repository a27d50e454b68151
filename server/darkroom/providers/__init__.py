"""The generation services: one file each, wire models and endpoint calls only."""
