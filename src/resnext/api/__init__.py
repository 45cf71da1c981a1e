"""The Python API, shared with the verbs of the command.

`train`, `evaluate`, `predict`, `design` and `run_study` return objects, print nothing unless
requested, and restore the state of the process (`guest`). A verb converts its flags to the same
requests (`train_request`, `design_request`, ...), and prints the result. The package may import
everything but `cli`; the public names are those of `resnext.__all__`.
"""
