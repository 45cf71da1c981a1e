"""Trials and where they run: folders, processes, clusters, halving."""
