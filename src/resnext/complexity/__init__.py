"""The exact cost of a network, counted without running it."""
