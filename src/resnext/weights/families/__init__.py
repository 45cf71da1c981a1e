"""Tensor names of other libraries, one table per library."""
