"""A study's report: page, figures, tables, raw rows."""
