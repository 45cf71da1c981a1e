"""Evaluation requests: the flags of `resnext evaluate`, converted to a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.api.checks import check_choice, check_ranges
from resnext.data.config import MAX_SIDE_PX, MAX_WORKERS, DataConfig, ViewConfig
from resnext.data.sets.choose_split import SPLITS, SplitChoice
from resnext.data.sets.parse import parse_data

if TYPE_CHECKING:
    from resnext.evaluation.target import Protocol


@dataclass(frozen=True)
class EvaluateRequest:
    """A requested evaluation; the defaults repeat the validation of training.

    Attributes:
        data: The data set, as for `--data` or as settings; by default the run's own.
        split: Split to use.
        size: Side of the crop in pixels.
        resize: Short side to which files are resized before the crop.
        ten_crop: Average over crops of the corners and the centre, each also mirrored.
        flip: Average over the image and its mirror image.
        real: ImageNet's reassessed labels, the official file.
        imagenet_v2: Whether the data set is an ImageNet-V2 folder.
        all_classes: Predict among all classes of the network.
        batch_size: Batch size of crops.
        workers: Number of processes that decode files.
    """

    data: str | DataConfig | None = None
    split: SplitChoice | None = None
    size: int | None = None
    resize: int | None = None
    ten_crop: bool = False
    flip: bool = False
    real: Path | None = None
    imagenet_v2: bool = False
    all_classes: bool = False
    batch_size: int | None = None
    workers: int | None = None


def build_protocol(request: EvaluateRequest) -> Protocol:
    """Convert a request to a protocol.

    Raises:
        ConfigError: A flag is wrong.
    """
    from resnext.evaluation.target import Protocol

    side = (1, MAX_SIDE_PX)
    ranges = {"size": side, "resize": side, "batch_size": (1, None), "workers": (0, MAX_WORKERS)}
    check_ranges(request, ranges)
    check_choice("split", request.split or "val", SPLITS)
    view = None
    if any((request.size, request.resize, request.ten_crop, request.flip)):
        view = ViewConfig(
            size_px=request.size,
            resize_px=request.resize,
            ten_crop=request.ten_crop,
            flip=request.flip,
        )
    return Protocol(
        data=_data(request),
        split=request.split or "val",
        view=view,
        real=request.real,
        imagenet_v2=request.imagenet_v2,
        all_classes=request.all_classes,
    )


def is_kept_in_run(run: Path, protocol: Protocol) -> bool:
    """Return whether results go to the run folder, as it repeats its own validation."""
    from resnext.evaluation.target import Protocol

    return protocol == Protocol() and run.is_dir()


def _data(request: EvaluateRequest) -> DataConfig | None:
    if request.data is None or isinstance(request.data, DataConfig):
        return request.data
    return parse_data(request.data, is_whole=request.split is None)
