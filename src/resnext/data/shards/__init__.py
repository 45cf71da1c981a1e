"""Packed data sets: many images in few tar files, with random access, also over a network.

May import `prepare`, `decode`, the split protocol and the split of files that it packs; not `sets`
and not `loading`.
"""
