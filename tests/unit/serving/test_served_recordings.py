"""Audio and video over HTTP: files in a form, in JSON and as a bare body."""

from __future__ import annotations

import base64
import contextlib
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_recordings import (
    AUDIO,
    SOUND,
    STEREO,
    VIDEO,
    recording_client,
    recording_model,
    sound_file,
    video_file,
)

from resnext.data.decode.audio import decoding_bytes, read_clip
from resnext.inference import recordings
from resnext.serving.problems import HttpError

pytest.importorskip("av")


def _best(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["predictions"][0]["class"] for one in answer.json()["signals"]]


def _error(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def _form(*files: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("signals", ("a.bin", data)) for data in files]


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "WAVEX", "RF64"])
def test_each_audio_format_gets_its_class_whatever_its_rate_and_channels(kind: str) -> None:
    files = [
        sound_file(kind),
        sound_file(kind, is_low=False, rate_hz=16_000, seconds=0.3),
        sound_file(kind, is_low=False, channels=2, rate_hz=44_100),
    ]
    with recording_client() as client:
        assert _best(client.post("/v1/predict", files=_form(*files))) == ["low", "high", "high"]


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm", ".gif"])
def test_each_video_format_is_recognised_by_content_and_gets_its_class(
    suffix: str, tmp_path: Path
) -> None:
    files = [video_file(tmp_path, suffix, level=level) for level in (230, 20)]
    with recording_client(VIDEO) as client:
        assert _best(client.post("/v1/predict", files=_form(*files))) == ["bright", "dark"]


def test_base64_and_a_bare_body_get_the_same_answer() -> None:
    file = sound_file()
    with recording_client() as client:
        by_form = client.post("/v1/predict", files=_form(file)).json()
        body = {"signals": [base64.b64encode(file).decode()]}
        assert client.post("/v1/predict", json=body).json() == by_form
        for kind in ("audio/wav", "application/octet-stream"):
            headers = {"Content-Type": kind}
            assert client.post("/v1/predict", content=file, headers=headers).json() == by_form


def _wav(num_bytes: int, rate_hz: int = 8_000, channels: int = 1, body: bytes = b"") -> bytes:
    """Return a WAV file whose header claims so many bytes of samples."""
    block = 2 * channels
    fmt = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * block % 2**32, block, 16)
    data = struct.pack("<4sI", b"data", num_bytes) + body
    content = b"WAVE" + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + data
    return struct.pack("<4sI", b"RIFF", len(content)) + content


def _flac_of(num_samples: int) -> bytes:
    """Return a FLAC file whose header claims so many samples."""
    data = bytearray(sound_file("FLAC"))
    data[21:26] = bytes([data[21] & 0xF0 | num_samples >> 32]) + (num_samples % 2**32).to_bytes(4)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "status", "code", "message"),
    [
        (b"", 400, "bad_signal", "the clip is empty"),
        (b"no sound", 415, "unsupported_format", "not an audio file"),
        (sound_file()[:500], 400, "bad_signal", "cut off"),
        (sound_file("FLAC")[:1_000], 400, "bad_signal", "the clip is"),
        (sound_file("AIFF"), 415, "unsupported_format", "format AIFF"),
        (_wav(0), 400, "bad_signal", "no samples"),
        (_wav(8, rate_hz=10, body=bytes(8)), 400, "bad_signal", "10 samples per second"),
        (_wav(130, channels=65, body=bytes(130)), 400, "bad_signal", "65 channels"),
        (_wav(2**30, body=bytes(8)), 400, "bad_signal", "cut off"),
        (_flac_of(2**35), 413, "signal_too_large", "samples; accepted are at most"),
        (
            sound_file("WAV", rate_hz=1_000, seconds=9_000, subtype="PCM_U8"),
            413,
            "signal_too_large",
            "accepted are at most",
        ),
    ],
    ids=range(11),
)
def test_an_audio_file_that_cannot_be_used_is_named_with_the_reason(
    data: bytes, status: int, code: str, message: str
) -> None:
    with recording_client(AUDIO.replace(sound=SOUND.replace(rate_hz=16_000))) as client:
        answer = client.post("/v1/predict", files=_form(sound_file(), data))
    found_status, found_code, text = _error(answer)
    assert (found_status, found_code) == (status, code), text
    assert message in text
    assert answer.json()["error"]["signals"][0]["index"] == 1


