"""Prints predictions as a table, JSON or CSV, as they become available."""

from __future__ import annotations

import csv
import json
import os
import re
from abc import ABC, abstractmethod
from typing import Any, Literal, Self, TextIO

from rich.table import Column, Table
from rich.text import Text

from resnext.inference.files import Prediction
from resnext.tasks.answer import Answer
from resnext.terminal import create_console
from resnext.untrusted.text import csv_cell, printable

_ROWS_PER_TABLE = 32


class Output(ABC):
    """Prints predictions one by one, without keeping them."""

    def __init__(self, stream: TextIO, answers: type[Answer], precision: str) -> None:
        """Start the output.

        Args:
            stream: Where to print.
            answers: The type of the answers.
            precision: Precision of the computation, part of every answer.
        """
        self._stream, self._answers, self._precision = stream, answers, precision

    @abstractmethod
    def write(self, row: Prediction) -> None:
        """Print one prediction."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Print the end of the output, unless an error interrupted it."""
        self._stream.flush()


class JsonOutput(Output):
    """One JSON list, with one object per line."""

    def __init__(self, stream: TextIO, answers: type[Answer], precision: str) -> None:
        super().__init__(stream, answers, precision)
        self._num_rows = 0

    def write(self, row: Prediction) -> None:
        """Print one object of the list."""
        found = self._answers.nothing() if row.answer is None else row.answer.as_dict()
        value = {
            "path": row.name if row.text is None else row.path and str(row.path),
            **({} if row.text is None else {"text": row.text}),
            **found,
            "error": row.error,
            "precision": self._precision,
        }
        self._stream.write((",\n" if self._num_rows else "[\n") + json.dumps(value))
        self._num_rows += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the list; after an error it stays open and therefore invalid."""
        if kind is None:
            self._stream.write("\n]\n" if self._num_rows else "[]\n")
        super().__exit__(kind)


class CsvOutput(Output):
    """A header and lines for each image; a bad file has one line."""

    def __init__(self, stream: TextIO, answers: type[Answer], precision: str) -> None:
        super().__init__(stream, answers, precision)
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(["path", *answers.csv_columns, "error", "precision"])

    def write(self, row: Prediction) -> None:
        """Print the lines of one image."""
        path = _shown(row)
        if row.answer is None:
            self._write_row(path, *[""] * len(self._answers.csv_columns), row.error)
            return
        for cells in row.answer.csv_rows():
            self._write_row(path, *cells, "")

    def _write_row(self, *cells: object) -> None:
        self._writer.writerow(map(csv_cell, (*cells, self._precision)))


class TableOutput(Output):
    """Human-readable tables of a few rows each."""

    def __init__(self, stream: TextIO, answers: type[Answer], precision: str) -> None:
        super().__init__(stream, answers, precision)
        self._console = create_console(file=stream)
        self._rows: list[Prediction] = []

    def write(self, row: Prediction) -> None:
        """Print the row with the next table."""
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_TABLE:
            self._print_table()

    def __exit__(self, *_: Any) -> None:
        """Print the remaining rows, also after an error."""
        self._print_table()

    def _print_table(self) -> None:
        if not self._rows:
            return
        first, *others = self._answers.table_columns
        noun = "image" if self._rows[0].text is None else "text"
        table = Table(Column(noun, overflow="fold"), first, *others)
        if self._precision != "fp32":
            table.caption = f"computed in {self._precision}"
        for row in self._rows:
            table.add_row(Text(_shown(row)), *_cells(row, len(others)))
        self._console.print(table)
        self._rows = []


def _cells(row: Prediction, num_others: int) -> list[Text]:
    """Return the cells of an answer, the first in bold, or the error."""
    if row.answer is None:
        blanks = [Text()] * (num_others - 1)
        return [Text("cannot be read", "red"), *blanks, Text(printable(row.error or ""), "red")]
    first, *others = map(printable, row.answer.table_cells())
    return [Text(first, "bold"), *(Text(cell, justify=_side(cell)) for cell in others)]


def _side(cell: str) -> Literal["left", "right"]:
    return "right" if re.fullmatch(r"[\d.]+ %", cell) else "left"


def _shown(row: Prediction) -> str:
    """Return what a prediction is about: the text, or the path."""
    return readable(row.name) if row.text is None else printable(row.text)


def readable(path: str) -> str:
    """Return a printable form of a path with any bytes."""
    return printable(os.fsencode(path).decode("utf-8", "replace"))
