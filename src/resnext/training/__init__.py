"""The training loop and what it stands on: runtime, optimiser, schedule, checkpoint."""
