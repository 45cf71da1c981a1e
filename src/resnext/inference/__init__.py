"""Opens trained networks and predicts, in the same way for every command.

`load` opens a trained network. `preprocessor` turns an image file into the network's input,
`predictor` computes logits and answers, and `files` does both for any number of files. The package
may import `data` (`data.prepare` holds the rule for resizing and cropping, which the loaders use
too), `weights`, `runtimes` and `model`. It is imported by `evaluation`, `serving`, `page`, `export`
and everything else that shows images to a network.
"""
