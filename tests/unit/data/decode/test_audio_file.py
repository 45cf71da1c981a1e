from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_audio import tone, write_tone

from resnext.data.decode import audio_limits
from resnext.data.decode.audio import FULL_SCALE, read_clip, read_facts, resample
from resnext.errors import DataError

RATE_HZ = 8_000


def _similarity(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the correlation of two signals, of which one may be a little longer."""
    num = min(len(found), len(expected))
    return float(np.corrcoef(found[:num], expected[:num])[0, 1])


def test_samples_of_16_bits_are_kept_exactly(tmp_path: Path) -> None:
    samples = np.array([0, 1, -1, 12_345, -32_768, 32_767], dtype=np.int16)
    soundfile.write(tmp_path / "a.wav", samples, RATE_HZ)
    clip = read_clip(tmp_path / "a.wav", RATE_HZ)
    assert clip.dtype == np.int16
    assert clip.tolist() == [samples.tolist()]


@pytest.mark.parametrize(
    ("name", "subtype", "least"),
    [
        ("a.wav", "PCM_U8", 0.999),
        ("a.wav", "PCM_24", 0.999999),
        ("a.wav", "PCM_32", 0.999999),
        ("a.wav", "FLOAT", 0.999999),
        ("a.wav", "DOUBLE", 0.999999),
        ("a.wav", "ULAW", 0.999),
        ("a.flac", "PCM_16", 0.999999),
        ("a.flac", "PCM_24", 0.999999),
        ("a.ogg", "VORBIS", 0.99),
        ("a.mp3", "MPEG_LAYER_III", 0.99),
    ],
)
def test_all_accepted_files_give_the_sound_that_was_written(
    tmp_path: Path, name: str, subtype: str, least: float
) -> None:
    expected = tone(440.0, 0.5, RATE_HZ)
    soundfile.write(tmp_path / name, expected, RATE_HZ, subtype=subtype)
    clip = read_clip(tmp_path / name, RATE_HZ)
    assert clip.shape[0] == 1
    assert abs(clip.shape[1] - len(expected)) <= 1_200  # an MP3 ends with a whole frame
    assert _similarity(clip[0] / FULL_SCALE, expected) > least


def test_opus_is_read(tmp_path: Path) -> None:
    expected = tone(440.0, 0.5, 48_000)
    soundfile.write(tmp_path / "a.opus", expected, 48_000, format="OGG", subtype="OPUS")
    clip = read_clip(tmp_path / "a.opus", 48_000)
    assert _similarity(clip[0] / FULL_SCALE, expected) > 0.99


@pytest.mark.parametrize("rate", [96_000, 44_100, 11_025, 47_999])
def test_a_file_of_another_rate_is_resampled(tmp_path: Path, rate: int) -> None:
    write_tone(tmp_path / "a.wav", 440.0, rate, seconds=0.5)
    clip = read_clip(tmp_path / "a.wav", RATE_HZ)
    expected = tone(440.0, 0.5, RATE_HZ)
    assert abs(clip.shape[1] - len(expected)) <= 1
    assert _similarity(clip[0][200:-200], expected[200:-200]) > 0.9999


def test_resampling_removes_what_the_lower_rate_cannot_hold() -> None:
    high = tone(10_000.0, 0.2, 48_000).astype(np.float32)[None]
    found = resample(high, 48_000, 8_000)
    assert np.abs(found[:, 100:-100]).max() < 0.01


def test_several_channels_are_mixed_or_kept(tmp_path: Path) -> None:
    channels = np.stack([tone(100.0 * (1 + number)) for number in range(5)], axis=1)
    soundfile.write(tmp_path / "five.wav", channels, RATE_HZ, subtype="FLOAT")
    mono = read_clip(tmp_path / "five.wav", RATE_HZ)
    assert mono.shape == (1, len(channels))
    np.testing.assert_allclose(mono[0] / FULL_SCALE, channels.mean(axis=1), atol=1 / FULL_SCALE)
    kept = read_clip(tmp_path / "five.wav", RATE_HZ, is_mono=False)
    np.testing.assert_allclose(kept / FULL_SCALE, channels.T, atol=1 / FULL_SCALE)


def test_floats_beyond_full_scale_are_scaled_down_and_not_clipped(tmp_path: Path) -> None:
    loud = tone(440.0, level=8.0)
    soundfile.write(tmp_path / "loud.wav", loud, RATE_HZ, subtype="FLOAT")
    clip = read_clip(tmp_path / "loud.wav", RATE_HZ)
    np.testing.assert_allclose(clip[0] / FULL_SCALE, loud / np.abs(loud).max(), atol=1e-4)


def test_silence_and_a_single_sample_are_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(100), RATE_HZ)
    assert not read_clip(tmp_path / "silent.wav", RATE_HZ).any()
    soundfile.write(tmp_path / "one.wav", np.array([0.5]), RATE_HZ)
    assert read_clip(tmp_path / "one.wav", RATE_HZ).shape == (1, 1)
    assert read_clip(tmp_path / "one.wav", 2 * RATE_HZ).shape == (1, 2)


def test_the_header_tells_rate_and_length(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.flac", 440.0, 22_050, seconds=0.4)
    rate_hz, seconds = read_facts(tmp_path / "a.flac")
    assert rate_hz == 22_050
    assert seconds == pytest.approx(0.4)


def _written(path: Path, kind: str) -> None:
    """Write a bad file of a kind."""
    name = "whole.flac" if "flac" in kind else "whole.wav"
    whole = write_tone(path.with_name(name), 440.0, seconds=3.0).read_bytes()
    damaged = bytearray(whole)
    middle = len(whole) // 2
    damaged[middle : middle + 200] = bytes(200)
    contents = {
        "empty": b"",
        "text": b"this is no sound\n" * 50,
        "cut wav": whole[:5_000],
        "cut flac": whole[:middle],
        "damaged flac": bytes(damaged),
        "header": whole[:44],
    }
    path.write_bytes(contents[kind])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "is empty"),
        ("text", "is not an audio file: .*; accepted are WAV, FLAC, Ogg and MP3"),
        ("cut wav", r"is cut off: 43,044 bytes of its samples are missing"),
        ("header", "is cut off"),
        ("cut flac", "is cut off|is damaged"),
        ("damaged flac", "is cut off|is damaged"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / "bad.wav"
    _written(path, kind)
    with pytest.raises(DataError, match=words):
        read_clip(path, RATE_HZ)


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE_HZ)
    with pytest.raises(DataError, match="has no samples"):
        read_clip(tmp_path / "none.wav", RATE_HZ)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, value, 0.1]), RATE_HZ, subtype="FLOAT")
    with pytest.raises(DataError, match="not finite"):
        read_clip(tmp_path / "nan.wav", RATE_HZ)


def test_a_pipe_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(DataError, match="is not a regular file"):
        read_clip(tmp_path / "pipe.wav", RATE_HZ)
    with pytest.raises(DataError, match="is not a regular file"):
        read_clip(tmp_path, RATE_HZ)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_clip(tmp_path / "none.wav", RATE_HZ)


def _header(channels: int, rate: int, length: int) -> bytes:
    """Return the head of a WAV file of 16 bits."""
    kind = struct.pack(
        "<HHIIHH", 1, channels, rate, 2 * channels * rate & 0xFFFFFFFF, 2 * channels, 16
    )
    return (
        b"RIFF" + struct.pack("<I", 36 + length) + b"WAVEfmt " + struct.pack("<I", len(kind)) + kind
        + b"data" + struct.pack("<I", length)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("channels", "rate", "words"),
    [
        (65, 8_000, "has 65 channels; accepted are 1 to 64"),
        (1, 10, "has 10 samples per second; accepted are 1,000 to 768,000"),
        (1, 2_000_000, "has 2,000,000 samples per second"),
    ],
)
def test_unusual_headers_are_refused(tmp_path: Path, channels: int, rate: int, words: str) -> None:
    path = tmp_path / "odd.wav"
    path.write_bytes(_header(channels, rate, 2 * channels) + bytes(2 * channels))
    with pytest.raises(DataError, match=words):
        read_clip(path, RATE_HZ)


def test_a_header_must_say_how_many_samples_follow_and_not_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tone(tmp_path / "a.flac", 440.0, seconds=1.0)
    monkeypatch.setattr(audio_limits, "MAX_SAMPLES", 7_999)
    with pytest.raises(DataError, match="has 8,000 samples; accepted are at most 7,999"):
        read_facts(path)
    changed = bytearray(path.read_bytes())
    changed[21] &= 0xF0  # the number of samples in STREAMINFO: 0 means unknown
    changed[22:26] = bytes(4)
    path.write_bytes(bytes(changed))
    with pytest.raises(DataError, match="does not say how many samples it has"):
        read_clip(path, RATE_HZ)


def test_a_file_that_is_too_large_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tone(tmp_path / "a.wav", 440.0)
    monkeypatch.setattr(audio_limits, "MAX_FILE_BYTES", 1_000)
    with pytest.raises(DataError, match="has 3,244 bytes; accepted are at most 1,000"):
        read_clip(path, RATE_HZ)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    good, bad = write_tone(tmp_path / "a.wav", 440.0), tmp_path / "b.wav"
    bad.write_bytes(b"RIFF no")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        read_clip(good, RATE_HZ)
        with pytest.raises(DataError):
            read_clip(bad, RATE_HZ)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_that_would_grow_beyond_bounds_when_resampled_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tone(tmp_path / "a.wav", 100.0, 1_000)
    monkeypatch.setattr(audio_limits, "MAX_SAMPLES", 1_599)
    with pytest.raises(DataError, match="has 1,600 samples; accepted are at most 1,599"):
        read_clip(path, RATE_HZ)


@pytest.mark.slow  # some changed rates need long filters
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_changed_bytes_give_samples_or_one_reason(tmp_path: Path, name: str) -> None:
    whole = write_tone(tmp_path / name, 440.0, seconds=0.3).read_bytes()
    draw = np.random.default_rng(0)
    path = tmp_path / f"changed{name}"
    for number in range(60):
        changed = bytearray(whole[: draw.integers(1, len(whole) + 1)] if number % 3 == 0 else whole)
        limit = min(len(changed), 64 if number % 2 else len(changed))  # every second time the head
        for place in draw.integers(0, limit, size=3):
            changed[place] = draw.integers(256)
        path.write_bytes(bytes(changed))
        reason = ""
        try:
            assert read_clip(path, RATE_HZ).size
        except DataError as error:
            reason = str(error)
        assert "\n" not in reason
