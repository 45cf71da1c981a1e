"""One image file, however odd and however hostile, to one array of pixels."""