def test_silent_and_very_short_files_are_answered() -> None:
    with recording_client() as client:
        files = [_wav(800, body=bytes(800)), _wav(2, body=b"\x00\x40"), sound_file(channels=5)]
        answer = client.post("/v1/predict", files=_form(*files))
    assert len(_best(answer)) == 3


def test_a_network_of_two_channels_refuses_five() -> None:
    with recording_client(STEREO) as client:
        assert _best(client.post("/v1/predict", files=_form(sound_file(channels=2)))) == ["low"]
        answer = client.post("/v1/predict", files=_form(sound_file(channels=5)))
    assert _error(answer)[:2] == (400, "bad_signal")
    assert "5 channel" in answer.text


def test_videos_that_cannot_be_used_are_named_with_the_reason(tmp_path: Path) -> None:
    whole = video_file(tmp_path)
    cases = [
        (b"", 415, "unsupported_format"),
        (b"#EXTM3U\nfile:///etc/passwd", 415, "unsupported_format"),
        (whole[:300], 400, "bad_signal"),
        (whole[:4] + b"ftyp" + bytes(400), 400, "bad_signal"),
        (video_file(tmp_path, side=320), 413, "signal_too_large"),
    ]
    with recording_client(VIDEO, max_megapixels=0.05) as client:
        for data, status, code in cases:
            answer = client.post("/v1/predict", files=_form(data))
            assert _error(answer)[:2] == (status, code), answer.text
        assert _best(client.post("/v1/predict", files=_form(whole))) == ["bright"]


def test_a_video_that_takes_too_much_work_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "MAX_WORK_PIXELS", 20 * 32 * 32)
    with recording_client(VIDEO) as client:
        answer = client.post("/v1/predict", files=_form(video_file(tmp_path)))
    assert _error(answer)[:2] == (413, "signal_too_large")
    assert "decoded pixels" in answer.text


def test_too_many_files_and_other_bodies_are_refused() -> None:
    with recording_client(max_images=2, max_body_mib=0.1) as client:
        answer = client.post("/v1/predict", files=_form(*[sound_file()] * 3))
        assert _error(answer)[:2] == (413, "too_many_signals")
        answer = client.post("/v1/predict", files=_form(bytes(200_000)))
        assert _error(answer)[:2] == (413, "body_too_large")
        answer = client.post("/v1/predict", json={"signals": []})
        assert _error(answer)[:2] == (422, "no_signals")
        answer = client.post("/v1/predict", json={"signals": [[0.1, 0.2]]})
        assert _error(answer)[:2] == (422, "wrong_shape")
        answer = client.post("/v1/predict", json={"signals": ["##"]})
        assert _error(answer)[:2] == (422, "bad_base64")
        answer = client.post("/v1/predict", content=b"x", headers={"Content-Type": "text/plain"})
        assert _error(answer)[:2] == (415, "unsupported_media_type")


@pytest.mark.parametrize(("channels", "rate_hz"), [(1, 8_000), (1, 44_100), (6, 48_000)])
def test_decoding_takes_no_more_memory_than_was_judged(channels: int, rate_hz: int) -> None:
    data = sound_file("FLAC", channels=channels, rate_hz=rate_hz, seconds=20)
    judged = decoding_bytes(data, 16_000)
    read_clip(data, 16_000)
    tracemalloc.start()
    read_clip(data, 16_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= judged + 2**20
    assert judged <= 6 * peak


def test_the_model_says_what_it_takes(tmp_path: Path) -> None:
    del tmp_path
    with recording_client() as client:
        told = client.get("/v1/model").json()
        schema = client.get("/openapi.json").json()
    assert told["signal"] == {"kind": "audio", "in_channels": 1, "sides": [16, 21]}
    assert told["limits"]["formats"] == ["wav", "flac", "ogg", "mp3"]
    content = schema["paths"]["/v1/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json", "application/octet-stream"}
    one = content["application/json"]["schema"]["properties"]["signals"]["items"]
    assert one["contentEncoding"] == "base64"


def test_no_descriptor_is_left_open() -> None:
    model = recording_model()
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    whole, num = sound_file(), len(list(folder.iterdir()))
    for data in (whole, whole[:500], b"no sound", b"", sound_file("AIFF")):
        for _ in range(5):
            with contextlib.suppress(HttpError):
                model.run([model.decode(data)])
    assert len(list(folder.iterdir())) == num


def test_content_and_file_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(sound_file("FLAC", rate_hz=22_050))
    assert np.array_equal(read_clip(path, 8_000), read_clip(path.read_bytes(), 8_000))
