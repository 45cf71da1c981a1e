"""Batches of an epoch: their order, the processes that prepare them, and the loaders.

May import `augment`, `prepare`, `decode` and the split protocol; neither `sets` nor `shards`: a
split provides the functions that open its images and their best read order.
"""
