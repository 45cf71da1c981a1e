"""Sets of time series: readers of files, and the set they make.

`read` finds the reader of a file: `ts_file`, `label_first`, `arrays` (.npz) or `table`. Each
returns `RawSeries`; `load` makes a data set of them.
"""
