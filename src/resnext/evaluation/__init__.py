"""What a trained network is worth: metrics, protocols, prediction, features and the report.

`run` measures a run or file by a protocol (`target`, `protocols`), `tally` and `metrics` count,
`report` and `plots` show; `predict` names classes of files; `feature_source`, `probe`, `knn` and
`linear_probe` use a frozen network. May import runs, data, complexity, weights, runtimes and model;
not training, which evaluates with it.
"""
