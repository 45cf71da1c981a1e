"""Studies: designs x data sets x seeds, trained, compared and reported.

`study` and `space` are the study as data. `records` reads and writes the files of trials,
`execution` runs missing trials, here or on a cluster, `analysis` compares designs with sound
statistics, and `report` writes tables, figures and pages; each may import those named before it.
May import training, evaluation, complexity and the packages below them; not recipes, whose studies
it runs.
"""
