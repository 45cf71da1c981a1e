"""Extracts the images from a request body: multipart, or base64 in JSON."""

from __future__ import annotations

import base64
import json

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from resnext.serving.problems import HttpError, bad_images

FIELD = "images"
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_WHITE_SPACE = b" \t\r\n\f\v"
_ALIASES = frozenset({b"image", b"files", b"file"})


def read_images(body: bytes, content_type: str, max_images: int) -> list[bytes]:
    """Extract the images of a body.

    Args:
        body: The whole body.
        content_type: The Content-Type header.
        max_images: Maximum number of images.

    Raises:
        HttpError: 400 if malformed, 413 for too many images, 415 for another content type, 422
            without images.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        images = files_of_form(body, options.get(b"boundary", b""), max_images, FIELD)
    elif kind == b"application/json":
        images = files_of_json(body, max_images, FIELD)
    else:
        raise HttpError(
            415,
            "unsupported_media_type",
            "send multipart/form-data with files in the field `images`, or application/json "
            'such as {"images": ["<base64>"]}',
        )
    if not images:
        raise HttpError(422, "no_images", "the request contains no image; send at least one")
    return images


class _Parts:
    """Collects the files of a multipart body; file names are ignored."""

    def __init__(self, max_images: int, field: str) -> None:
        self.images: list[bytes] = []
        self.is_complete = False
        self._max_images, self._field = max_images, field
        self._chunks: list[bytes] = []
        self._header, self._value, self._disposition = b"", b"", b""

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_header_field": self._add_header,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._check_field,
            "on_end": self._complete,
        }

    def _begin(self) -> None:
        if len(self.images) == self._max_images:
            raise too_many_images(self._max_images, self._field)
        self._chunks, self._disposition = [], b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._chunks.append(data[start:end])

    def _end(self) -> None:
        self.images.append(b"".join(self._chunks))

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _check_field(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") not in _ALIASES | {self._field.encode()}:
            raise HttpError(
                422,
                "unknown_field",
                f"a part of the form is not in the field `{self._field}` (or image, files, file); "
                "other settings go into the query, such as ?top=3",
            )

    def _complete(self) -> None:
        self.is_complete = True


def files_of_form(body: bytes, boundary: bytes, max_images: int, field: str) -> list[bytes]:
    """Extract the files from a multipart body.

    Args:
        body: The whole body.
        boundary: The separator of its parts.
        max_images: More files are refused.
        field: The name of their field.

    Raises:
        HttpError: 400 malformed, 413 too many files, 422 another field.
    """
    if not boundary:
        raise malformed("multipart")
    parts = _Parts(max_images, field)
    try:
        # the library types its callbacks as a TypedDict, which a dict of methods is not
        parser = MultipartParser(boundary, parts.callbacks())  # type: ignore[arg-type]  # a TypedDict
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeError) as error:
        raise malformed("multipart") from error
    if not parts.is_complete:
        raise malformed("multipart")
    return parts.images


def files_of_json(body: bytes, max_images: int, field: str) -> list[bytes]:
    """Extract the files from a JSON body, where they are texts in base64.

    Args:
        body: The whole body.
        max_images: More files are refused.
        field: The key of their list.

    Raises:
        HttpError: 400 malformed, 413 too many files, 422 another form.
    """
    _check_json_size(body, max_images, field)
    try:
        # Not strict: the line breaks of `base64 cat.jpg` are control characters in a string.
        value = json.loads(body, strict=False)
    except ValueError as error:  # also a number with too many digits
        raise malformed("JSON") from error
    texts = value.get(field) if isinstance(value, dict) and set(value) == {field} else None
    if not isinstance(texts, list):
        raise _wrong_shape(field)
    if len(texts) > max_images:
        raise too_many_images(max_images, field)
    images: list[bytes] = []
    wrong: list[tuple[int, HttpError]] = []
    for index, text in enumerate(texts):
        try:
            images.append(decode_base64(text))
        except ValueError:
            problem = HttpError(422, "bad_base64", "neither base64 nor a base64 data URL")
            wrong.append((index, problem))
    if wrong:
        raise bad_images(wrong, field)
    return images


def decode_base64(text: object) -> bytes:
    """Decode base64 in any of its common forms.

    Line breaks and other white space, the URL-safe alphabet, missing padding and a data URL
    (`data:image/png;base64,...`) are accepted; anything else is not.

    Raises:
        ValueError: It is not base64.
    """
    if not isinstance(text, str):
        raise ValueError("not a string")
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise ValueError("a data URL without base64")
    letters = text.encode("ascii").translate(_TO_STANDARD, delete=_WHITE_SPACE).rstrip(b"=")
    return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)


def _check_json_size(body: bytes, max_images: int, field: str) -> None:
    """Refuse JSON with many small values before parsing it, which takes 25 times its size.

    Base64 contains neither brackets nor commas. So there are only two brackets, and one comma
    between images; a data URL has one more comma.
    """
    if body.count(b"[") + body.count(b"{") > 2:
        raise _wrong_shape(field)
    if body.count(b",") > 2 * max_images:
        raise too_many_images(max_images, field)


def _wrong_shape(field: str) -> HttpError:
    return HttpError(
        422, "wrong_shape", f'the JSON is not of the form {{"{field}": ["<base64>", ...]}}'
    )


def malformed(form: str) -> HttpError:
    """Return the error for a body that is not well-formed."""
    return HttpError(400, "malformed_body", f"the body is not well-formed {form}")


def too_many_images(max_images: int, noun: str = FIELD) -> HttpError:
    """Return the error for a request with too many images or signals."""
    return HttpError(
        413, f"too_many_{noun}", f"a request may contain {max_images} {noun}; send several requests"
    )
