"""Strict parsing of calls to the page: only plain values that its controls can hold.

gradio looks for files in every value it receives, at any depth: an object with a path and the mark
`gradio.FileData` makes it open, copy and show that file, and a URL makes it fetch. Here no value
may contain an object, except for the uploads in the file control, which are identified by name.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import gradio as gr

from resnext.page.uploads import Uploads
from resnext.untrusted.parse import parse_json

MAX_CALL_BYTES = 256 * 2**10
MAX_FILES = 64
MAX_TEXT_CHARS = 2000
MAX_FILE_NAME_CHARS = 255
_MAX_CHOICES = 64
_MAX_NUMBER = 1e15

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


class CallError(ValueError):
    """A call that the page itself would not make; the message is shown to the caller."""


@dataclass(frozen=True)
class Call:
    """A call that passed the checks.

    Attributes:
        session: Identifies the page in one browser.
        body: The body for gradio, written from the checked values.
    """

    session: str
    body: bytes


def read_call(body: bytes, page: gr.Blocks, uploads: Uploads) -> Call:
    """Parse a call and write it again as the page would.

    Args:
        body: The body of the request, JSON.
        page: The page whose functions can be called.
        uploads: The files that a call can refer to.

    Raises:
        CallError: It is not JSON, calls an unknown function, or has a value that its control cannot
            hold.
    """
    try:
        values = parse_json(body)
    except ValueError as error:
        raise CallError(f"the body {error}") from None
    if not isinstance(values, dict):
        raise CallError("the body is not a JSON object")
    session = session_of(values.get("session_hash"))
    number = values.get("fn_index")
    if type(number) is not int or number not in page.fns:
        raise CallError("fn_index is not a function of this page")
    inputs, data = page.fns[number].inputs, values.get("data")
    if not isinstance(data, list) or len(data) != len(inputs):
        raise CallError(f"data is not a list of {len(inputs)} values")
    checked = [_checked(block, value, uploads) for block, value in zip(inputs, data, strict=True)]
    content = {"data": checked, "fn_index": number, "session_hash": session}
    return Call(session, json.dumps(content).encode())


def session_of(value: object) -> str:
    """Return the name of a session.

    Raises:
        CallError: It is not a valid name.
    """
    if not isinstance(value, str) or not _SESSION.fullmatch(value):
        raise CallError("session_hash is not a string of 1 to 64 letters, digits, `_` and `-`")
    return value


def _checked(block: Any, value: Any, uploads: Uploads) -> Any:
    """Return a value if its control can hold it."""
    if isinstance(block, gr.File):
        return _checked_files(value, uploads)
    if isinstance(block, gr.Number):
        # also rejects NaN and infinity
        is_right = value is None or (type(value) in (int, float) and abs(value) <= _MAX_NUMBER)
    elif isinstance(block, gr.Checkbox):
        is_right = isinstance(value, bool)
    elif isinstance(block, gr.Radio):
        is_right = isinstance(value, str) and value in [choice for _, choice in block.choices]
    elif isinstance(block, gr.Dropdown) and block.multiselect:
        is_right = value is None or (
            isinstance(value, list) and len(value) <= _MAX_CHOICES and all(map(_is_text, value))
        )
    elif isinstance(block, gr.Dropdown):
        is_right = value is None or _is_text(value)
    else:
        is_right = isinstance(block, gr.Textbox) and _fits_textbox(value, block)
    if not is_right:
        raise CallError(f"a value does not fit its control ({block.get_block_name()})")
    return value


def _fits_textbox(value: Any, block: gr.Textbox) -> bool:
    """Return whether a text fits: one of several lines may have a limit of its own."""
    if block.lines > 1 and isinstance(value, str):
        value = value.translate(_LINE_ENDS)
    return _is_text(value, block.max_length or MAX_TEXT_CHARS)


_LINE_ENDS = str.maketrans("\n\r\t", "   ")


def _is_text(value: Any, max_chars: int = MAX_TEXT_CHARS) -> bool:
    """Return whether a value is a short string that every Unicode encoding can represent."""
    return (
        isinstance(value, str)
        and len(value) <= max_chars
        and not any(unicodedata.category(char) in ("Cc", "Cs") for char in value)
    )


def _checked_files(value: Any, uploads: Uploads) -> list[dict[str, Any]] | None:
    """Return uploads in the form of gradio's file control, without anything else from the caller.

    Every problem has the same answer, so that it reveals nothing about files on this machine.
    """
    if value is None:
        return None
    files = value if isinstance(value, list) else [value]
    names = [
        file.get("path") if isinstance(file, dict) else None for file in files[: MAX_FILES + 1]
    ]
    if len(names) > MAX_FILES or any(uploads.path_of(name) is None for name in names):
        raise CallError("an image is no longer among the uploads; choose it again")
    mark = {"_type": "gradio.FileData"}
    return [
        {"path": name, **_file_name(file), "meta": mark}
        for name, file in zip(names, files, strict=True)
    ]


def _file_name(file: dict[str, Any]) -> dict[str, str]:
    """Return the name of the caller's file for display, unless it is invalid."""
    name = file.get("orig_name")
    if isinstance(name, str) and _is_text(name) and len(name) <= MAX_FILE_NAME_CHARS:
        return {"orig_name": name}
    return {}
