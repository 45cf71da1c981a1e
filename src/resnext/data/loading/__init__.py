"""Batches of an epoch: order, worker processes, loaders."""
