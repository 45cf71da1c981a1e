"""`resnext.predict`: prediction in Python, for images in many forms."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from PIL import Image

from resnext.api.checks import check_choice, check_number
from resnext.api.given_data import as_path
from resnext.api.guest import kept_kernels
from resnext.api.predict_signals import predict_signals_of
from resnext.api.predictor import evaluation_mode, named, open_predictor
from resnext.data.decode.python_image import ACCEPTED, is_array
from resnext.errors import ConfigError
from resnext.inference.files import Prediction, find_images, predict_images
from resnext.inference.load import load
from resnext.progress import show_progress
from resnext.runtimes.spec import Arithmetic
from resnext.tasks.answer import Answer

if TYPE_CHECKING:
    from resnext.api.run import Run
    from resnext.data.decode.python_image import ImageInput
    from resnext.model.trained import TrainedNetwork

_MAX_BATCH = 65_536  # twice as many decoded images are in memory
_NUM_DIMENSIONS = 3


class Predictions(list[Prediction]):
    """One prediction per image, in the given order."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows as in `--csv`, for `pandas.DataFrame`: one per returned class.

        An unreadable image has one row with its `error`.
        """
        rows: list[dict[str, Any]] = []
        for found in self:
            if found.answer is None:
                rows.append({"image": found.name, "error": found.error})
                continue
            columns = found.answer.csv_columns
            for cells in found.answer.csv_rows():
                row = dict(zip(columns, cells, strict=True))
                rows.append({"image": found.name, **row, "error": None})
        return rows


def predict(
    model: str | Path | TrainedNetwork | Run,
    images: ImageInput | Iterable[ImageInput],
    *,
    top: int | None = None,
    min_score: float | None = None,
    batch_size: int = 32,
    device: str | None = None,
    precision: Arithmetic | None = None,
    progress: bool = False,
) -> Predictions:
    """Predict the classes of images or signals, of pixels, or the objects in images.

    Example:
        >>> import resnext
        >>> found = resnext.predict("runs/photos", "cat.jpg")  # doctest: +SKIP
        >>> found[0].label, found[0].probability  # doctest: +SKIP
        >>> rows = resnext.predict("runs/photos", ["folder/", "dog.png"]).rows  # doctest: +SKIP
        >>> (cells,) = resnext.predict("runs/cells", "a.jpg", min_score=0.7)  # doctest: +SKIP
        >>> [(one.name, one.score, one.box) for one in cells.answer.objects]  # doctest: +SKIP

    Args:
        model: A run, a weight file, an exported file, or a name from `resnext weights list`, as
            string or path; or a result of `load`, whose training mode is restored.
        images: One image or any iterable of images, including generators, of which only two batches
            are held at a time. An image is a path (for a folder, all images in it), the bytes of a
            file, a PIL image, an array of H x W or H x W x 1, 3 or 4, or a tensor of H x W or 1, 3
            or 4 x H x W: uint8, or floats in 0..1. Arrays with one more dimension are batches.
            Images are resized, cropped and normalised as the network expects. For a network for
            signals: texts; paths of files and folders; the content of audio and video files; or
            arrays of channels x steps, channels x depth x height x width, or channels x samples at
            the network's rate (-1 to 1, or int16), where one channel needs no dimension.
        top: Number of classes to return for each image, if they are ranked, by default 5; of a
            detector, maximum number of objects, by default 100.
        min_score: Of detectors: objects with lower scores, 0..1, are left out; by default 0.5.
        batch_size: Batch size.
        device: auto, cpu, cuda, cuda:N or mps; by default auto, or that of the network. A loaded
            network is moved to it.
        precision: fp32 or bf16; by default fp32, or that of an exported file.
        progress: Show progress on standard error.

    Returns:
        One prediction per image: `label` and `probability` of the best class, `ranked` classes,
        `answer` with the complete result of the task, or `error` if a file could not be read.

    Raises:
        ConfigError: Something is not what the network takes, or an option is out of range.
        CheckpointError: The weights are missing or damaged.
    """
    from resnext.api.run import Run

    if isinstance(model, Run):
        model = model.model
    check_number("batch_size", batch_size, 1, _MAX_BATCH)
    check_number("top", top, 1)
    if precision is not None:
        check_choice("precision", precision, get_args(Arithmetic))
    source = named(model)
    found = Predictions()
    with (
        kept_kernels(),
        evaluation_mode(source),
        show_progress(quiet=not progress) as advance,
    ):
        network = load(source, precision=precision) if isinstance(source, Path) else source
        if network.card.signal is not None:
            if min_score is not None:
                raise ConfigError(
                    f"min_score={min_score}: this network does not find objects; leave it out"
                )
            place = device or ("auto" if isinstance(source, Path) else None)
            num = Answer.usual_top if top is None else top
            rows = predict_signals_of(network, images, num, batch_size, place, precision)
        else:
            predictor = open_predictor(source, device, precision, opened=network)
            rows = predict_images(
                predictor, _each(images), top=top, batch_size=batch_size, min_score=min_score
            )
        for one in rows:
            found.append(one)
            if advance is not None:
                advance(1)
    return found


def _each(images: object) -> Iterator[object]:
    """Yield the given images one by one: paths as `Path`, with folders expanded."""
    if isinstance(images, str | os.PathLike):
        yield from find_images([as_path("images", images)])
    elif isinstance(images, bytes | bytearray | memoryview | Image.Image) or (
        is_array(images) and images.ndim <= _NUM_DIMENSIONS
    ):
        yield images
    elif isinstance(images, Iterable):
        for image in images:
            yield from _each(image)
    else:
        raise ConfigError(f"images of type {type(images).__name__}: give {ACCEPTED}, or many")
