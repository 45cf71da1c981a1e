"""A class for each pixel of an image."""
