"""Analysis of trial results: errors, differences, rankings, verdicts."""
