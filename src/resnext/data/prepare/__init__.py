"""How one decoded image becomes what a network sees: resize, crop, views, normalisation.

Loaders follow this rule for whole data sets, `resnext.inference` for one network and its images.
It may import `model`, for what a card says, and of `data` only `config`. `geometry`,
`preparation` and `scale` need no torch.
"""
