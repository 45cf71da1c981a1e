"""One class for each image: the task of the paper."""
