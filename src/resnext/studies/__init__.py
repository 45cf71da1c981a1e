"""Comparisons of networks at equal cost: spaces, trials, statistics, reports."""
