"""Side-by-side measurements with other libraries."""
