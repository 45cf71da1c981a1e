"""Where images come from: named sets, class folders, tables, ImageNet, and packed sets.

`load` goes from the settings to a data set, `parse` from what a person typed to the settings,
`summary` says what a set holds. The top layer of `data`: it may import all but `loading`'s users
and is imported by none of the other parts.
"""
