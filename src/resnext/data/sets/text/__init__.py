"""Sets of texts with labels: readers of tables, and the set they make."""
