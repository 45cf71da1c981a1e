"""Answers for texts, given one by one or in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, islice
from pathlib import Path

from resnext.data.sets.text.read import find_text_column
from resnext.data.sets.text.table import TextFile, open_table, read_lines
from resnext.data.signals.tokens import encode_texts, normalise_text
from resnext.errors import ConfigError, DataError
from resnext.inference.files import Prediction
from resnext.inference.signal_files import find_signals, refuse_folder
from resnext.inference.signals import SignalPredictor
from resnext.tasks.answer import Answer
from resnext.untrusted.names import list_names, shown

Named = tuple[Path | None, str]
"""A text, and its file with its number where it comes from one."""


def predict_texts(
    predictor: SignalPredictor,
    texts: Iterable[str] = (),
    paths: Iterable[Path] = (),
    *,
    top: int = 5,
    batch_size: int = 32,
) -> Iterator[Prediction]:
    """Predict texts, then those of file after file, in their order, bad files included.

    Args:
        predictor: A network for text.
        texts: Texts.
        paths: Tables with a column of texts, `.txt` files with a text in each line, and folders to
            search for them.
        top: Number of classes to name, at most all.
        batch_size: Texts that go through the network together.

    Raises:
        ConfigError: The network is not for text, or a text is empty.
    """
    if predictor.signal.text is None:
        raise ConfigError(
            f"this network takes a {predictor.signal.kind} of {predictor.signal.shape}, not text"
        )
    given = [(None, normalise_text(text)) for text in texts]
    if not all(text for _, text in given):
        raise ConfigError("--text: a text is empty; give at least one character")
    numbers = count()
    columns = predictor.signal.columns
    named = None if columns is None else columns.text
    files = chain.from_iterable(_read(path, named) for path in find_signals(paths, "text"))
    rows: Iterator[Named | Prediction] = chain(given, files)
    while batch := list(islice(rows, batch_size)):
        answers = _answers(predictor, [row for row in batch if isinstance(row, tuple)], top)
        for row in batch:
            if isinstance(row, tuple):
                path, text = row
                yield Prediction(next(numbers), path, next(answers), text=text)
            else:
                yield Prediction(next(numbers), row.path, error=row.error)


def _answers(predictor: SignalPredictor, rows: Sequence[Named], top: int) -> Iterator[Answer]:
    if not rows:
        return
    signal = predictor.signal
    assert signal.text is not None
    tokens_b1l = encode_texts([text for _, text in rows], signal.text, signal.size)
    for row_k in predictor.logits(tokens_b1l):
        yield predictor.answer(row_k, top)


def _read(path: Path, named: str | None) -> Iterator[Named | Prediction]:
    """Yield the texts of a file; one row with the reason where it cannot be read."""
    try:
        refuse_folder(path, "text")
        if path.suffix.lower() == ".txt":
            texts = read_lines(path)
        else:
            table = open_table(path)
            texts = table.column(_column(table, named))
    except DataError as error:
        yield Prediction(0, path, error=str(error))
        return
    for number, text in enumerate(texts):
        name = path.parent / f"{path.name}[{number}]"
        if clean := normalise_text(text):
            yield name, clean
        elif path.suffix.lower() != ".txt":
            yield Prediction(0, name, error="the row has no text")


def _column(table: TextFile, named: str | None) -> str:
    """Return the column of texts: that of training, the only one, or one of a usual name."""
    if len(table.columns) == 1:
        return table.columns[0]
    if named is not None:
        if named in table.columns:
            return named
        raise DataError(
            f"no column is called {shown(named)}, as that of the texts in training; it has "
            f"{list_names(table.columns, 20, shown)}"
        )
    try:
        return find_text_column(table, None)
    except DataError:
        raise DataError(
            f"no column has a usual name such as text or sentence, only "
            f"{list_names(table.columns, 20, shown)}; rename one of them"
        ) from None
