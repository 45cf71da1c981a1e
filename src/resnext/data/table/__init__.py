"""Data sets whose labels stand in a table: CSV, TSV or Parquet.

`rows` reads the file, `columns` finds which column means what, `paths` finds the images,
`unpack` writes images out that lie inside a Parquet file, `load` makes a data set of it all.
"""
