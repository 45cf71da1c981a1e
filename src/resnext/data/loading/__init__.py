"""Batches of an epoch: their order, the processes that prepare them, and the loaders.

May import `augment`, `prepare`, `decode` and the split protocol; neither `sets` nor `shards`: a
split brings what opens its images and the order in which they are best read.
"""
