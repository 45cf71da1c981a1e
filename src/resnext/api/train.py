"""`resnext.train`: training in Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from resnext.api.given_data import GivenData, as_path, open_given
from resnext.api.guest import guest
from resnext.api.run import Run
from resnext.api.settings import as_assignments, check_names
from resnext.api.stopped import hand_on
from resnext.api.train_request import TrainRequest
from resnext.api.train_settings import build_config
from resnext.api.train_start import data_of, start_of
from resnext.data.python_split import MapDataset
from resnext.errors import ConfigError
from resnext.evaluation.run import evaluate_run
from resnext.model.choices import Head
from resnext.model.detector_config import DetectorHead
from resnext.training.display import Display, default_mode
from resnext.training.interrupt import Interrupted
from resnext.training.target import RunTarget
from resnext.training.train import train as train_run

if TYPE_CHECKING:
    from torch.utils.data import DataLoader, Dataset

    from resnext.data.config import DataConfig
    from resnext.data.split import DataSet
    from resnext.model.config import ModelConfig
    from resnext.runs.config import TrainConfig
    from resnext.weights.file import Weights


class TrainFlags(TypedDict, total=False):
    """Options of `resnext train`; see `resnext train --help`."""

    head: Head | DetectorHead
    """Segmentation head for images with masks, or detector for images with boxes."""
    epochs: int
    """Number of epochs; the schedule is scaled to it."""
    batch_size: int
    """Images per step over all processes; the learning rate is scaled accordingly."""
    lr: float
    """Peak learning rate at the recipe's batch size."""
    image_size: int
    """Side of the network's input images, in pixels."""
    seed: int
    """Random seed of initial weights, order and augmentation."""
    weights: str | Path
    """Initial weights: a run, a weight file, a published name or OWNER/NAME on the Hub."""
    pretrained: bool
    """Start from the best published weights for network, images and machine."""
    accept_licence: bool
    """Allow weights that may not be used commercially."""
    freeze_until: int
    """Freeze the stem and this many stages."""
    head_lr_factor: float
    """Multiplier of the head's learning rate."""
    balance: bool
    """Weight all classes equally in the loss."""
    early_stopping: bool | int
    """Epochs to wait for an improved validation error; True waits a fifth of all, at least 5."""
    config: str | Path
    """Read the settings from a run or a YAML file instead of a recipe."""
    continue_: bool
    """With `out`: resume an existing run with the same settings."""
    device: str
    """auto, cpu, cuda, cuda:N or mps."""
    precision: str
    """auto, fp32, bf16 or fp16."""
    compile: bool
    """Compile the network with torch.compile."""
    tune: bool
    """Choose memory layout, compilation and merged groups by speed."""
    threads: int
    """CPU threads of this process during training."""
    workers: int
    """Number of processes that decode files; by default 0 for a dataset."""


