"""The version, for every module to import without the package around it."""

__version__ = "0.2.0"
