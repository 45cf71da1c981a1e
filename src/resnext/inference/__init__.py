"""From what a user names to answers, by one rule for every command.

`load` opens a trained network. It may import `data`, `weights`, `runtimes` and `model`, and is
imported by `evaluation`, `serving`, `page`, `export` and whatever else shows a network an image.
"""
