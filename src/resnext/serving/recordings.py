"""The recordings of a request: the content of audio or video files, checked before decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.multipart import parse_options_header

from resnext.data.decode.signal_errors import BeyondLimitError, OtherFormatError
from resnext.data.decode.video_limits import MAX_FRAME_PIXELS
from resnext.errors import DataError
from resnext.serving.limits import Limits
from resnext.serving.problems import HttpError
from resnext.serving.signals import FIELD
from resnext.serving.upload import files_of_form, files_of_json

if TYPE_CHECKING:
    from resnext.inference.recordings import RecordingPredictor
    from resnext.runtimes.exported import Array

AUDIO_FORMATS = ("wav", "flac", "ogg", "mp3")
VIDEO_FORMATS = ("mp4", "avi", "webm", "gif")

_BARE = (b"application/octet-stream", b"audio/", b"video/", b"image/gif")


def read_recordings(body: bytes, content_type: str, max_files: int) -> list[bytes]:
    """Extract the files of a body.

    Args:
        body: The whole body.
        content_type: The header, which says the form.
        max_files: More are refused.

    Raises:
        HttpError: 400 malformed, 413 too many files, 415 another form, 422 no file.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        files = files_of_form(body, options.get(b"boundary", b""), max_files, FIELD)
    elif kind == b"application/json":
        files = files_of_json(body, max_files, FIELD)
    elif kind.startswith(_BARE):
        files = [body]
    else:
        raise HttpError(
            415,
            "unsupported_media_type",
            "send multipart/form-data with files in the field `signals`, one of them as "
            'application/octet-stream, or application/json such as {"signals": ["<base64>"]}',
        )
    if not files:
        raise HttpError(422, "no_signals", "the request holds no signal; send at least one")
    return files


def recording_bytes(data: bytes, predictor: RecordingPredictor, limits: Limits) -> int:
    """Check the header of a recording, and return the memory that decoding it takes at most.

    Raises:
        HttpError: 400 damaged, 413 beyond a limit, 415 another format.
    """
    max_pixels = min(MAX_FRAME_PIXELS, int(limits.max_megapixels * 1e6))
    try:
        return predictor.decoding_bytes(data, max_pixels)
    except DataError as error:
        raise _refusal(error, predictor) from error


def prepare_recording(data: bytes, predictor: RecordingPredictor) -> Array:
    """Decode a recording whose header was checked.

    Raises:
        HttpError: As `recording_bytes`.
    """
    try:
        return predictor.prepare(data)
    except DataError as error:
        raise _refusal(error, predictor) from error


def _refusal(error: DataError, predictor: RecordingPredictor) -> HttpError:
    if predictor.signal.sound is not None:
        message = f"the clip {error}"
    else:
        message = f"the video cannot be used: {error}"
    if isinstance(error, OtherFormatError):
        return HttpError(415, "unsupported_format", message)
    if isinstance(error, BeyondLimitError):
        return HttpError(413, "signal_too_large", message)
    return HttpError(400, "bad_signal", message)
