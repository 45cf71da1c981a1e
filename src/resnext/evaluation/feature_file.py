"""Writes features to a Parquet file atomically, one row group at a time.

Legend: b rows, d features.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.errors import DataError, RunError
from resnext.extras import import_for
from resnext.files import replacing

GROUP_BYTES = 16 * 2**20
"""Maximum size of the embeddings of a row group; writing needs a few times this memory."""


@dataclass(frozen=True)
class FeatureRows:
    """Some rows of the file, all of one split.

    Attributes:
        split: Name of the split.
        keys: Path of each image relative to the root of its data set; for images in memory, its
            index in the split.
        labels_b: Classes, int64.
        features_bd: Embeddings, float32.
    """

    split: str
    keys: Sequence[str] | Sequence[int]
    labels_b: NDArray[np.int64]
    features_bd: NDArray[np.float32]


@dataclass(frozen=True)
class Written:
    """Size of a written file.

    Attributes:
        num_rows: Number of images.
        dimension: Number of features per image.
    """

    num_rows: int
    dimension: int


def check_pyarrow() -> None:
    """Check early that Parquet files can be written.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    import_for("writing Parquet files", "pyarrow.parquet")


def write_features(
    path: Path,
    parts: Iterable[FeatureRows],
    *,
    classes: Sequence[str],
    metadata: dict[str, Any],
    group_bytes: int = GROUP_BYTES,
) -> Written:
    """Write a table with one row per image.

    Its columns are `path` or `index`, `label`, `class`, `split` and `embedding`, a list of fixed
    size. Memory use is limited to the rows of one row group and one part.

    Args:
        path: The file; an existing one is replaced when the new one is complete.
        parts: The rows, which are consumed as the file grows.
        classes: Class names, in the order of the labels.
        metadata: JSON values for the file's metadata, by name.
        group_bytes: Maximum size of the embeddings of a row group.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: There are no rows.
        RunError: The file cannot be written.
    """
    pyarrow, parquet = (
        import_for("writing Parquet files", "pyarrow"),
        import_for("writing Parquet files", "pyarrow.parquet"),
    )
    source = iter(parts)
    first = next((part for part in source if len(part.keys)), None)
    if first is None:
        raise DataError("there is no image to embed: the split is empty or unreadable")
    dimension = first.features_bd.shape[1]
    most = max(1, group_bytes // (4 * dimension))
    schema = _schema(pyarrow, first, metadata)
    num_rows = 0
    with (
        _whole_file(path) as partial,
        parquet.ParquetWriter(partial, schema, use_dictionary=["class", "split"]) as writer,
    ):
        for group in _groups(chain([first], source), most):
            num_rows += sum(len(part.keys) for part in group)
            writer.write_table(_table(pyarrow, schema, group, classes), row_group_size=most)
            group.clear()  # it would be held while the next one is collected
    return Written(num_rows, dimension)


def _schema(pyarrow: Any, first: FeatureRows, metadata: dict[str, Any]) -> Any:
    has_paths = isinstance(first.keys[0], str)
    key = ("path", pyarrow.string()) if has_paths else ("index", pyarrow.int64())
    columns = [
        key,
        ("label", pyarrow.int64()),
        ("class", pyarrow.string()),
        ("split", pyarrow.string()),
        ("embedding", pyarrow.list_(pyarrow.float32(), first.features_bd.shape[1])),
    ]
    # Class names may have bytes that are not UTF-8, as odd file names have.
    texts = {name: json.dumps(value) for name, value in metadata.items()}
    return pyarrow.schema(columns, metadata=texts)


def _groups(parts: Iterable[FeatureRows], most: int) -> Iterator[list[FeatureRows]]:
    """Combine parts while they fit in one row group."""
    group: list[FeatureRows] = []
    for part in parts:
        if group and sum(len(held.keys) for held in group) + len(part.keys) > most:
            yield group
            group = []
        group.append(part)
    yield group


def _table(pyarrow: Any, schema: Any, group: list[FeatureRows], classes: Sequence[str]) -> Any:
    labels_n = np.concatenate([part.labels_b for part in group])
    features_nd = np.concatenate([part.features_bd for part in group])
    columns = [
        [_as_utf8(key) for part in group for key in part.keys],
        labels_n,
        [_as_utf8(classes[label]) for label in labels_n.tolist()],
        [part.split for part in group for _ in part.keys],
        pyarrow.FixedSizeListArray.from_arrays(features_nd.reshape(-1), features_nd.shape[1]),
    ]
    arrays = [
        pyarrow.array(column, field.type) if column is not columns[-1] else column
        for column, field in zip(columns, schema, strict=True)
    ]
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def _as_utf8(key: str | int) -> str | int:
    """Replace invalid UTF-8 in a file name, as Parquet requires UTF-8."""
    if isinstance(key, int):
        return key
    return key.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which is renamed on success and removed on failure."""
    try:
        with replacing(path) as partial:
            yield partial
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}; free disk space or choose another "
            "--out"
        ) from None
