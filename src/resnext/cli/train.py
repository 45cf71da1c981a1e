"""Train a network on your images, fine-tune one, or go on with a run.

Examples:
  resnext train --data digits
  resnext train --data photos/ --epochs 20 --out runs/photos
  resnext train --data cifar10 --model resnext29_8x64d --recipe cifar
  resnext train --data photos/ --pretrained
  resnext train --data photos/ --weights runs/imagenet --epochs 10
  resnext train --data photos/ --weights resnext50_32x4d.a1h_in1k --freeze-until 3
  resnext train --data photos/ --set augment.mixup=0.2 optim.clip_norm=1
  resnext train --config runs/photos/config.yaml --seed 1
  resnext train --resume runs/photos
  torchrun --nproc-per-node 2 -m resnext train --data photos/

The exit status is 0 for a network of use, 3 for one that is no better than guessing the largest
class (under torchrun 0, with a warning), 2 for a mistake, and 128 + N where signal N stopped it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from resnext.cli.arguments import option, parse
from resnext.cli.signals import tidy_on_sigterm
from resnext.cli.train_start import from_recipe, start_of
from resnext.cli.train_weights import Start
from resnext.ctrl_c import STATUS, is_pressed
from resnext.data.config import parse_data
from resnext.errors import ConfigError
from resnext.model.names import config_from
from resnext.settings import override, override_all
from resnext.training.config import TrainConfig

if TYPE_CHECKING:
    from resnext.training.display import Display


_USELESS = 3


@dataclass(frozen=True)
class Train:
    """Train a network on your images, fine-tune one, or go on with a run."""

    data: Annotated[str | None, option("DATA", "digits")] = None
    """digits, fashion-mnist, cifar10, cifar100, imagenet:DIR, a folder of class folders, or
    what `resnext pack` wrote: a folder or an address, https:// or s3://."""
    model: Annotated[str | None, option("NAME", "suits the data")] = None
    """Network, such as resnext50_32x4d, resnext29_8x64d or resnext_2-2-2-2_8x4d."""
    recipe: Annotated[
        Literal["fast", "finetune", "modern", "imagenet", "cifar"] | None,
        option("fast|finetune|modern|imagenet|cifar", "fast; finetune with weights"),
    ] = None
    """Settings to start from; imagenet and cifar are the paper's."""
    epochs: Annotated[int | None, option("N", "the recipe's")] = None
    """Length of training; the whole schedule is stretched to it."""
    batch_size: Annotated[int | None, option("N", "the recipe's")] = None
    """Images of a step over all processes; the learning rate follows."""
    lr: Annotated[float | None, option("RATE", "the recipe's")] = None
    """Peak learning rate for the recipe's own batch size."""
    image_size: Annotated[int | None, option("PIXELS", "the data's")] = None
    """Side of the images that the network sees, in pixels."""
    seed: Annotated[int | None, option("N", "0")] = None
    """Decides initial weights, order and augmentation."""
    weights: Annotated[Path | None, option("RUN|FILE|NAME")] = None
    """Start from a run, a weight file of any library, a name that `resnext weights list`
    shows, or OWNER/NAME on the Hub; the head is new if the classes differ. Images are
    normalised as these weights expect, unless --set gives data.mean and data.std."""
    pretrained: bool = False
    """Start from the best published weights that suit the network, the images, this machine
    and their licence."""
    accept_licence: bool = False
    """Also published weights whose licence forbids commercial use; yours must be allowed."""
    freeze_until: Annotated[int | None, option("N")] = None
    """Keep the stem and this many stages as loaded."""
    head_lr_factor: Annotated[float | None, option("X", "the recipe's")] = None
    """Multiplies the learning rate of the head."""
    out: Annotated[Path | None, option("FOLDER")] = None
    """The run folder; by default the next free one under runs/."""
    name: Annotated[str | None, option("NAME")] = None
    """Name of the run folder under runs/; numbered if taken."""
    config: Annotated[Path | None, option("RUN|FILE")] = None
    """Take the settings from a YAML file or a run folder instead of a recipe."""
    resume: Annotated[Path | None, option("RUN")] = None
    """Go on with this run from its last checkpoint."""
    continue_: Annotated[bool, tyro.conf.arg(name="continue")] = False
    """With --out: go on with the run that is there if it has the same settings, else begin
    it. For machines that come back, such as pods of Kubernetes."""
    device: Annotated[str | None, option("DEVICE", "auto")] = None
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"] | None, option("auto|fp32|bf16|fp16", "auto")
    ] = None
    """Arithmetic; auto is bf16 on a GPU or CPU that has it, else fp32 (without TF32)."""
    compile: bool = False
    """Compile the network with torch.compile."""
    threads: Annotated[int | None, option("N", "torch's choice")] = None
    """CPU threads of one process."""
    workers: Annotated[int | None, option("N", "one a core, at most 8")] = None
    """Processes that decode files."""
    set: Annotated[tuple[str, ...], option("KEY=VALUE ...")] = ()
    """Any other setting of config.yaml, such as optim.weight_decay=1e-4."""
    quiet: bool = False
    """Print nothing but errors."""
    json: bool = False
    """Print the final figures as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb."""
    arguments = parse(Train, argv, __doc__)
    with tidy_on_sigterm():  # until training itself takes the signals
        return _train(arguments, argv)


