"""Data sets with labels in a table: CSV, TSV or Parquet.

`rows` reads files, `columns` identifies columns, `paths` finds the image files of a `text` table,
and `parquet` extracts images from Parquet files.
"""