def train(
    data: str | Path | DataConfig | Dataset[Any] | MapDataset | DataLoader[Any] | None = None,
    *,
    val: Dataset[Any] | MapDataset | DataLoader[Any] | None = None,
    classes: Sequence[str] | None = None,
    model: str | ModelConfig | None = None,
    recipe: str | None = None,
    out: str | Path | None = None,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = False,
    **flags: Unpack[TrainFlags],
) -> Run:
    """Train a network, evaluate the kept weights, and write the report.

    The same settings and seed give the same weights as `resnext train`, bit for bit. Ctrl-C
    finishes the step, saves and raises KeyboardInterrupt; `open_run(folder).resume()` continues.
    Torch's seeds, threads and kernels are restored afterwards.

    Example:
        >>> import resnext
        >>> run = resnext.train("photos/", epochs=20, name="photos")  # doctest: +SKIP
        >>> run.evaluate().figures["top1_error"]  # doctest: +SKIP
        >>> run.predict("cat.jpg")[0].label  # doctest: +SKIP

    Args:
        data: A data set as for `--data` (a folder of class folders, a table of labels, `digits`,
            ...) as string or path; its settings; or a map-style torch dataset or any sequence of
            pairs of an image and its class number. Images are as for `predict`. A DataLoader
            provides its dataset, batch size and workers. None uses the data of `config`.
        val: A validation dataset; by default a tenth of each class of `data`.
        classes: Names of a dataset's classes, in the order of their numbers; by default
            `data.classes`, or the numbers.
        model: The network, such as `resnext50_32x4d`, or its config; by default chosen for the
            images.
        recipe: Base settings: fast, finetune, modern, imagenet or cifar.
        out: The run folder, new or empty; by default the next free one under `runs/`.
        name: Name of the run folder under `runs/`; numbered if taken.
        settings: Any other setting by dotted name, such as `{"optim.weight_decay": 1e-4}`; as in
            `config.yaml`.
        progress: Show progress on standard error, or in a notebook. Without it nothing is printed.
        flags: Further options; see `TrainFlags`.

    Returns:
        The run. Under `torchrun` every process gets it; the first one evaluates it.

    Raises:
        ConfigError: A setting is unknown, out of range or contradicts another.
        DataError: The images are missing, damaged, or too few to learn from.
        RunError: The folder is not empty, or cannot be written.
        TrainingError: The loss became NaN; or SIGTERM stopped the training.
        ResNeXtError: The initial weights cannot be opened.
        KeyboardInterrupt: Ctrl-C; the state is saved.
    """
    check_names(flags, TrainFlags.__annotations__)
    given = open_given(data, val, classes)
    request = _request(given, flags)
    request = replace(
        request,
        model=model,
        recipe=recipe,
        out=as_path("out", out),
        name=name,
        set=as_assignments(settings),
    )
    if data is None and request.config is None:
        raise ConfigError("train needs data: a folder, the name of a data set, or a dataset")
    if given.dataset is not None:
        _check_settings(settings)
    with guest():
        start, note = start_of(request, quiet=not progress)
        images = given.load(data_of(request))
        config = build_config(request, start, images)
        display = Display(default_mode(quiet=not (progress and _is_main())))
        if note:
            display.note(note)
        target = RunTarget(request.out, name, goes_on=request.continue_)
        weights = None if start is None else start.weights
        return _train(config, target, display, weights, images)


def resume(
    folder: Path,
    data: object = None,
    *,
    val: object = None,
    classes: Sequence[str] | None = None,
    images: DataSet | None = None,
    progress: bool = False,
) -> Run:
    """Resume a run; see `Run.resume`."""
    from resnext.runs.folder import open_run

    with guest():
        config = open_run(folder)
        if data is not None:
            given = open_given(data, val, classes)
            if given.dataset is None:
                raise ConfigError(
                    f"data={data!r}: a run can only be resumed on the data it was started with; "
                    "leave data out unless it is a dataset"
                )
            images = given.load(config.data)
        display = Display(default_mode(quiet=not (progress and _is_main())))
        return _train(config, RunTarget(resume=folder), display, None, images)


def _request(given: GivenData, flags: Mapping[str, Any]) -> TrainRequest:
    """Convert data and flags to a request; values are checked with the settings."""
    known = {field.name for field in fields(TrainRequest)}
    values = {name: value for name, value in flags.items() if name in known}
    for name in ("weights", "config"):
        values[name] = as_path(name, values.get(name))
    values["early_stopping"] = _patience(values.get("early_stopping"))
    if given.dataset is not None:
        values["workers"] = values.get("workers", given.workers or 0)
        values["batch_size"] = values.get("batch_size", given.batch_size)
    return TrainRequest(data=given.named, **values)


def _check_settings(settings: Mapping[str, Any] | None) -> None:
    """Refuse settings that would record another data set than the given one."""
    for key in ("data.name", "data.root", "data.url"):
        if key in (settings or {}):
            raise ConfigError(f"settings: {key} names another data set than the one given as data")


def _patience(given: bool | int | None) -> tuple[int, ...] | None:
    if given is None or given is False:
        return None
    return () if given is True else (given,)


def _train(
    config: TrainConfig,
    target: RunTarget,
    display: Display,
    weights: Weights | None,
    images: DataSet | None,
) -> Run:
    try:
        folder = train_run(config, target, display, weights, images, is_guest=True)
    except Interrupted as stop:
        hand_on(stop)
    if _is_main():
        evaluate_run(folder, images)
    return Run(folder, images)


def _is_main() -> bool:
    return os.environ.get("RANK", "0") == "0"
