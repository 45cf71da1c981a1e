"""What the figures of trials say: errors, differences, rankings, verdicts."""
