"""Sources of images: named sets, class folders, tables, ImageNet, and packed sets.

`load` opens a data set from its settings, `parse` parses command-line text to settings, `summary`
describes a data set. The top layer of `data`: the other parts do not import it.
"""
