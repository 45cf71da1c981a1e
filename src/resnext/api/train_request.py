"""What one asks of a training, before it becomes settings: the flags of `resnext train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.model.choices import Head
from resnext.model.config import ModelConfig


@dataclass(frozen=True)
class TrainRequest:
    """A training as it is asked for; None leaves a choice to the recipe, the data or the weights.

    Attributes:
        data: What `--data` takes, or settings of a data set; None is the digits.
        model: The network: a name, or its config.
        head: For images with masks, what stands on the network.
        recipe: Settings to start from.
        epochs: Length of training.
        batch_size: Images of a step over all processes.
        lr: Peak learning rate for the recipe's own batch size.
        image_size: Side of the images that the network sees, in pixels.
        seed: Decides initial weights, order and augmentation.
        weights: Start from these.
        pretrained: Start from the best published weights that suit.
        accept_licence: Also weights that may not be used commercially.
        freeze_until: Keep the stem and this many stages as loaded.
        head_lr_factor: Multiplies the learning rate of the head.
        balance: Let every class count alike in the loss.
        early_stopping: Epochs to wait for a lower validation error; empty for the default number.
        out: The run folder.
        name: Name of the run folder under `runs/`.
        config: Take the settings from this file or run instead of a recipe.
        continue_: Go on with the run in `out` if it has the same settings.
        device: Where to train.
        precision: Arithmetic.
        compile: Compile the network.
        tune: Choose layout, compilation and merged groups by speed.
        threads: CPU threads of one process.
        workers: Processes that decode files.
        set: Other settings, as texts such as `optim.weight_decay=1e-4`.
    """

    data: str | DataConfig | None = None
    model: str | ModelConfig | None = None
    head: Head | None = None
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
