"""The report of a study: page, figures, tables, raw rows."""
