"""A run on disk, below training and evaluation: settings, folder, environment, log, verdict."""
