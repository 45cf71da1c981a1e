"""The training loop and what it stands on: step, optimiser, schedule, checkpoint, display.

`train` puts a run together, `loop` runs the epochs, `step` is one optimiser step. May import
`evaluation` (each epoch is validated), `runs`, `data`, `weights` and `model`.
"""
