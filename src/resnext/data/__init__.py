"""Labelled images, from where they lie to the batches that a network is given.

`sets` finds them (folders, tables, named sets), `shards` packs them, `decode` turns one file into
pixels, `prepare` makes of these what a network sees, `augment` varies them for training and
`loading` puts them into batches. A data set has up to three splits, and a split is a protocol
(`split`): who uses one asks it for its labels, names and images and never which kind it is. Of the
rest of the package it may import only what lies below: `model` (the card) and the modules at the
top. Its own parts are in layers, which the linter checks.
"""
