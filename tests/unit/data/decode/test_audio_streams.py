"""WAV files whose writer did not know their length."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from made_audio import write_tone

from resnext.data.decode.audio import read_clip
from resnext.errors import DataError

RATE_HZ = 8_000


@pytest.mark.parametrize(
    "length", [0x7FFF0000, 0x7FFFF000, 0x7FFFFFFF - 36, 0x80000000, 0xFFFFFFFF - 36, 0xFFFFFFFF]
)
def test_a_stream_whose_length_was_unknown_is_read_whole(tmp_path: Path, length: int) -> None:
    path = write_tone(tmp_path / "a.wav", 440.0)
    whole = read_clip(path, RATE_HZ)
    content = bytearray(path.read_bytes())
    assert content[36:40] == b"data"
    struct.pack_into("<I", content, 40, length)
    path.write_bytes(content)
    assert np.array_equal(read_clip(path, RATE_HZ), whole)


def test_a_length_just_outside_is_that_of_a_file_cut_off(tmp_path: Path) -> None:
    content = bytearray(write_tone(tmp_path / "a.wav", 440.0).read_bytes())
    for length in (0x7FFEFFFF, 0x80000001):
        struct.pack_into("<I", content, 40, length)
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(DataError, match="is cut off"):
            read_clip(tmp_path / "a.wav", RATE_HZ)