def _train(arguments: Train, argv: list[str]) -> int:
    start, note = (None, "") if arguments.resume else start_of(arguments)
    config = _resume(arguments, argv) if arguments.resume else build_config(arguments, start)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.training.display import Display, default_mode
    from resnext.training.interrupt import Interrupted
    from resnext.training.train import Target, train

    is_main = os.environ.get("RANK", "0") == "0"
    display = Display(default_mode(quiet=arguments.quiet or not is_main))
    if note:
        display.note(note)
    target = Target(arguments.out, arguments.name, arguments.resume, arguments.continue_)
    try:
        run = train(config, target, display, None if start is None else start.weights)
    except Interrupted as stop:
        if is_main:
            print(stop, file=sys.stderr)
        return 128 + stop.signal_number
    if is_pressed():  # in the last step; the validation split may take long
        if is_main:
            print(f"training is complete; for its report: resnext evaluate {run}", file=sys.stderr)
        return STATUS
    return _finish(run, arguments, display) if is_main else 0


def build_config(arguments: Train, start: Start | None = None) -> TrainConfig:
    """Turn the flags into settings.

    Args:
        arguments: The flags.
        start: The weights to start from, opened.

    Raises:
        ConfigError: A flag is wrong, or two contradict each other.
    """
    if arguments.continue_ and arguments.out is None:
        raise ConfigError("--continue looks for the run in the folder of --out; name it")
    if arguments.config is not None:
        if arguments.recipe is not None:
            raise ConfigError("--config already holds a recipe's settings; leave out --recipe")
        from resnext.training.run_folder import read_config

        config = read_config(arguments.config)
        if arguments.data is not None:
            config = config.replace(data=parse_data(arguments.data))
        if arguments.model is not None:
            config = config.replace(model=config_from(arguments.model))
        if arguments.weights is not None:  # a run's file holds the values that it resolved
            config = config.replace(data=config.data.replace(mean=None, std=None))
    else:
        config = from_recipe(arguments, start)
    weights = arguments.weights if start is None else start.name
    if weights is not None:
        config = config.replace(weights=weights)
    for key, value in _flag_settings(arguments).items():
        config = override(config, key, value)
    return override_all(config, arguments.set)


def _flag_settings(arguments: Train) -> dict[str, Any]:
    """Return the settings for which a flag was given."""
    flags = {
        "schedule.epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "optim.lr": arguments.lr,
        "optim.head_lr_factor": arguments.head_lr_factor,
        "data.image_size_px": arguments.image_size,
        "data.workers": arguments.workers,
        "seed": arguments.seed,
        "freeze_until": arguments.freeze_until,
        "runtime.device": arguments.device,
        "runtime.precision": arguments.precision,
        "runtime.compile": arguments.compile or None,
        "runtime.threads": arguments.threads,
    }
    return {key: value for key, value in flags.items() if value is not None}


def _resume(arguments: Train, argv: list[str]) -> TrainConfig:
    """Read the settings of the run to go on with; other settings would not be that run."""
    allowed = {"resume": arguments.resume, "quiet": arguments.quiet, "json": arguments.json}
    if arguments != Train(**allowed):  # type: ignore[arg-type]  # the keys above are its fields
        raise ConfigError(
            f"--resume goes on with the run's own settings, but also got: {' '.join(argv)}; "
            "to change settings, start a new run: resnext train --config RUN ..."
        )
    from resnext.training.run_folder import open_run

    assert arguments.resume is not None
    return open_run(arguments.resume)


def _finish(run: Path, arguments: Train, display: Display) -> int:
    """Evaluate the weights, write the report, and return the exit status."""
    from resnext.evaluation.run import evaluate_run
    from resnext.training.health import judge_run
    from resnext.training.metrics_log import read_metrics
    from resnext.training.run_folder import read_config

    figures = evaluate_run(run)
    epochs = [row for row in read_metrics(run) if row["kind"] == "epoch"]
    config = read_config(run)
    problems = {finding.kind: finding.text for finding in judge_run(epochs, config)}
    best = min(epochs, key=lambda row: row["top1_error"]) if config.keep == "best" else epochs[-1]
    display.note(
        f"kept: the weights of epoch {best['epoch']} of {config.schedule.epochs}, top-1 error "
        f"{figures['top1_error']:.2f}% on the validation split\n"
        f"report: {run / 'report.html'}"
    )
    if arguments.json:
        print(json.dumps({"run": str(run), **figures, "problems": problems}))
    for kind, text in problems.items():
        display.note(f"warning: {text}")
        if arguments.quiet and kind == "useless":
            print(f"resnext: {text}", file=sys.stderr)
    # torchrun would take the status for a crash, and train again.
    is_alone = os.environ.get("WORLD_SIZE", "1") == "1"
    return _USELESS if "useless" in problems and is_alone else 0
