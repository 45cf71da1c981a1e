"""Images with masks: the folders, the classes that the values mean, and the splits."""
