"""From what a user names to answers, by one rule for every command.

`load` opens a trained network. `preprocessor` turns an image file into the pixels that this network
takes, `predictor` turns those into logits, `naming` turns logits into named classes, and `files`
does all of it for any number of files. The package may import `data` (`data.prepare` holds the rule
by which an image is resized and cropped, which the loaders follow too), `weights`, `runtimes` and
`model`; `evaluation`, `serving`, `page`, `export` and whatever else shows a network an image import
it.
"""
