"""Train a network on your images, fine-tune one, or resume a run.

Examples:
  resnext train --data photos/ --name photos
  resnext train --data digits --epochs 12 --name demo
  resnext train --data series:GunPoint_TRAIN.ts
  resnext train --data text:reviews.tsv
  resnext train --data video:clips/
  resnext train --data streets/ --model resnext50_32x4d --head deeplabv3
  resnext train --data coco:cells/ --head retinanet
  resnext train --data photos/ --pretrained
  resnext train --data photos/ --set augment.mixup=0.2 optim.clip_norm=1
  resnext train --resume runs/photos
  torchrun --nproc-per-node 2 -m resnext train --data photos/

Exit status: 0 success, 2 invalid input, 3 no better than guessing, 128 + N stopped by signal N.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from resnext.api.train_request import TrainRequest
from resnext.api.train_settings import build_config
from resnext.api.train_start import start_of
from resnext.cli.arguments import option, parse
from resnext.cli.find_lr import plot_file, run_find_lr
from resnext.cli.train_end import finish_training
from resnext.ctrl_c import STATUS, is_pressed
from resnext.errors import ConfigError
from resnext.files import is_there
from resnext.model.choices import HEADS, Head
from resnext.model.detector_config import DETECTORS, DetectorHead
from resnext.progress import say_start
from resnext.runs.config import TrainConfig
from resnext.sigterm import tidy_on_sigterm


@dataclass(frozen=True)
class Train(TrainRequest):
    """Train a network on your images, fine-tune one, or resume a run."""

    data: Annotated[str | None, option("DATA", "digits")] = None
    """A folder of class folders or of images/ and masks/, a table of labels (.csv, .tsv, .parquet),
    digits, fashion-mnist, cifar10, cifar100, imagenet:DIR, masks:DIR, coco:DIR, voc:DIR, yolo:DIR
    (boxes), series:FILE, volume:FILE.npz, audio:DIR, text:FILE, video:DIR, or a data set packed
    with `resnext pack`: a folder or an address, https:// or s3://."""
    model: Annotated[str | None, option("NAME", "chosen for the data")] = None
    """Network, such as resnext50_32x4d, resnext29_8x64d or resnext_2-2-2-2_8x4d."""
    head: Annotated[
        Head | DetectorHead | None,
        option("|".join([*HEADS, *DETECTORS]), "deeplabv3 for masks, retinanet for boxes"),
    ] = None
    """For images with masks or boxes: the head on the network."""
    recipe: Annotated[
        Literal[
            "fast", "finetune", "modern", "imagenet", "cifar", "segmentation", "detection", "paper"
        ]
        | None,
        option(
            "fast|finetune|modern|imagenet|cifar|segmentation|detection|paper",
            "fast; finetune with weights; segmentation for masks; detection for boxes",
        ),
    ] = None
    """Base settings; imagenet and cifar, and paper for boxes, are the paper's."""
    epochs: Annotated[int | None, option("N", "the recipe's")] = None
    """Number of epochs; the schedule is scaled to it."""
    batch_size: Annotated[int | None, option("N", "the recipe's")] = None
    """Images per step over all processes; the learning rate is scaled accordingly."""
    lr: Annotated[float | None, option("RATE", "the recipe's")] = None
    """Peak learning rate at the recipe's batch size."""
    image_size: Annotated[int | None, option("PIXELS", "the data's")] = None
    """Side of the network's input images, in pixels."""
    seed: Annotated[int | None, option("N", "0")] = None
    """Random seed of initial weights, order and augmentation."""
    weights: Annotated[Path | None, option("RUN|FILE|NAME")] = None
    """Initial weights: a run, a weight file of any library, a name from `resnext weights list`, or
    OWNER/NAME on the Hub; the head is new if the classes differ. Images are normalised as the
    weights expect, unless data.mean and data.std are set."""
    pretrained: bool = False
    """Start from the best published weights for the network, the images and this machine."""
    accept_licence: bool = False
    """Allow published weights whose licence forbids commercial use; your use must be allowed."""
    freeze_until: Annotated[int | None, option("N")] = None
    """Freeze the stem and this many stages."""
    head_lr_factor: Annotated[float | None, option("X", "the recipe's")] = None
    """Multiplier of the head's learning rate."""
    balance: bool = False
    """Weight all classes equally in the training loss, regardless of their number of images."""
    early_stopping: Annotated[
        tuple[int, ...] | None, option("[EPOCHS]", "off; without EPOCHS a fifth of all, at least 5")
    ] = None
    """Stop if the validation error has not improved for this many epochs."""
    find_lr: Annotated[tuple[Path, ...] | None, option("[PLOT]", "off; find-lr.png")] = None
    """Do not train, but try 100 increasing learning rates, plot the loss and suggest one."""
    out: Annotated[Path | None, option("FOLDER")] = None
    """The run folder; by default the next free one under runs/."""
    name: Annotated[str | None, option("NAME")] = None
    """Name of the run folder under runs/; numbered if taken."""
    config: Annotated[Path | None, option("RUN|FILE")] = None
    """Read the settings from a YAML file or a run folder instead of a recipe."""
    resume: Annotated[Path | None, option("RUN")] = None
    """Resume this run from its last checkpoint."""
    continue_: Annotated[bool, tyro.conf.arg(name="continue")] = False
    """With --out: resume an existing run with the same settings, otherwise start it. For
    environments that restart commands, such as Kubernetes."""
    device: Annotated[str | None, option("DEVICE", "auto")] = None
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"] | None, option("auto|fp32|bf16|fp16", "auto")
    ] = None
    """Precision; auto is bf16 on a GPU or CPU that supports it, otherwise fp32 (without TF32)."""
    compile: bool = False
    """Compile the network with torch.compile."""
    tune: bool = False
    """Choose memory layout, compilation and merged groups by speed, timed on this machine if
    training takes more than a few minutes."""
    threads: Annotated[int | None, option("N", "torch's default")] = None
    """CPU threads per process."""
    workers: Annotated[int | None, option("N", "one per core, at most 8")] = None
    """Number of processes that decode files."""
    set: Annotated[tuple[str, ...], option("KEY=VALUE ...")] = ()
    """Any other setting of config.yaml, such as optim.weight_decay=1e-4."""
    quiet: bool = False
    """Print only errors."""
    json: bool = False
    """Print the final metrics as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb."""
    arguments = parse(Train, argv, __doc__, extra="--data")
    with tidy_on_sigterm():  # until training itself takes the signals
        return _train(arguments, argv)


