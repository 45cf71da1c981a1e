"""Identical files in training and validation."""

from pathlib import Path

from resnext.data.sets.duplicates import find_duplicates


def _write(root: Path, **files: bytes) -> Path:
    for name, content in files.items():
        (root / name).write_bytes(content)
    return root


def test_files_are_compared_by_content_and_not_by_name_or_size(tmp_path: Path) -> None:
    root = _write(tmp_path, a=b"one", b=b"two", c=b"longer", d=b"two", e=b"six", f=b"longer")
    assert find_duplicates(root, ["a", "b", "c"], root, ["d", "e", "f"]) == [("b", "d"), ("c", "f")]


def test_empty_and_missing_files_equal_no_other(tmp_path: Path) -> None:
    root = _write(tmp_path, a=b"", b=b"")
    assert find_duplicates(root, ["a", "missing"], root, ["b", "gone"]) == []
