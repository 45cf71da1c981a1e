"""Decodes an image file, even an unusual or hostile one, to an array of pixels.

Imports no other part of `data` and no torch.
"""
