"""Files for other libraries: regular ones only, bounded archives, one kind of error."""

import os
import struct
import zipfile
from pathlib import Path

import pytest

from resnext.errors import CheckpointError, ConfigError
from resnext.foreign_file import check_archive, check_regular, one_error


def test_only_regular_files_pass(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_regular(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    places = {
        tmp_path: "is a folder",
        tmp_path / "pipe": "is a pipe, device or socket",
        Path("/dev/zero"): "is a pipe, device or socket",
        tmp_path / "nothing": "there is no such file",
        tmp_path / ("x" * 300): "File name too long",
        tmp_path / "a\0b": "null",
        tmp_path / "file" / "inside": "Not a directory",
    }
    for place, message in places.items():
        with pytest.raises(CheckpointError, match=message):
            check_regular(place)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "w").touch()
    (tmp_path / "w").chmod(0)
    if os.access(tmp_path / "w", os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(CheckpointError, match=r"w: cannot be read \(Permission denied\)"):
        check_regular(tmp_path / "w")


def test_whatever_a_library_raises_becomes_one_line() -> None:
    path = Path("w.pth")
    for error in (
        KeyError("x"),
        struct.error("a\nb"),
        MemoryError(),
        RecursionError("\x1b[2J" * 99),
    ):
        with (
            pytest.raises(CheckpointError, match=r"^w\.pth: cannot be read \(.+\); copy it$") as e,
            one_error(path, "cannot be read", "copy it"),
        ):
            raise error
        assert str(e.value).isprintable()
        assert len(str(e.value)) < 1000


def test_errors_of_ours_pass() -> None:
    with pytest.raises(ConfigError, match=r"^as it is$"), one_error(Path("w"), "a", "b"):
        raise ConfigError("as it is")


def archive(path: Path, entries: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as zipped:
        for name, content in entries.items():
            zipped.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "w.pth", {"a": bytes(1 << 24)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="too large when unpacked"):
        check_archive(path)
    with pytest.raises(CheckpointError, match="too large when unpacked"):
        check_archive(path, max_packed_bytes=1 << 20)
    check_archive(path, max_packed_bytes=1 << 24)


def test_entries_that_claim_more_than_the_file_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "w.pth", {"a": b"x" * 100})
    content = path.read_bytes()
    sizes = struct.pack("<II", 100, 100)
    assert content.count(sizes) == 2
    path.write_bytes(content.replace(sizes, struct.pack("<II", 100, 2**31)))
    with pytest.raises(CheckpointError, match=r"too large when unpacked|cannot be read as a zip"):
        check_archive(path)


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnext.foreign_file.MAX_ZIP_ENTRIES", 2)
    path = archive(tmp_path / "w.pth", dict.fromkeys("abc", b""))
    with pytest.raises(CheckpointError, match="contains 3 entries"):
        check_archive(path)


def test_a_flipped_bit_in_an_entry_is_detected(tmp_path: Path) -> None:
    path = archive(tmp_path / "w.pth", {"a": b"x" * 100})
    changed = bytearray(path.read_bytes())
    changed[changed.index(b"xxxx") + 50] ^= 4
    path.write_bytes(changed)
    with pytest.raises(CheckpointError, match=r"its entry 'a' has changed since it was written"):
        check_archive(path)
