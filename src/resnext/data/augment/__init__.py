"""All variation of training images: settings, what is done image by image, and what in batches.

Everything random is a function of the seed, the epoch and the image, and drawn on the CPU. May
import `prepare`, `decode` and what lies below; `loading` applies it and nothing else does.
"""
