"""The traced module of a detector: torchvision's inference with a fixed number of rows.

torchvision returns as many rows as there are objects, which fixes neither shapes nor the number of
images. Here every step has a fixed number of rows, and those that torchvision would drop get a
score of 0. `boxes` has what all detectors share, `retinanet`, `proposals` and `regions` the parts
of each, `suppress` the operator, `resize` the start of the graph, which resizes as torchvision
does. See docs/decisions/0029-exported-detectors.md.
"""
