"""Which files of a folder are images, and what is said of the others."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hostile_images import saved
from made_images import pgm

from resnext.data.decode.image_names import (
    count_ignored,
    describe_ignored,
    is_image,
    is_image_name,
)
from resnext.data.sets.folders import load_folder
from resnext.inference.files import find_images


@pytest.mark.parametrize(
    "name",
    [
        *("a.jpg", "a.JPEG", "a.jpe", "a.JFIF", "a.jpg_large", "a.png", "a.webp", "a.gif", "a.bmp"),
        *("a.dib", "a.tif", "a.TIFF", "a.pgm", "a.pbm", "a.ppm", "a.pnm", "a.b.jpg", "ä.avif"),
    ],
)
def test_images_under_any_usual_extension_count(name: str) -> None:
    assert is_image_name(name)
    assert not is_image_name("." + name)


@pytest.mark.parametrize("name", ["a.heic", "a.txt", "jpg", "a.jpg.part", "a.svg", "a.npy"])
def test_other_extensions_do_not_count(name: str) -> None:
    assert not is_image_name(name)


FORMS = ["JPEG", "PNG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP", "AVIF"]


def entries_of(folder: Path) -> dict[str, os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return {entry.name: entry for entry in entries}


def test_files_without_an_extension_count_by_their_content(tmp_path: Path) -> None:
    for form in FORMS[:4] + FORMS[5:]:
        (tmp_path / form).write_bytes(saved(form, (9, 9)))
    (tmp_path / "plain").write_bytes(pgm(np.zeros((3, 3), int), 9, plain=True))
    others = {
        "README": b"Pictures of cats\n",
        "LICENSE": b"BMW and others\n",
        "archive": b"PK\3\4",
        "empty": b"",
        "video": b"\0\0\0 ftypisom",
        "sound": b"RIFF\0\0\0\0WAVE",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    found = {name for name, entry in entries_of(tmp_path).items() if is_image(entry)}
    assert found == {*FORMS[:4], *FORMS[5:], "plain"}


def test_what_is_left_out_is_counted_by_its_extension(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(8):
            (tmp_path / label / f"{number}.JFIF").write_bytes(saved("JPEG", (9, 9)))
        for name in ("a.heic", "b.HEIC", "c.txt", ".hidden.jpg", "README"):
            (tmp_path / label / name).write_bytes(b"x")
    data = load_folder(tmp_path, 0.3)
    assert len(data.train) + len(data.val) == 16
    said = "4 .heic, 2 .txt, 2 hidden, 2 without extension"
    assert sorted(caplog.messages[-1].partition("no images: ")[2].split(", ")) == sorted(
        said.split(", ")
    )
    ignored = Counter[str]()
    assert len(list(find_images([tmp_path], ignored))) == 16
    assert describe_ignored(ignored).startswith("4 .heic")


def test_the_kinds_of_left_out_files_are_said_in_a_short_printable_line() -> None:
    kinds = Counter[str]()
    for number in range(1_000):
        count_ignored(f"a.{number}", kinds)
    for name in ("a.\x1b[31m", "a.\udcff", "a." + 300 * "y", "a.", "a.ü"):
        count_ignored(name, kinds)
    assert len(kinds) <= 101
    assert kinds.total() == 1_005
    text = describe_ignored(kinds)
    assert len(text) < 200
    assert text.isascii()
    assert text.isprintable()
    assert "of other kinds" in text
