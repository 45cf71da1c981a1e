"""Signals: time series and volumes, read, made equal in size, varied and handed over in batches.

A signal is an array of c channels over one or three dimensions. A set of them is held in memory.
`series` and `volumes` read files, `prepare` makes series equal in length, `split` holds the
arrays, `augment` varies a batch, `loaders` are the counterparts of `loading`'s.
"""
