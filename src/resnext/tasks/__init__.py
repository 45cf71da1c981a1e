"""What a network learns: classes, several labels, and whatever a plugin adds.

`kinds` says what each task is called, which targets it learns and which figure judges it, without
torch; `task` is the interface that training, evaluation, prediction, export, serving and pages use
without knowing which task they have. Each task is a folder. The package may import `data`,
`complexity`, `runtimes` and `model`.
"""
