"""Training requests: the flags of `resnext train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.model.choices import Head
from resnext.model.config import ModelConfig
from resnext.model.detector_config import DetectorHead


@dataclass(frozen=True)
class TrainRequest:
    """A requested training; None leaves the choice to the recipe, the data or the weights.

    Attributes:
        data: A data set as for `--data`, or settings; None means the digits.
        model: The network: a name, or its config.
        head: Segmentation head for images with masks, or detector for images with boxes.
        recipe: Base settings.
        epochs: Number of epochs.
        batch_size: Images per step over all processes.
        lr: Peak learning rate at the recipe's batch size.
        image_size: Side of the network's input images, in pixels.
        seed: Random seed of initial weights, order and augmentation.
        weights: Initial weights.
        pretrained: Start from the best suitable published weights.
        accept_licence: Allow weights that may not be used commercially.
        freeze_until: Freeze the stem and this many stages.
        head_lr_factor: Multiplier of the head's learning rate.
        balance: Weight all classes equally in the loss.
        early_stopping: Epochs to wait for an improved validation error; empty for the default.
        out: The run folder.
        name: Name of the run folder under `runs/`.
        config: Read the settings from this file or run instead of a recipe.
        continue_: Resume the run in `out` if it has the same settings.
        device: Device to train on.
        precision: Precision of the computation.
        compile: Compile the network.
        tune: Choose layout, compilation and merged groups by speed.
        threads: CPU threads per process.
        workers: Number of processes that decode files.
        set: Other settings, as assignments such as `optim.weight_decay=1e-4`.
    """

    data: str | DataConfig | None = None
    model: str | ModelConfig | None = None
    head: Head | DetectorHead | None = None
    recipe: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    image_size: int | None = None
    seed: int | None = None
    weights: Path | None = None
    pretrained: bool = False
    accept_licence: bool = False
    freeze_until: int | None = None
    head_lr_factor: float | None = None
    balance: bool = False
    early_stopping: tuple[int, ...] | None = None
    out: Path | None = None
    name: str | None = None
    config: Path | None = None
    continue_: bool = False
    device: str | None = None
    precision: str | None = None
    compile: bool = False
    tune: bool = False
    threads: int | None = None
    workers: int | None = None
    set: tuple[str, ...] = ()
