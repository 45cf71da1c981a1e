"""Three ways to print predictions as they come: a table, JSON, CSV."""

from __future__ import annotations

import csv
import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self, TextIO

from rich.table import Column, Table
from rich.text import Text

from resnext.inference.files import Prediction
from resnext.terminal import create_console
from resnext.untrusted.text import csv_cell, printable

_ROWS_PER_TABLE = 32


class Output(ABC):
    """Prints one prediction after another; nothing is kept that has been printed."""

    def __init__(self, stream: TextIO, precision: str) -> None:
        """Begin.

        Args:
            stream: Where to print.
            precision: Of the arithmetic, which is part of every answer.
        """
        self._stream = stream
        self._precision = precision

    @abstractmethod
    def write(self, row: Prediction) -> None:
        """Print one prediction."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Print what ends the output, unless an error cut it short."""
        self._stream.flush()


class JsonOutput(Output):
    """One JSON list, an object a line."""

    def __init__(self, stream: TextIO, precision: str) -> None:
        super().__init__(stream, precision)
        self._num_rows = 0

    def write(self, row: Prediction) -> None:
        """Print one object of the list."""
        pairs = zip(row.classes, row.probabilities, strict=True)
        value = {
            "path": str(row.path),
            "predictions": [{"class": name, "probability": share} for name, share in pairs],
            "error": row.error,
            "precision": self._precision,
        }
        self._stream.write((",\n" if self._num_rows else "[\n") + json.dumps(value))
        self._num_rows += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the list; one that an error cut short stays open, so that nobody takes it."""
        if kind is None:
            self._stream.write("\n]\n" if self._num_rows else "[]\n")
        super().__exit__(kind)


class CsvOutput(Output):
    """A header and a line for each class of each image; a bad file has one line."""

    def __init__(self, stream: TextIO, precision: str) -> None:
        super().__init__(stream, precision)
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(["path", "rank", "class", "probability", "error", "precision"])

    def write(self, row: Prediction) -> None:
        """Print the lines of one image."""
        path = readable(row.path)
        if row.error is not None:
            self._write_row(path, "", "", "", row.error)
        for rank, (name, share) in enumerate(zip(row.classes, row.probabilities, strict=True), 1):
            self._write_row(path, rank, name, share, "")

    def _write_row(self, *cells: object) -> None:
        self._writer.writerow(map(csv_cell, (*cells, self._precision)))


class TableOutput(Output):
    """Tables of some rows each, for people."""

    def __init__(self, stream: TextIO, precision: str) -> None:
        super().__init__(stream, precision)
        self._console = create_console(file=stream)
        self._rows: list[Prediction] = []

    def write(self, row: Prediction) -> None:
        """Print the row with the next table."""
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_TABLE:
            self._print_table()

    def __exit__(self, *_: Any) -> None:
        """Print the rows that are left, also when an error ends the output."""
        self._print_table()

    def _print_table(self) -> None:
        if not self._rows:
            return
        table = Table(Column("image", overflow="fold"), "class", "probability", "next")
        if self._precision != "fp32":
            table.caption = f"computed in {self._precision}"
        for row in self._rows:
            table.add_row(readable(row.path), *_cells(row))
        self._console.print(table)
        self._rows = []


def _cells(row: Prediction) -> tuple[Text, Text, Text]:
    """Return the best class, its probability and the classes after it."""
    if row.error is not None:
        return Text("cannot be read", "red"), Text(), Text(printable(row.error), "red")
    shares = [f"{100 * share:.1f} %" for share in row.probabilities]
    after = (f"{n} {s}" for n, s in zip(row.classes[1:], shares[1:], strict=True))
    names = Text(printable(row.classes[0]), "bold"), Text(printable(", ".join(after)))
    return names[0], Text(shares[0], justify="right"), names[1]


def readable(path: Path) -> str:
    """Return a path that can be printed, whatever bytes its name is made of."""
    return printable(os.fsencode(path).decode("utf-8", "replace"))
