"""Studies: designs x data sets x seeds, trained, compared and reported.

`study` and `space` are the study as data. `records` reads and writes what trials leave on disk,
`execution` runs what is missing, here or on a cluster, `analysis` compares with honest statistics,
and `report` writes tables, figures and pages; each may import those named before it. May import
training, evaluation, complexity and what is below; not recipes, whose studies it runs.
"""
