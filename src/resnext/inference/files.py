"""Answers for any number of image files, keeping only a few in memory."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from resnext.data.decode.image_names import count_ignored, is_image
from resnext.data.prepare.geometry import Pixels
from resnext.errors import ConfigError, DataError
from resnext.inference.predictor import Predictor
from resnext.tasks.answer import Answer, ClassScore

_SORTED_TOGETHER = 10_000
_MAX_THREADS = 8


@dataclass(frozen=True)
class Prediction:
    """What a network sees in one image file.

    Attributes:
        path: The file.
        answer: What it sees; None for a bad file.
        error: Why the file could not be read, or None.
    """

    path: Path
    answer: Answer | None = None
    error: str | None = None

    @property
    def ranked(self) -> tuple[ClassScore, ...]:
        """The most probable classes or labels, best first; empty for a bad file."""
        return () if self.answer is None else self.answer.ranked


def predict_files(
    predictor: Predictor, paths: Iterable[Path], *, top: int = 5, batch_size: int = 32
) -> Iterator[Prediction]:
    """Predict file after file, in the order of the paths, bad files included.

    While the network works on one batch, a few threads decode the next; no more than
    these two batches are in memory, whatever the number of paths.

    Args:
        predictor: The network.
        paths: Image files; see `find_images`.
        top: Number of classes to name, at most all.
        batch_size: Images that go through the network together.

    Raises:
        ConfigError: `top` is not positive.
    """
    if top < 1:
        raise ConfigError(f"top={top}: give a positive number of classes")
    if predictor.preprocessor.is_dense:
        batch_size = 1  # images keep their own size, which may be large
    return _predict(predictor, iter(paths), top, batch_size)


def _predict(
    predictor: Predictor, paths: Iterator[Path], top: int, batch_size: int
) -> Iterator[Prediction]:
    preprocessor = predictor.preprocessor

    def read(path: Path) -> Pixels:
        return preprocessor.pixels(preprocessor.read(path))

    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        ahead: deque[tuple[Path, Future[Pixels]]] = deque()
        try:
            while True:
                wanted = 2 * batch_size - len(ahead)
                ahead.extend((path, pool.submit(read, path)) for path in islice(paths, wanted))
                if not ahead:
                    return
                batch = [ahead.popleft() for _ in range(min(batch_size, len(ahead)))]
                yield from _predict_batch(predictor, batch, top)
        finally:  # the reader may stop early: do not decode what nobody wants
            for _, future in ahead:
                future.cancel()


def _predict_batch(
    predictor: Predictor, batch: Sequence[tuple[Path, Future[Pixels]]], top: int
) -> Iterator[Prediction]:
    errors: dict[int, str] = {}
    images: list[Pixels] = []
    for row, (_, future) in enumerate(batch):
        try:
            images.append(future.result())
        except DataError as error:
            errors[row] = str(error)
    answers = predictor.answers_to(images, top)
    for row, (path, _) in enumerate(batch):
        if row in errors:
            yield Prediction(path, error=errors[row])
        else:
            yield Prediction(path, next(answers))


def find_images(paths: Iterable[Path], ignored: Counter[str] | None = None) -> Iterator[Path]:
    """Walk over files and folders, yielding image files one by one.

    A path that is given is always yielded, unless it is a folder; in folders, files count
    by their extension or, without one, by their content, and hidden ones do not. Names are
    in order within each folder, up to 10,000 at a time, so that a folder of any size costs
    little memory.

    A folder that cannot be listed is yielded itself; reading it then tells the reason.

    Args:
        paths: Files and folders.
        ignored: Gets how many files of a folder are no images, by their kind.
    """
    ignored = Counter() if ignored is None else ignored
    for path in paths:
        if path.is_dir():
            yield from _walk(path, ignored)
        else:
            yield path


def _walk(folder: Path, ignored: Counter[str]) -> Iterator[Path]:
    try:
        entries = os.scandir(folder)
    except OSError:
        yield folder
        return
    with entries:
        while chunk := sorted(islice(entries, _SORTED_TOGETHER), key=lambda entry: entry.name):
            for entry in chunk:
                if entry.is_dir(follow_symlinks=False):  # a link could lead round in a circle
                    if not entry.name.startswith("."):
                        yield from _walk(folder / entry.name, ignored)
                elif is_image(entry):
                    yield folder / entry.name
                else:
                    count_ignored(entry.name, ignored)
