"""Predict the classes of any number of image files, keeping only a few in memory."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from resnext.class_lists import readable
from resnext.data.decode.image_names import count_ignored, is_image
from resnext.data.prepare.normalise import normalise
from resnext.data.prepare.preparation import Preparation
from resnext.data.prepare.single import prepare_image, read_image
from resnext.errors import ConfigError, DataError
from resnext.evaluation.whole_images import takes_whole_images
from resnext.model.trained import TrainedNetwork

_SORTED_TOGETHER = 10_000
_MOST_THREADS = 8


@dataclass(frozen=True)
class Prediction:
    """What a network sees in one image file.

    Attributes:
        path: The file.
        classes: The most probable classes, best first; empty for a bad file.
        probabilities: Their probabilities, 0..1.
        error: Why the file could not be read, or None.
    """

    path: Path
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str | None = None


class Predictor:
    """A network with all that is needed to apply it to files."""

    def __init__(self, model: TrainedNetwork, device: torch.device, *, top: int = 5) -> None:
        """Move a network to its device.

        Args:
            model: The network.
            device: Where it runs.
            top: Number of classes to name.

        Raises:
            ConfigError: The network is not for images, or `top` is not positive.
        """
        config = model.config
        if getattr(config, "ndim", 2) != 2 or config.in_channels not in (1, 3):
            raise ConfigError(
                "prediction reads image files, and needs a network of 2 dimensions with 1 or 3 "
                f"channels; this one takes {config.in_channels}"
            )
        if top < 1:
            raise ConfigError(f"top={top}: give a positive number of classes")
        self._module = model.move_to(device)
        self._is_whole = takes_whole_images(model.module)
        self._in_channels = config.in_channels
        self._classes = tuple(readable(name) for name in model.classes)
        self._card = model.card
        self._device = device
        self._top = min(top, config.num_classes)

    def predict(self, paths: Iterable[Path], *, batch_size: int = 32) -> Iterator[Prediction]:
        """Predict file after file, in the order of the paths, bad files included.

        While the network works on one batch, a few threads decode the next; no more than
        these two batches are in memory, whatever the number of paths.

        Args:
            paths: Image files; see `find_images`.
            batch_size: Images that go through the network together.
        """
        source = iter(paths)
        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
            ahead: deque[tuple[Path, Future[torch.Tensor]]] = deque()
            try:
                while True:
                    wanted = 2 * batch_size - len(ahead)
                    ahead.extend((p, pool.submit(self._read, p)) for p in islice(source, wanted))
                    if not ahead:
                        return
                    batch = [ahead.popleft() for _ in range(min(batch_size, len(ahead)))]
                    yield from self._predict_batch(batch)
            finally:  # the reader may stop early: do not decode what nobody wants
                for _, future in ahead:
                    future.cancel()

    def _read(self, path: Path) -> torch.Tensor:
        """Return uint8 c x h x w."""
        if self._is_whole:
            return read_image(path, self._in_channels)
        wanted = Preparation.of_card(self._card)
        return prepare_image(
            path, wanted.size_px, wanted.resize_px, self._in_channels, wanted.interpolation
        )

    def _predict_batch(
        self, batch: Sequence[tuple[Path, Future[torch.Tensor]]]
    ) -> Iterator[Prediction]:
        errors: dict[int, str] = {}
        images: list[torch.Tensor] = []
        for row, (_, future) in enumerate(batch):
            try:
                images.append(future.result())
            except DataError as error:
                errors[row] = str(error.__cause__ or error)  # the row names the file already
        tops = iter(self._classify(images))
        for row, (path, _) in enumerate(batch):
            if row in errors:
                yield Prediction(path, error=errors[row])
            else:
                probabilities, labels = next(tops)
                names = tuple(self._classes[label] for label in labels)
                yield Prediction(path, names, tuple(probabilities))

    def _classify(self, images: list[torch.Tensor]) -> list[tuple[list[float], list[int]]]:
        if not images:
            return []
        card = self._card
        batches = [image.unsqueeze(0) for image in images]  # of their own sizes
        if not self._is_whole:
            batches = [torch.stack(images)]
        with torch.inference_mode():
            logits = [
                self._module(normalise(images_bchw, card.mean, card.std, self._device))
                for images_bchw in batches
            ]
        logits_bk = torch.cat(logits)
        tops = logits_bk.float().softmax(dim=1).topk(self._top, dim=1)
        return list(zip(tops.values.tolist(), tops.indices.tolist(), strict=True))


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
