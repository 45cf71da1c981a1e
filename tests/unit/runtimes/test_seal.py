"""A change anywhere in an exported file is detected before a runtime reads it."""

import random
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
        kept = zip_bytes(whole) if name.endswith(("pt2", "torchscript")) else range(len(whole))
        for _ in range(NUM_FLIPS):
            changed = bytearray(whole)
            changed[rng.choice(kept)] ^= 1 << rng.randrange(8)
            file.write_bytes(changed)
            with pytest.raises(CheckpointError, match=rf"{name}: "):
                open_exported(path)
        file.write_bytes(whole)


def zip_bytes(whole: bytes) -> list[int]:
    """Return the places that hold content: names, dates and padding between entries hold none."""
    import io
    import zipfile

    places: list[int] = []
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        for info in archive.infolist():
            head = info.header_offset
            names = [int.from_bytes(whole[head + at : head + at + 2], "little") for at in (26, 28)]
            start = head + 30 + sum(names)
            places += range(start, start + info.compress_size)
    return places


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
