"""Publishes a network as a folder on disk or as a repository on the Hugging Face Hub.

`published` opens the network, `save` writes weights, config.json, model card, curves and settings,
`push` uploads them; each of the other files writes one part of the card. `resnext.inference.load`
opens the result. The package may import export, training, evaluation and everything below them, but
not serving or page.
"""
