"""Metrics, evaluation protocols, prediction and the report."""
