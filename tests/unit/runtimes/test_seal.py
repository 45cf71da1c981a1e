"""A change anywhere in an exported file is detected before a runtime reads it."""

import io
import random
import zipfile
import zlib
from pathlib import Path

import pytest
from nonempty import nonempty
from tiny_runtimes import export

from resnext.errors import CheckpointError, ExportError
from resnext.runtimes.open import open_exported
from resnext.runtimes.seal import check_seal, seal
from resnext.runtimes.spec import UNSEALED

NUM_FLIPS = 200


@pytest.mark.slow
@pytest.mark.parametrize("name", ["net.onnx", "net.xml", "net.pt2", "net.torchscript"])
def test_a_flipped_bit_anywhere_is_detected(name: str, tmp_path: Path) -> None:
    path = export(tmp_path / name)
    open_exported(path)
    rng = random.Random(0)
    for file in nonempty(sorted(tmp_path.iterdir())):
        whole = file.read_bytes()
        zipped = name.endswith(("pt2", "torchscript"))
        kept = zip_bytes(whole) if zipped else range(len(whole))
        num_tried = 0
        while num_tried < NUM_FLIPS:
            changed = bytearray(whole)
            changed[rng.choice(kept)] ^= 1 << rng.randrange(8)
            if zipped and zip_content(changed) == zip_content(whole):
                continue
            file.write_bytes(changed)
            with pytest.raises(CheckpointError, match=rf"{name}: "):
                open_exported(path)
            num_tried += 1
        file.write_bytes(whole)


def zip_bytes(whole: bytes) -> list[int]:
    """Return the places that hold content: names, dates and padding between entries hold none."""
    places: list[int] = []
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        for info in archive.infolist():
            head = info.header_offset
            names = [int.from_bytes(whole[head + at : head + at + 2], "little") for at in (26, 28)]
            start = head + 30 + sum(names)
            places += range(start, start + info.compress_size)
    return places


def zip_content(archive: bytes | bytearray) -> list[bytes] | None:
    """Return the entries' content, or None if one is damaged.

    A deflated entry ends inside a byte: its last bits may flip without changing the content.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return [opened.read(info) for info in opened.infolist()]
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return None


def test_the_checksum_covers_the_files_beside(tmp_path: Path) -> None:
    path, beside = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"<" + UNSEALED.encode() + b">")
    beside.write_bytes(b"weights")
    seal(path, [beside])
    content = path.read_bytes()
    checksum = content[1:-1].decode()
    check_seal(path, content, checksum, [b"weights"])
    for changed, held in ((content + b" ", b"weights"), (content, b"Weights")):
        with pytest.raises(CheckpointError, match=r"is damaged.*export the network"):
            check_seal(path, changed, checksum, [held])


@pytest.mark.parametrize("content", [b"", 2 * UNSEALED.encode()])
def test_a_file_without_one_place_for_the_checksum_is_not_kept(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ExportError, match="cannot be given a checksum"):
        seal(tmp_path / "a")
