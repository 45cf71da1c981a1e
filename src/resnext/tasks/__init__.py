"""The tasks of a network: classification, multi-label, segmentation, and those of plugins.

`kinds` defines name, targets and measure of each task, without torch; `task` is the interface for
training, evaluation, prediction, export, serving and pages, independent of the task. Each task is a
folder. The package may import `data`, `complexity`, `runtimes` and `model`.
"""
