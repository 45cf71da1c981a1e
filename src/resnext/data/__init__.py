"""Data sets, decoding, augmentation and loaders."""
