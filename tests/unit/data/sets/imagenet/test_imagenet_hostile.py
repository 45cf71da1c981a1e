"""Archives and lists made to exhaust memory or disk: refused with one message."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import pytest

from resnext.data import tar_limits
from resnext.data.sets.imagenet import class_file, ground_truth
from resnext.data.sets.imagenet.archives import open_tar, unpack_class
from resnext.data.sets.imagenet.class_file import class_text, parse_text, read_text
from resnext.data.sets.imagenet.ground_truth import read_devkit, read_ground_truth
from resnext.data.sets.imagenet.layout import ImageNetLayout
from resnext.errors import DataError

LAYOUT = ImageNetLayout(("n01440764",), 1, 1, 1, 1)


def unpack(archive: Path, folder: Path) -> int:
    with open_tar(archive) as tar:
        return unpack_class(tar, archive.name, folder, None)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def blocks(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def sparse(name: str, size: int) -> bytes:
    """Return a member of a size without content (PAX format 1.0 of GNU tar)."""
    facts = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": name,
        "GNU.sparse.realsize": str(size),
    }
    member = tarfile.TarInfo(name)
    content = blocks(b"0\n")
    member.size, member.pax_headers = len(content), facts
    return member.tobuf(tarfile.PAX_FORMAT) + content


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]
)
def test_a_header_of_many_megabytes_is_not_read(tmp_path: Path, kind: bytes) -> None:
    archive = tmp_path / "x.tar"
    size = 100 << 20
    archive.write_bytes(gzip.compress(header("x", size, kind) + bytes(size), 1))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"x\.tar: unpacking stopped"):
        unpack(archive, tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_an_archive_that_expands_without_end_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object
) -> None:
    monkeypatch.setattr(tar_limits, "MIN_EXPANDED_BYTES", 1 << 20)
    assert callable(pack)
    members = [header(f"{k}.JPEG", 600_000) + blocks(bytes(600_000)) for k in range(5)]
    (tmp_path / "x.tar").write_bytes(pack(b"".join(members) + bytes(1024)))
    with pytest.raises(DataError, match=r"expands to more than 1,048,576 bytes"):
        unpack(tmp_path / "x.tar", tmp_path / "out")
    written = sum(path.stat().st_size for path in tmp_path.rglob("*.JPEG"))
    assert written <= 1 << 20


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(sparse("x.JPEG", 200 << 20) + bytes(1024))
    with pytest.raises(DataError, match="a member is sparse"):
        unpack(tmp_path / "x.tar", tmp_path / "out")


def test_members_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_limits, "MAX_MEMBERS", 100)
    members = b"".join(header(f"{k}.txt", 0) for k in range(101))
    (tmp_path / "x.tar").write_bytes(members + bytes(1024))
    with pytest.raises(DataError, match="more than 100 members"):
        unpack(tmp_path / "x.tar", tmp_path / "out")


def test_headers_nested_without_end_are_one_message(tmp_path: Path) -> None:
    nested = (header("x", 2, tarfile.GNUTYPE_LONGNAME) + blocks(b"x\0")) * 5000
    (tmp_path / "x.tar").write_bytes(nested + header("x.JPEG", 0) + bytes(1024))
    with pytest.raises(DataError, match=r"x\.tar: unpacking stopped"):
        unpack(tmp_path / "x.tar", tmp_path / "out")


def test_a_compressed_archive_that_is_damaged_is_one_message(tmp_path: Path) -> None:
    content = header("x.JPEG", 50_000) + bytes(range(256)) * 196 + bytes(1024)
    for pack in (gzip.compress, lzma.compress):
        whole = bytearray(pack(content))
        for place in range(0, len(whole), 5):
            damaged = bytes(whole[:place]) + bytes([whole[place] ^ 255]) + bytes(whole[place + 1 :])
            (tmp_path / "x.tar").write_bytes(damaged)
            try:
                unpack(tmp_path / "x.tar", tmp_path / f"out{place}{len(whole)}")
            except DataError as error:
                assert "\n" not in str(error)  # noqa: PT017 - some damage changes nothing


def mat(unpacked: bytes) -> bytes:
    content = zlib.compress(unpacked, 1)
    return b"MATLAB 5.0".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(content)) + content


def test_a_devkit_that_expands_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground_truth, "_MAX_MIB", 1)
    (tmp_path / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n")
    (tmp_path / "meta.mat").write_bytes(mat(bytes(2 << 20)))
    with pytest.raises(DataError, match="it expands to more than 1 MiB"):
        read_devkit(tmp_path, LAYOUT)
    (tmp_path / "meta.mat").write_bytes(bytes(2 << 20))
    with pytest.raises(DataError, match="is larger than the 1,048,576 bytes accepted"):
        read_devkit(tmp_path, LAYOUT)


def test_numbers_of_many_digits_are_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "truth.txt").write_text("1" * 10_000 + "\n")
    (tmp_path / "meta.mat").write_bytes(b"x")
    with pytest.raises(DataError):
        read_ground_truth(tmp_path / "truth.txt", LAYOUT)
    text = class_text(class_file.ClassList((), 0, 0, 0))
    for number in ("9" * 10_000, "\N{ARABIC-INDIC DIGIT ONE}", "-1", "\N{SUPERSCRIPT TWO}"):
        with pytest.raises(DataError, match="is not a synset"):
            parse_text(f"{text}n01440764\tfull\t{number}\n", tmp_path)


def test_a_class_list_larger_than_any_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_file, "_MAX_BYTES", 10)
    (tmp_path / "list.tsv").write_text("x" * 11)
    with pytest.raises(DataError, match="is larger than"):
        read_text(tmp_path / "list.tsv")
    (tmp_path / "list.tsv").write_bytes(b"\xff")
    with pytest.raises(DataError, match="UTF-8"):
        read_text(tmp_path / "list.tsv")


def test_an_honest_archive_passes_the_limits(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        for number in range(3):
            member = tarfile.TarInfo(f"{number}.JPEG")
            member.size = 1000
            tar.addfile(member, io.BytesIO(bytes(1000)))
    assert unpack(tmp_path / "x.tar.gz", tmp_path / "out") == 3
