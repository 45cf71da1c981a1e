"""What a caller asks the page to do, read strictly: only plain values that its controls can hold.

gradio looks for files in every value it is sent, at any depth: a group with a path and the mark
`gradio.FileData` makes it open, copy and show that file, and an address makes it fetch. Here no
value has a group in it, except the uploads that the file control holds, each known by its name.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import gradio as gr

from resnext.serving.page.uploads import Uploads
from resnext.untrusted.parse import parse_json

MAX_CALL_BYTES = 256 * 2**10
MAX_FILES = 64
MAX_TEXT_CHARS = 2000
MAX_FILE_NAME_CHARS = 255
_MAX_CHOICES = 64
_MAX_NUMBER = 1e15

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


class CallError(ValueError):
    """A call that the page itself would not make; the message is for whoever made it."""


@dataclass(frozen=True)
class Call:
    """A call that was checked.

    Attributes:
        session: Names the page of one browser.
        body: What gradio is to read, written by us from what was checked.
    """

    session: str
    body: bytes


def read_call(body: bytes, page: gr.Blocks, uploads: Uploads) -> Call:
    """Read a call, and write it as the page would.

    Args:
        body: The body of the request, JSON.
        page: Whose functions can be called.
        uploads: The files that can be named.

    Raises:
        CallError: It is not JSON, calls no function of the page, or has a value that its control
            cannot hold.
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
        raise CallError("fn_index names no function of this page")
    inputs, data = page.fns[number].inputs, values.get("data")
    if not isinstance(data, list) or len(data) != len(inputs):
        raise CallError(f"data is not a list of {len(inputs)} values")
    checked = [_checked(block, value, uploads) for block, value in zip(inputs, data, strict=True)]
    content = {"data": checked, "fn_index": number, "session_hash": session}
    return Call(session, json.dumps(content).encode())


def session_of(value: object) -> str:
    """Return a session's name.

    Raises:
        CallError: It is none.
    """
    if not isinstance(value, str) or not _SESSION.fullmatch(value):
        raise CallError("session_hash is not a text of 1 to 64 letters, digits, `_` and `-`")
    return value


def _checked(block: Any, value: Any, uploads: Uploads) -> Any:
    """Return a value as its control holds it."""
    if isinstance(block, gr.File):
        return _checked_files(value, uploads)
    if isinstance(block, gr.Number):
        # NaN and infinity do not pass either
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
        is_right = isinstance(block, gr.Textbox) and _is_text(value)
    if not is_right:
        raise CallError(f"a value does not fit its control ({block.get_block_name()})")
    return value


def _is_text(value: Any) -> bool:
    """Tell whether a value is a short text that every encoding of Unicode can write."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_TEXT_CHARS
        and not any(unicodedata.category(char) in ("Cc", "Cs") for char in value)
    )


def _checked_files(value: Any, uploads: Uploads) -> list[dict[str, Any]] | None:
    """Return uploads as gradio's file control passes them on, with nothing else of the caller's.

    There is one answer to all that is wrong, so that it tells nothing of what the machine holds.
    """
    if value is None:
        return None
    files = value if isinstance(value, list) else [value]
    names = [
        file.get("path") if isinstance(file, dict) else None for file in files[: MAX_FILES + 1]
    ]
    if len(names) > MAX_FILES or any(uploads.path_of(name) is None for name in names):
        raise CallError("an image is not, or no longer, among the uploads; choose it again")
    mark = {"_type": "gradio.FileData"}
    return [
        {"path": name, **_file_name(file), "meta": mark}
        for name, file in zip(names, files, strict=True)
    ]


def _file_name(file: dict[str, Any]) -> dict[str, str]:
    """Return the name of the caller's own file, to be shown with the answer; an odd one is not."""
    name = file.get("orig_name")
    if not isinstance(name, str) or len(name) > MAX_FILE_NAME_CHARS or not _is_text(name):
        return {}
    return {"orig_name": name}