def _train(arguments: Train, argv: list[str]) -> int:
    is_main = os.environ.get("RANK", "0") == "0"
    is_silent = arguments.quiet or not is_main
    is_slow = _follows_images(arguments)
    if is_slow:
        say_start("reading the images", quiet=is_silent)
    start, note = (None, "") if arguments.resume else start_of(arguments)
    config = _resume(arguments, argv) if arguments.resume else build_config(arguments, start)
    if not is_slow:  # after the arguments were found to be right
        say_start("reading the images", quiet=is_silent)
    if arguments.find_lr is not None:
        output = {"quiet": arguments.quiet, "json": arguments.json}
        plot = _find_lr_plot(arguments, arguments.find_lr)
        return run_find_lr(config, plot, argv, is_main=is_main, **output)

    # torch is imported from here on
    from resnext.training.display import Display, default_mode
    from resnext.training.interrupt import Interrupted
    from resnext.training.target import RunTarget
    from resnext.training.train import train

    display = Display(default_mode(quiet=is_silent))
    if note:
        display.note(note)
    target = RunTarget(arguments.out, arguments.name, arguments.resume, arguments.continue_)
    try:
        run = train(config, target, display, None if start is None else start.weights)
    except Interrupted as stop:
        if is_main:
            print(stop, file=sys.stderr)
        return 128 + stop.signal_number
    if is_pressed():  # in the last step; the validation split may take long
        if is_main:
            print(
                f"training is already complete; to evaluate it: resnext evaluate {run}",
                file=sys.stderr,
            )
        return STATUS
    if not is_main:
        return 0
    return finish_training(run, display, quiet=arguments.quiet, as_json=arguments.json)


def _find_lr_plot(arguments: Train, given: tuple[Path, ...]) -> Path:
    """Return the path of the range test's plot; it creates no run."""
    if arguments.out is not None or arguments.name is not None or arguments.continue_:
        raise ConfigError("--find-lr creates no run; leave out --out, --name and --continue")
    return plot_file(given)


def _follows_images(arguments: Train) -> bool:
    """Return whether settings depend on images or weights, which need torch to read."""
    if arguments.resume is not None or arguments.config is not None:
        return False
    has_files = arguments.data is not None and is_there(Path(arguments.data))
    return has_files or arguments.weights is not None


def _resume(arguments: Train, argv: list[str]) -> TrainConfig:
    """Read the settings of the run to resume, and refuse others."""
    allowed = {"resume": arguments.resume, "quiet": arguments.quiet, "json": arguments.json}
    if arguments != Train(**allowed):  # type: ignore[arg-type]  # the keys above are its fields
        raise ConfigError(
            f"--resume uses the run's own settings, but also got: {' '.join(argv)}; to change "
            "settings, start a new run: resnext train --config RUN ..."
        )
    from resnext.runs.folder import open_run

    assert arguments.resume is not None
    return open_run(arguments.resume)
