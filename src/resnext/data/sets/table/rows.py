"""Reads the rows of CSV, TSV or Parquet files in bounded memory."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.errors import DataError
from resnext.extras import needed_by
from resnext.untrusted.names import shown
from resnext.untrusted.parse import read_bytes

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MAX_TEXT_BYTES = 2**28
MAX_ROWS = 20_000_000
_MAX_COLUMNS = 10_000
_SAMPLE_BYTES = 2**16
_LIMIT_LOCK = threading.Lock()


@dataclass(frozen=True)
class TextTable:
    """A table in a text file.

    Attributes:
        columns: Column names from the first row.
        rows: The other rows, with the number of their last line.
    """

    columns: list[str]
    rows: list[tuple[int, list[str]]]

    def column(self, name: str) -> list[str]:
        """Return the cells of a column; missing cells are empty."""
        index = self.columns.index(name)
        return [row[index].strip() if index < len(row) else "" for _, row in self.rows]


def read_text_table(path: Path, noun: str = "image", min_columns: int = 2) -> TextTable:
    """Read a CSV or TSV file in UTF-8, separated by commas, semicolons or tabs.

    Args:
        path: The file.
        noun: What its rows describe, for messages.
        min_columns: Columns accepted at least.

    Raises:
        DataError: It cannot be read, is not such a table, or has no rows.
    """
    data = _read_utf8(path)
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(data)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        with _long_cells():
            header = next(reader, [])
            rows = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from None
    columns = [name.strip() for name in header]
    if not min_columns <= len(columns) <= _MAX_COLUMNS or len(rows) > MAX_ROWS:
        raise DataError(
            f"{path}: {len(columns):,} columns and {len(rows):,} rows; accepted is a first row "
            f"with {min_columns} to {_MAX_COLUMNS:,} column names, separated by commas, semicolons "
            f"or tabs, and at most {MAX_ROWS:,} rows, one for each {noun}"
        )
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise DataError(f"{path}: two columns are called {shown(twice)}; rename one of them")
    if not rows:
        raise DataError(f"{path} has no rows below its column names")
    mark = {",": "commas", ";": "semicolons", "\t": "tabs"}[delimiter]
    check_widths(path, columns, rows, f"put cells that contain {mark} between quotation marks")
    return TextTable(columns, rows)


def check_widths(
    path: Path, columns: Sequence[str], rows: Sequence[tuple[int, list[str]]], remedy: str
) -> None:
    """Refuse rows with more cells than there are columns: each would lie in a wrong column.

    Args:
        path: The file.
        columns: Column names.
        rows: The rows, with their lines; empty cells at the end are accepted.
        remedy: What to do, for the message.

    Raises:
        DataError: There are such rows; the message names the first one.
    """
    num = len(columns)
    wide = [(line, row) for line, row in rows if any(cell.strip() for cell in row[num:])]
    if wide:
        line, row = wide[0]
        raise DataError(
            f"{path}, line {line}: {len(row):,} cells, but the first row has {num:,} "
            f"{'name' if num == 1 else 'names'}; {len(wide):,} of {len(rows):,} rows are like "
            f"that; {remedy}"
        )


@contextmanager
def _long_cells() -> Iterator[None]:
    """Accept cells of any size, as the file itself is bounded.

    The limit of the `csv` module is one of the whole process, which has it back afterwards.
    """
    with _LIMIT_LOCK:
        usual = csv.field_size_limit(MAX_TEXT_BYTES)
        try:
            yield
        finally:
            csv.field_size_limit(usual)


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a CSV, TSV or Parquet file.

    Raises:
        ConfigError: pyarrow is needed and not installed.
        DataError: It is not such a table.
    """
    if path.suffix.lower() != ".parquet":
        return read_text_table(path).columns
    with open_parquet(path) as file:
        return list(file.schema_arrow.names)


def _read_utf8(path: Path) -> bytes:
    try:
        data = read_bytes(path, MAX_TEXT_BYTES)
        data.decode("utf-8")  # line by line, a fault would have no place in the file
        return data
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start:,}); save the table in UTF-8"
        ) from None
    except ValueError as error:
        raise DataError(f"{path} {error}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


def _delimiter(data: bytes) -> str:
    """Return the most frequent separator in the first row."""
    first = data[:_SAMPLE_BYTES].partition(b"\n")[0]
    return max(",;\t", key=lambda mark: first.count(mark.encode()))


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: The file cannot be read or is not a Parquet file.
    """
    with needed_by(f"{path}: reading Parquet files"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    try:
        file = pq.ParquetFile(path, memory_map=True)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    except pa.ArrowException as error:
        raise DataError(f"{path} is not a Parquet file: {error}") from None
    if file.metadata.num_rows > MAX_ROWS or file.metadata.num_rows < 1:
        raise DataError(f"{path}: {file.metadata.num_rows:,} rows; accepted are 1 to {MAX_ROWS:,}")
    return file


def parquet_values(file: pq.ParquetFile, column: str, path: Path) -> Sequence[Any]:
    """Return the values of one column, as Python values.

    Raises:
        DataError: The file is damaged.
    """
    import pyarrow as pa

    try:
        values: list[Any] = file.read(columns=[column]).column(0).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}, column {shown(column)}: {error}") from None
    return values
