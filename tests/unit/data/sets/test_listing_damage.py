"""A kept listing that is damaged or forged is as good as none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnext.checked_json import read_checked, write_checked
from resnext.data.names import PackedNames
from resnext.data.sets import listing_cache
from resnext.data.sets.listing import list_tree
from resnext.data.sets.listing_cache import cache_folder_of, list_images
from resnext.download import sha256_of

pytest_plugins = ["listing_fixtures"]
pytestmark = pytest.mark.usefixtures("kept_listings")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("cat/1.jpg", "cat/deep/2.png", "dog/3.jpg", "d\udcff/b\udcff.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.mark.parametrize("pattern", ["listing.json", "*.text.npy", "*.ends.npy"])
def test_a_flipped_bit_anywhere_in_a_kept_listing_is_noticed(tree: Path, pattern: str) -> None:
    expected = list_images(tree)
    (path,) = cache_folder_of(tree).glob(pattern)
    whole = path.read_bytes()
    num_unused = 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        kept = listing_cache._read(tree, cache_folder_of(tree))
        num_unused += kept is None
        assert kept in (None, expected)
    # The rest are spaces between JSON values that became other white space.
    assert num_unused > 0.99 * len(whole)
    path.write_bytes(whole)
    assert listing_cache._read(tree, cache_folder_of(tree)) == expected


@pytest.mark.parametrize("pattern", ["listing.json", "*.text.npy", "*.ends.npy"])
def test_a_kept_listing_that_is_cut_at_any_place_is_listed_again(tree: Path, pattern: str) -> None:
    list_images(tree)
    (path,) = cache_folder_of(tree).glob(pattern)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert listing_cache._read(tree, cache_folder_of(tree)) is None
    path.write_bytes(whole)
    assert list_images(tree) == list_tree(tree)[0]


def forge(root: Path, names: list[bytes], **changes: object) -> None:
    """Put names into a kept listing, with the checksums that they need."""
    place = cache_folder_of(root)
    index = read_checked(place / "listing.json")
    arrays: dict[str, NDArray[Any]] = {
        "text": np.frombuffer(b"".join(names), np.uint8),
        "ends": np.cumsum([len(name) for name in names], dtype=np.int64),
    }
    for part, values in arrays.items():
        path = place / f"{index['files']}.{part}.npy"
        np.save(path, values)
        index["sha256"][part] = sha256_of(path)
    write_checked(place / "listing.json", index | {"counts": [len(names), 0, 0]} | changes)


def test_a_forged_listing_of_harmless_names_would_be_used(tree: Path) -> None:
    list_images(tree)
    forge(tree, [b"cat/other.jpg"])
    assert list_images(tree).names == PackedNames(["cat/other.jpg"])


@pytest.mark.parametrize(
    "name",
    [
        b"../x.jpg",
        b"cat/../../x.jpg",
        b"/etc/x.jpg",
        b"cat/./x.jpg",
        b".hidden/x.jpg",
        b"cat/x\0.jpg",
        b"",
        b"cat/" + b"x" * 5000,
    ],
)
def test_a_forged_listing_cannot_name_a_file_outside_of_the_folder(tree: Path, name: bytes) -> None:
    list_images(tree)
    fresh, _ = list_tree(tree)
    for names in ([name], [b"cat/1.jpg", name], [name, b"cat/1.jpg"]):
        forge(tree, names)
        assert list_images(tree) == fresh


@pytest.mark.parametrize(
    "changes",
    [
        {"counts": [-1, 1, 1]},
        {"counts": [1]},
        {"counts": ["1", "0", "0"]},
        {"counts": None},
        {"classes": ["a", 2, "c"]},
        {"files": "../../../../etc/passwd"},
        {"sha256": {}},
        {"folders": [["\0", [1, 2, 3]]]},
        {"folders": [["", [1, 2]]]},
        {"ignored": {".txt": 1e30}},
        {"version": 1},
    ],
)
def test_a_forged_listing_of_other_values_is_listed_again(
    tree: Path, changes: dict[str, object]
) -> None:
    list_images(tree)
    fresh, _ = list_tree(tree)
    forge(tree, [b"cat/1.jpg"], **changes)
    assert list_images(tree) == fresh


def test_a_kept_listing_that_is_no_group_of_values_is_listed_again(tree: Path) -> None:
    fresh = list_images(tree)
    index = cache_folder_of(tree) / "listing.json"
    for text in ("[]", "null", '{"value": {}}', "[" * 100_000, "1" * 10_000, "\ud800"):
        index.write_bytes(text.encode("utf-8", "surrogatepass"))
        assert list_images(tree) == fresh
    write_checked(index, [])
    assert list_images(tree) == fresh


def test_a_kept_listing_is_never_written_through_a_link(tree: Path, tmp_path: Path) -> None:
    list_images(tree)
    (index,) = cache_folder_of(tree).glob("listing.json")
    index.write_text("{}")
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for path in cache_folder_of(tree).glob("*.npy"):
        path.unlink()
        path.symlink_to(precious)
    assert list_images(tree) == list_tree(tree)[0]
    assert precious.read_text() == "mine"
