"""Listings of large folders: small in memory, kept, and never taken for good when they are not."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from resnext.data.names import PackedNames
from resnext.data.sets import listing_cache
from resnext.data.sets.folders import list_classes
from resnext.data.sets.listing import IMAGES, FileKind, list_tree
from resnext.data.sets.listing_cache import cache_folder_of, list_images

pytest_plugins = ["listing_fixtures"]
pytestmark = pytest.mark.usefixtures("kept_listings")

NUM_CLASSES, PER_CLASS = 20, 5_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("cat/1.jpg", "cat/deep/2.png", "dog/3.jpg", "dog/.hidden.jpg", "dog/b\udcff.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.fixture
def num_lists(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note each time that a folder is really listed."""
    listed: list[Path] = []

    def list_and_note(root: Path, kind: FileKind) -> object:
        listed.append(root)
        return list_tree(root, kind)

    monkeypatch.setattr(listing_cache, "list_tree", list_and_note)
    return listed


def test_a_folder_that_stays_as_it_is_is_listed_once(tree: Path, num_lists: list[Path]) -> None:
    first, second, third = (list_images(tree) for _ in range(3))
    assert num_lists == [tree]
    assert first == second == third
    names = ["cat/1.jpg", "cat/deep/2.png", "dog/3.jpg", "dog/b\udcff.jpg"]
    assert list(second.names) == names
    assert (second.classes, second.counts, second.ignored) == (
        ("cat", "dog"),
        (2, 2),
        {"hidden": 1},
    )
    classes, files = list_classes(tree)
    assert classes == ("cat", "dog")
    assert files.targets_n.tolist() == [0, 0, 1, 1]


def add(tree: Path) -> None:
    (tree / "dog/4.jpg").touch()


def remove(tree: Path) -> None:
    (tree / "cat/1.jpg").unlink()


def rename(tree: Path) -> None:
    (tree / "cat/1.jpg").rename(tree / "cat/5.jpg")


def move_to_another_class(tree: Path) -> None:
    (tree / "cat/1.jpg").rename(tree / "dog/1.jpg")


def add_deep_below(tree: Path) -> None:
    (tree / "cat/deep/6.jpg").touch()


def add_a_class(tree: Path) -> None:
    (tree / "eel").mkdir()
    (tree / "eel/7.jpg").touch()


def rename_a_class(tree: Path) -> None:
    (tree / "cat").rename(tree / "lynx")


def replace_a_class_by_a_link(tree: Path) -> None:
    (tree / "cat").rename(tree.with_name("other"))
    (tree.with_name("other") / "8.jpg").touch()
    (tree / "cat").symlink_to(tree.with_name("other"))


def add_and_set_the_clock_back(tree: Path) -> None:
    before = (tree / "dog").stat()
    (tree / "dog/9.jpg").touch()
    os.utime(tree / "dog", ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = (
    add, remove, rename, move_to_another_class, add_deep_below, add_a_class, rename_a_class,
    replace_a_class_by_a_link, add_and_set_the_clock_back,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_folder_that_changed_is_listed_anew(tree: Path, change: Callable[[Path], None]) -> None:
    before = list_images(tree)
    for folder in sorted(path for path in (tree, *tree.rglob("*")) if path.is_dir()):
        os.utime(folder, ns=(1, 1))  # long ago, so that no tick of the clock can hide a change
    list_images(tree)
    change(tree)
    after = list_images(tree)
    assert after == list_tree(tree)[0]
    assert after != before


def test_a_folder_that_was_changed_just_now_is_not_kept(
    tree: Path, num_lists: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_cache, "_SETTLED_S", 3600.0)
    list_images(tree)
    list_images(tree)
    assert num_lists == [tree, tree]


def test_small_folders_leave_no_trace(
    tree: Path, kept_listings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_cache, "_MIN_FILES", 5)
    list_images(tree)
    assert not kept_listings.exists()


def test_other_endings_make_another_listing(tree: Path, num_lists: list[Path]) -> None:
    list_images(tree)
    list_images(tree, replace(IMAGES, endings=(".png",)))
    assert len(num_lists) == 2


@pytest.mark.parametrize("content", [b"", b"{", None])
@pytest.mark.parametrize("pattern", ["listing.json", "*.text.npy", "*.ends.npy"])
def test_a_torn_cache_is_made_anew(
    tree: Path, num_lists: list[Path], pattern: str, content: bytes | None
) -> None:
    expected = list_images(tree)
    (path,) = cache_folder_of(tree).glob(pattern)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert list_images(tree) == expected
    assert list_images(tree) == expected
    assert len(num_lists) == 2


def test_a_cache_that_cannot_be_written_costs_only_time(
    tree: Path, tmp_path: Path, num_lists: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert list_images(tree) == list_images(tree)
    assert len(num_lists) == 2
    assert "could not be cached in" in caplog.text


def test_only_the_last_listing_is_kept(tree: Path) -> None:
    for number in range(3):
        (tree / f"dog/{number + 10}.jpg").touch()
        list_images(tree)
    assert len(list(cache_folder_of(tree).glob("*.npy"))) == 2


@dataclass(frozen=True)
class Entry:
    """What scandir yields."""

    name: str
    folder: bool = False

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self.folder and follow_symlinks in (True, False)

    def is_file(self) -> bool:
        return not self.folder


@contextmanager
def scan_large(folder: Path) -> Iterator[Iterator[Entry]]:
    label = folder.name
    if label == "photos":
        yield (Entry(f"n{number:08}", folder=True) for number in range(NUM_CLASSES))
    else:
        yield (Entry(f"{label}_{number:06}.JPEG") for number in range(PER_CLASS))


@pytest.mark.slow
def test_a_file_costs_its_name_and_a_few_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(NUM_CLASSES):
        (tmp_path / "photos" / f"n{number:08}").mkdir(parents=True)
    monkeypatch.setattr(os, "scandir", scan_large)
    num = NUM_CLASSES * PER_CLASS
    text_bytes = num * len("n00000000/n00000000_000000.JPEG")
    tracemalloc.start()
    found, _ = list_tree(tmp_path / "photos")
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    mapped = list_images(tmp_path / "photos")
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    again = list_images(tmp_path / "photos")
    held_bytes, read_bytes = (value - before for value in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    assert len(found.names) == len(mapped.names) == len(again.names) == num
    assert found.names.text.nbytes == text_bytes
    assert found.names.ends_n.nbytes == 8 * num
    # What grows by appending has up to an eighth in reserve.
    assert kept < 1.15 * (text_bytes + 8 * num) + 20_000
    # Strings (some 50 bytes and a pointer more than their text) of one class at a time.
    assert peak < 1.3 * (text_bytes + 8 * num) + PER_CLASS * 200
    assert held_bytes < num  # mapped, not held: far less than a byte a file
    assert read_bytes < text_bytes / 2  # checked in blocks of a fixed size
    assert isinstance(again.names.text, np.memmap)


def test_names_that_are_chosen_cost_eight_bytes_each() -> None:
    names = PackedNames(f"a/{number}.jpg" for number in range(1000))
    tracemalloc.start()
    half = names.choose(np.arange(0, 1000, 2))
    cost = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(half) == 500
    assert cost < 8 * 500 + 2000
