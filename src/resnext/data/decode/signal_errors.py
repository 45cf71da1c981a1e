"""Errors of refused files of audio and video, for callers that handle each reason differently."""

from __future__ import annotations

from resnext.errors import DataError


class OtherFormatError(DataError):
    """The file is in none of the accepted formats."""


class BeyondLimitError(DataError):
    """The file is larger than accepted, or decoding it would take too much work."""
