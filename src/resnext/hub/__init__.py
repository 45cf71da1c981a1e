"""A network as a folder that others can use: on disk, or on the Hugging Face Hub.

`published` opens what is to be published, `save` writes weights, config.json, model card, curves
and settings, `push` sends them, and `pretrained` opens them again; the other files each make one
part of the card. May import training, evaluation and what is below; not serving or page.
"""
