"""The files that a study and its trials write, and how to read them."""
