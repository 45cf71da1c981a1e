"""Labelled images, from storage to batches.

`sets` finds them (folders, tables, named sets), `shards` packs them, `decode` turns one file into
pixels, `prepare` resizes and normalises them, `augment` augments them for training and `loading`
batches them. A data set has up to three splits, and a split is a protocol (`split`): users ask it
for labels, names and images, independent of its kind. Of the rest of the package it may only import
`model` (the card) and the top-level modules. Its own parts are in layers, which the linter checks.
"""
