"""Augmentation of training images: settings, per-image and batched operations.

Everything random is a function of the seed, the epoch and the image, and drawn on the CPU. May
import `prepare`, `decode` and the packages below; only `loading` applies it.
"""
