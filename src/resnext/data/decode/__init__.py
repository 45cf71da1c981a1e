"""One image file, however odd and however hostile, to one array of pixels.

Imports no other part of `data` and no torch.
"""
