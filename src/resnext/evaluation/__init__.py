"""Evaluation of networks: protocols, metrics, reports, frozen features, probes.

`resnext.inference` opens the networks, images come from the loaders of `data`, and `runs` reads the
evaluated run. It imports no training, export, service or page.
"""
