"""All variation of training images, one by one and in batches."""
