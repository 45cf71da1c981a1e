"""How one image becomes what a network sees, by the same rule for every verb.

May import `decode` and the settings of `data.config`; knows neither data sets nor loaders.
"""
