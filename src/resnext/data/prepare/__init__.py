"""How one image becomes what a network sees, by the same rule for every verb."""
