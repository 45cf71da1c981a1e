"""Functions that return training configs; no logic."""
