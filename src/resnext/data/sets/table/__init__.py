"""Data sets whose labels stand in a table: CSV, TSV or Parquet.

`rows` reads files, `columns` finds which column means what, `paths` finds the image files that a
`text` table names, and `parquet` writes out the images that lie in the file itself.
"""
