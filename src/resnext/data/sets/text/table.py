"""The columns of a TSV, CSV or Parquet file of texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.data.sets.table.parquet import cell_text, class_names
from resnext.data.sets.table.rows import (
    MAX_ROWS,
    MAX_TEXT_BYTES,
    TextTable,
    check_widths,
    open_parquet,
    parquet_values,
    read_text_table,
)
from resnext.errors import DataError
from resnext.untrusted.names import shown
from resnext.untrusted.parse import read_bytes

if TYPE_CHECKING:
    import pyarrow.parquet as pq

TABLE_SUFFIXES = (".tsv", ".csv", ".parquet")
_MAX_COLUMN_BYTES = 2**30


class TextFile(ABC):
    """A table whose columns are read one by one.

    Attributes:
        path: The file.
        columns: Names of its columns.
    """

    path: Path
    columns: list[str]

    @abstractmethod
    def column(self, name: str) -> list[str]:
        """Return the cells of a column as text; what is not there is empty."""

    @abstractmethod
    def row(self, index: int) -> str:
        """Return where a row is, for messages."""

    def class_order(self, name: str) -> list[str]:
        """Return the classes of a column in order, if the file says it."""
        del name
        return []


def open_table(path: Path) -> TextFile:
    """Open a file of texts.

    Raises:
        ConfigError: pyarrow is needed and not installed.
        DataError: The file is not what is accepted.
    """
    suffix = path.suffix.lower()
    if suffix == ".tsv":
        return _Lines(path, _read_tsv(path))
    if suffix == ".csv":
        return _Lines(path, read_text_table(path, "text", min_columns=1))
    if suffix == ".parquet":
        return _Parquet(path)
    raise DataError(
        f"{path} is not a table of texts by its name; accepted are files that end in "
        f"{', '.join(TABLE_SUFFIXES)}, such as text:reviews.tsv, or a folder of train, dev and "
        "test files"
    )


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file in UTF-8.

    Only line feeds separate lines: other line breaks of Unicode may be part of a text.

    Raises:
        DataError: It cannot be read, is too large, or is not UTF-8.
    """
    try:
        text = read_bytes(path, MAX_TEXT_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start:,}); convert it, for example with "
            "iconv -f latin1 -t utf-8"
        ) from None
    except ValueError as error:
        raise DataError(f"{path} {error}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    return [line.removesuffix("\r") for line in text.split("\n")]


class _Lines(TextFile):
    def __init__(self, path: Path, table: TextTable) -> None:
        self.path, self.columns = path, table.columns
        self._table = table

    def column(self, name: str) -> list[str]:
        return self._table.column(name)

    def row(self, index: int) -> str:
        return f"line {self._table.rows[index][0]}"


class _Parquet(TextFile):
    def __init__(self, path: Path) -> None:
        self.path = path
        with open_parquet(path) as file:
            self.columns = list(file.schema_arrow.names)
            self._sizes = _column_bytes(file)

    def column(self, name: str) -> list[str]:
        if self._sizes.get(name, 0) > _MAX_COLUMN_BYTES:
            raise DataError(
                f"{self.path}, column {shown(name)}: more than {_MAX_COLUMN_BYTES:,} bytes"
            )
        with open_parquet(self.path) as file:
            order = class_names(file, name)
            return [cell_text(value, order) for value in parquet_values(file, name, self.path)]

    def row(self, index: int) -> str:
        return f"row {index}"

    def class_order(self, name: str) -> list[str]:
        with open_parquet(self.path) as file:
            return class_names(file, name)


def _column_bytes(file: pq.ParquetFile) -> dict[str, int]:
    """Return the bytes that each column takes when unpacked."""
    sizes: dict[str, int] = {}
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group)
        for index in range(rows.num_columns):
            part = rows.column(index)
            name = part.path_in_schema.partition(".")[0]
            sizes[name] = sizes.get(name, 0) + part.total_uncompressed_size
    return sizes


def _read_tsv(path: Path) -> TextTable:
    """Read lines separated by tabs; a quotation mark is part of the text.

    A cell that is quoted as a whole, as spreadsheets and pandas do where it contains quotation
    marks, is unquoted.
    """
    lines = read_lines(path)
    columns = [_unquoted(name).strip() for name in lines[0].split("\t")]
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise DataError(f"{path}: two columns are called {shown(twice)}; rename one of them")
    rows = [
        (number, [_unquoted(cell) for cell in line.split("\t")])
        for number, line in enumerate(lines[1:], 2)
        if line.strip()
    ]
    if not rows or len(rows) > MAX_ROWS:
        raise DataError(
            f"{path}: {len(rows):,} rows below its first one; accepted is a first row with column "
            f"names and 1 to {MAX_ROWS:,} rows of texts"
        )
    check_widths(path, columns, rows, "replace the tabs within texts by blanks")
    return TextTable(columns, rows)


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    if is_quoted and inner.count('"') == 2 * inner.count('""'):
        return inner.replace('""', '"')
    return cell
