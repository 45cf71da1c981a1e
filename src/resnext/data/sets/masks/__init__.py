"""Images with masks: folders, classes of the values, and splits."""
