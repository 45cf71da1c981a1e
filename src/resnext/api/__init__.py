"""What a Python program calls, and what the verbs of the command share with it.

`train`, `evaluate`, `predict`, `design` and `run_study` return objects, print nothing unless asked,
and leave the process as they found it (`guest`). A verb turns its flags into the same requests
(`train_request`, `design_request`, ...), and prints what comes back. The package may import
everything but `cli`; the public names are those of `resnext.__all__`.
"""
