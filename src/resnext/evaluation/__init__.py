"""How well a network does on a data set: protocols, metrics, reports, frozen features, probes.

What is measured is opened by `resnext.inference`; images come from the loaders of `data`, and the
run that is evaluated is read by `runs`. It imports no training, export, service or page.
"""
