import os
import tracemalloc
from pathlib import Path

import pytest

from resnext.untrusted.parse import parse_json, parse_json_lines, read_bytes, read_json, read_text


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"a":' * 100_000, "9" * 5000, "{", "", b"\xff\xfe\xff", "\0", "[1,]"]
)
def test_hostile_json_is_a_value_error_in_one_line(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="is not") as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)


def test_a_file_larger_than_expected_is_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    file.write_text("[" + "1," * 1000 + "1]", encoding="utf-8")
    assert len(read_json(file)) == 1001
    with pytest.raises(ValueError, match="larger than the 100 bytes accepted"):
        read_json(file, max_bytes=100)


def test_the_byte_order_mark_of_windows_is_no_part_of_a_text(tmp_path: Path) -> None:
    file = tmp_path / "notepad.json"
    data = "[1, 2]".encode("utf-8-sig")
    file.write_bytes(data)
    assert read_json(file, len(data)) == [1, 2]
    assert read_text(file, len(data)) == "[1, 2]"
    assert read_bytes(file, len(data)) == data
    with pytest.raises(ValueError, match="larger than the 8 bytes accepted"):
        read_text(file, len(data) - 1)
    file.write_bytes(b"\xef\xbb\xbf\xef\xbb\xbf1 \xff")
    with pytest.raises(ValueError, match=r"is not UTF-8 text \(byte 8\)"):
        read_text(file, 100)
    file.write_text("a\ufeffb", encoding="utf-8-sig")  # elsewhere it is a character
    assert read_text(file, 100) == "a\ufeffb"


def test_a_pipe_without_a_writer_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        read_json(tmp_path / "pipe")


def test_a_small_file_takes_little_memory_whatever_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "small.json").write_text("[1, 2]")
    tracemalloc.start()
    assert read_json(tmp_path / "small.json", 2**30) == [1, 2]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


def test_lines_that_hold_no_object_are_counted_and_the_others_kept() -> None:
    log = b'{"a": 1}\n\n[2]\n{"torn": \n\xff\x00\n' + b"[" * 100_000 + b'\n{"a": 3}\n{"b'
    assert parse_json_lines(log) == ([{"a": 1}, {"a": 3}], 5)
