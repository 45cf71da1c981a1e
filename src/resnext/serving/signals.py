"""The signals of a request: arrays in files, or numbers in JSON, checked before memory is taken."""

from __future__ import annotations

import json
from typing import Any

from python_multipart.multipart import parse_options_header

from resnext.data.sets.npy_bytes import array_of, count_values
from resnext.data.signals.prepare import Values
from resnext.errors import DataError
from resnext.inference.arrays import ArrayPredictor
from resnext.serving.problems import HttpError, bad_images
from resnext.serving.upload import (
    decode_base64,
    files_of_form,
    malformed,
    too_many_images,
)

FIELD = "signals"

Upload = bytes | list[Any] | str
"""One signal: the bytes of an `.npy` or `.npz` file, lists of numbers, or a text."""

MAX_VALUES = 2**22
"""Numbers of one signal in a file."""

MAX_JSON_VALUES = 2**20
"""Numbers of one request in JSON, which take about 40 bytes each while it is parsed."""

_BYTES_PER_VALUE = 24  # as it arrives, in float32, and in the float64 of its preparation
_ARRAY_TYPES = frozenset({b"application/octet-stream", b"application/x-npy"})


def read_signals(
    body: bytes, content_type: str, max_signals: int, *, is_text: bool = False
) -> list[Upload]:
    """Take the signals out of a body.

    Args:
        body: The whole body.
        content_type: The header, which says the form.
        max_signals: More are refused.
        is_text: The network takes texts: the strings in JSON are no files in base64.

    Raises:
        HttpError: 400 malformed, 413 too many signals or numbers, 415 another form, 422 no signal.
    """
    kind, options = parse_options_header(content_type)
    signals: list[Upload]
    if kind == b"multipart/form-data":
        signals = list(files_of_form(body, options.get(b"boundary", b""), max_signals, FIELD))
    elif kind == b"application/json":
        signals = _from_json(body, max_signals, is_text=is_text)
    elif kind in _ARRAY_TYPES:
        signals = [body]
    else:
        raise HttpError(
            415,
            "unsupported_media_type",
            "send multipart/form-data with .npy or .npz files in the field `signals`, one of them "
            'as application/octet-stream, or application/json such as {"signals": [[0.1, 0.2]]}',
        )
    if not signals:
        raise HttpError(422, "no_signals", "the request holds no signal; send at least one")
    return signals


def signal_bytes(upload: Upload) -> int:
    """Return the memory in bytes that preparing a signal takes at most.

    Raises:
        HttpError: 400 no array, 413 too many values.
    """
    if not isinstance(upload, bytes):
        return _BYTES_PER_VALUE * MAX_JSON_VALUES
    try:
        return _BYTES_PER_VALUE * count_values(upload, MAX_VALUES)
    except DataError as error:
        raise _bad(error) from error


def prepare_signal(upload: Upload, predictor: ArrayPredictor) -> Values:
    """Return a signal as the network takes it.

    Raises:
        HttpError: 400, it is damaged or does not suit the network.
    """
    try:
        values = array_of(upload, MAX_VALUES) if isinstance(upload, bytes) else upload
        return predictor.prepare(values)
    except DataError as error:
        raise _bad(error) from error


def _from_json(body: bytes, max_signals: int, *, is_text: bool) -> list[Upload]:
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_JSON_VALUES:
        raise HttpError(
            413,
            "too_many_values",
            f"a request may hold {MAX_JSON_VALUES:,} numbers in JSON; send .npy files",
        )
    try:
        value = json.loads(body, strict=False)
    except (RecursionError, ValueError) as error:  # also a number of too many digits
        raise malformed("JSON") from error
    found = value.get(FIELD) if isinstance(value, dict) and set(value) == {FIELD} else None
    if not isinstance(found, list) or not all(isinstance(one, list | str) for one in found):
        raise HttpError(
            422,
            "wrong_shape",
            'the JSON is not of the form {"signals": [[0.1, 0.2, ...], ...]}: for each signal a '
            "list of numbers, a list of such lists, one for each channel, or a .npy file in "
            "base64; for a network for text, a text",
        )
    if len(found) > max_signals:
        raise too_many_images(max_signals, FIELD)
    signals: list[Upload] = []
    wrong: list[tuple[int, HttpError]] = []
    for index, one in enumerate(found):
        try:
            is_file = isinstance(one, str) and not is_text
            signals.append(decode_base64(one) if is_file else one)
        except ValueError:
            wrong.append((index, HttpError(422, "bad_base64", "not a base64 text")))
    if wrong:
        raise bad_images(wrong, FIELD)
    return signals


def _bad(error: DataError) -> HttpError:
    return HttpError(400, "bad_signal", f"the signal cannot be used: {error}")
