"""Predictions for any number of images, with only a few in memory."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
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
    """The prediction for one image.

    Attributes:
        index: Position of the image in the input, from 0.
        path: Its file, if it has one.
        answer: The answer; None for a bad file.
        error: Why the image could not be read, or None.
        text: The text itself, of a network for text.
    """

    index: int
    path: Path | None = None
    answer: Answer | None = None
    error: str | None = None
    text: str | None = None

    @property
    def name(self) -> str:
        """The path of the file, or the number of an image without one."""
        return f"image {self.index}" if self.path is None else str(self.path)

    @property
    def ranked(self) -> tuple[ClassScore, ...]:
        """The most probable classes or labels, best first; empty for a bad file."""
        return () if self.answer is None else self.answer.ranked

    @property
    def label(self) -> str:
        """Name of the most probable class or label.

        Raises:
            DataError: The image could not be read, or the task names no classes.
        """
        return self._best().name

    @property
    def probability(self) -> float:
        """Probability of the most probable class or label, 0..1.

        Raises:
            DataError: As `label`.
        """
        return self._best().probability

    def _best(self) -> ClassScore:
        if not self.ranked:
            reason = self.error or "the answer has no classes; see its attributes"
            raise DataError(f"{self.name}: {reason}")
        return self.ranked[0]


def predict_images(
    predictor: Predictor,
    images: Iterable[object],
    *,
    top: int | None = None,
    batch_size: int = 32,
    min_score: float | None = None,
) -> Iterator[Prediction]:
    """Predict images one by one in the given order, including bad files.

    While the network computes one batch, a few threads decode the next. At most these two
    batches are in memory, whatever the number of images.

    Args:
        predictor: The network.
        images: Paths of image files (see `find_images`), or what `to_photo` takes.
        top: Number of classes to return, at most all, or of objects; None is the usual number.
        batch_size: Images per batch.
        min_score: Of detectors: objects with lower scores are left out; None is the usual limit.

    Raises:
        ConfigError: `top` is not positive, `min_score` does not suit the network or is not within
            0 to 1, or an input is not an image.
    """
    top = predictor.answers.usual_top if top is None else top
    if top < 1:
        raise ConfigError(f"top={top}: give a positive number of classes")
    if min_score is not None and predictor.preprocessor.detector is None:
        raise ConfigError(
            f"min_score={min_score}: this network does not find objects; leave it out"
        )
    if min_score is not None and not 0 <= min_score <= 1:
        raise ConfigError(f"min_score={min_score}: give a score of 0 to 1")
    if predictor.preprocessor.keeps_size:
        batch_size = 1  # images keep their size, which may be large
    rows = _predict(predictor, enumerate(images), top, batch_size)
    return (_limited(row, top, min_score) for row in rows)


def _limited(row: Prediction, top: int, min_score: float | None) -> Prediction:
    return row if row.answer is None else replace(row, answer=row.answer.limited(top, min_score))


def _predict(
    predictor: Predictor, images: Iterator[tuple[int, object]], top: int, batch_size: int
) -> Iterator[Prediction]:
    preprocessor = predictor.preprocessor

    def read(image: object) -> Pixels:
        if isinstance(image, Path):
            return preprocessor.pixels(preprocessor.read(image))
        return preprocessor.pixels(preprocessor.take(image))

    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        ahead: deque[_Waiting] = deque()
        try:
            while True:
                wanted = 2 * batch_size - len(ahead)
                ahead.extend(
                    (Prediction(index, image if isinstance(image, Path) else None), future)
                    for index, image in islice(images, wanted)
                    for future in (pool.submit(read, image),)
                )
                if not ahead:
                    return
                batch = [ahead.popleft() for _ in range(min(batch_size, len(ahead)))]
                yield from _predict_batch(predictor, batch, top)
        finally:  # the caller may stop early: do not decode unused images
            for _, future in ahead:
                future.cancel()


_Waiting = tuple[Prediction, Future[Pixels]]


def _predict_batch(
    predictor: Predictor, batch: Sequence[_Waiting], top: int
) -> Iterator[Prediction]:
    errors: dict[int, str] = {}
    images: list[Pixels] = []
    for row, (_, future) in enumerate(batch):
        try:
            images.append(future.result())
        except DataError as error:
            errors[row] = str(error)
    answers = predictor.answers_to(images, top)
    for row, (asked, _) in enumerate(batch):
        if row in errors:
            yield replace(asked, error=errors[row])
        else:
            yield replace(asked, answer=next(answers))


def find_images(
    paths: Iterable[Path],
    ignored: Counter[str] | None = None,
    accepts: Callable[[os.DirEntry[str]], bool] = is_image,
) -> Iterator[Path]:
    """Walk through files and folders, and yield image files one by one.

    A given path is always yielded, unless it is a folder. In folders, files are recognised by
    extension or, without one, by content; hidden files are skipped. Names are sorted within each
    folder, up to 10,000 at a time, so that a folder of any size needs little memory.

    A folder that cannot be listed is yielded itself; reading it then reports the reason.

    Args:
        paths: Files and folders.
        ignored: Counts the files that are not images, by kind.
        accepts: Returns whether an entry of a folder is yielded; by default images are.
    """
    ignored = Counter() if ignored is None else ignored
    for path in paths:
        if path.is_dir():
            yield from _walk(path, ignored, accepts)
        else:
            yield path


def _walk(
    folder: Path, ignored: Counter[str], accepts: Callable[[os.DirEntry[str]], bool]
) -> Iterator[Path]:
    try:
        entries = os.scandir(folder)
    except OSError:
        yield folder
        return
    with entries:
        while chunk := sorted(islice(entries, _SORTED_TOGETHER), key=lambda entry: entry.name):
            for entry in chunk:
                if entry.is_dir(follow_symlinks=False):  # a link could form a cycle
                    if not entry.name.startswith("."):
                        yield from _walk(folder / entry.name, ignored, accepts)
                elif accepts(entry):
                    yield folder / entry.name
                else:
                    count_ignored(entry.name, ignored)
