"""Objects in boxes: answers, and average precision."""
