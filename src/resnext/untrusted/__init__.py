"""Untrusted input: read in bounded time, named and displayed safely.

`parse` reads JSON and YAML, `names` checks file names that come from a file or an address, and
`text` makes text safe for a terminal, a CSV file and Markdown. Every module that reads something
from outside uses these functions and adds the name of the file and the remedy to the message.

This package imports nothing of ours, so that every other one may use it.
"""
