import gc
import os
from pathlib import Path
from typing import Any

import pytest

from resnext.page.uploads import Uploads


def test_an_upload_is_read_by_its_name_until_it_is_dropped() -> None:
    uploads = Uploads()
    name = uploads.keep(b"abc")
    assert uploads.read(name) == b"abc"
    path = uploads.path_of(name)
    assert path is not None
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    uploads.drop(name)
    uploads.drop(name)
    assert uploads.read(name) is None
    assert not path.exists()


@pytest.mark.parametrize(
    "name", [None, 1, [], {}, "", "x", "x" * 32, "/etc/passwd", "../" * 8, "a\0", b"x", "é" * 32]
)
def test_no_other_name_is_one(name: Any) -> None:
    uploads = Uploads()
    uploads.keep(b"abc")
    assert uploads.path_of(name) is None
    assert uploads.read(name) is None


def test_the_name_of_a_file_that_was_not_uploaded_is_none() -> None:
    uploads = Uploads()
    path = uploads.path_of(uploads.keep(b"abc"))
    assert path is not None
    path.with_name("y" * 32).write_text("secret")
    assert uploads.read("y" * 32) is None


def test_a_link_a_pipe_or_a_folder_in_place_of_an_upload_is_not_followed(tmp_path: Path) -> None:
    uploads = Uploads()
    (tmp_path / "secret").write_text("secret")
    for plant in (
        lambda path: path.symlink_to(tmp_path / "secret"),
        os.mkfifo,
        lambda path: path.mkdir(),
    ):
        name = uploads.keep(b"abc")
        path = uploads.path_of(name)
        assert path is not None
        path.unlink()
        plant(path)
        assert uploads.path_of(name) is None
        assert uploads.read(name) is None


def test_the_oldest_make_room() -> None:
    uploads = Uploads(max_files=3, max_bytes=100)
    names = [uploads.keep(b"x" * size) for size in (10, 20, 30)]
    fourth = uploads.keep(b"x")
    assert [uploads.path_of(name) is None for name in names] == [True, False, False]
    large = uploads.keep(b"x" * 99)
    kept = [name for name in (*names, fourth, large) if uploads.path_of(name)]
    assert kept == [fourth, large]


@pytest.mark.slow
def test_a_folder_that_was_removed_is_made_again_and_none_is_left() -> None:
    uploads = Uploads()
    first = uploads.path_of(uploads.keep(b"abc"))
    assert first is not None
    first.unlink()
    first.parent.rmdir()
    name = uploads.keep(b"def")
    assert uploads.read(name) == b"def"
    second = uploads.path_of(name)
    assert second is not None
    del uploads
    gc.collect()
    assert not second.parent.exists()
