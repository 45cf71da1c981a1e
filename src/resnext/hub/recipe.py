"""How a run was trained: its main settings in words, and its config.yaml without local paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from resnext.runs.config import OptimConfig, TrainConfig
from resnext.runs.folder import ENVIRONMENT, read_if_whole
from resnext.tasks.kinds import task_kind

_HEADING = "# The settings of the run. Absolute paths are cut to their last part.\n"


def main_settings(config: TrainConfig) -> list[tuple[str, str]]:
    """Return the most important training settings as names and values."""
    optim, schedule = config.optim, config.schedule
    rows = [
        ("recipe", config.recipe),
        ("epochs", str(schedule.epochs)),
        ("batch size", str(config.batch_size)),
        ("optimiser", _optimiser(optim)),
        ("learning rate", _learning_rate(optim)),
        ("schedule", _schedule(config)),
        ("weight decay", f"{optim.weight_decay:g}{'' if optim.decay_norm else ', not of BN'}"),
        ("label smoothing", _if_on(config.label_smoothing)),
        ("class weights", _class_weights(config)),
        ("average of weights", _if_on(config.ema_decay, "decay ")),
        ("augmentation", _augmentation(config)),
        ("started from", "" if config.weights is None else _last_part(config.weights)),
        ("frozen stages", _if_on(config.freeze_until)),
        ("kept weights", "last epoch" if config.keep == "last" else _best(config)),
        ("seed", str(config.seed)),
    ]
    return [(name, value) for name, value in rows if value]


def _best(config: TrainConfig) -> str:
    measure = task_kind(config.task).measure
    return f"{'highest' if measure.is_higher_better else 'lowest'} {measure.label} in validation"


def where_trained(run: Path) -> str:
    """Describe the hardware and versions, as far as the run recorded them."""
    known: dict[str, Any] = read_if_whole(run / ENVIRONMENT, dict) or {}
    packages = known.get("packages")
    packages = packages if isinstance(packages, dict) else {}
    versions = ", ".join(
        f"{name} {packages[name]}" for name in ("resnext", "torch") if name in packages
    )
    hardware = (
        f"on {known['device']} in {known['dtype']}" if {"device", "dtype"} <= set(known) else ""
    )
    return " ".join(filter(None, (hardware, f"with {versions}" if versions else "")))


def public_config(config: TrainConfig) -> str:
    """Return config.yaml for publication: absolute paths are cut to their last part.

    Full paths describe one machine, which helps nobody else and may be private.
    """
    values = config.model_dump(mode="json")
    for group, key in ((values["data"], "root"), (values, "weights")):
        if group[key] is not None:
            group[key] = _last_part(Path(group[key]))
    return _HEADING + yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _optimiser(optim: OptimConfig) -> str:
    clip = "" if optim.clip_norm is None else f", gradients cut to a norm of {optim.clip_norm:g}"
    if optim.kind == "adamw":
        return f"AdamW, first beta {optim.momentum:g}{clip}"
    return f"SGD, momentum {optim.momentum:g}{' (Nesterov)' if optim.nesterov else ''}{clip}"


def _learning_rate(optim: OptimConfig) -> str:
    head = (
        "" if optim.head_lr_factor == 1 else f", of the classifier times {optim.head_lr_factor:g}"
    )
    layers = "" if optim.layer_decay == 1 else f", times {optim.layer_decay:g} a stage before it"
    return f"{optim.lr:g} for a batch of {optim.lr_batch_size}{head}{layers}"


def _schedule(config: TrainConfig) -> str:
    schedule = config.schedule
    warmup = f", {schedule.warmup:.0%} warm-up" if schedule.warmup else ""
    steps = ", ".join(f"{share:g}" for share in schedule.milestones)
    detail = f" at {steps} of training, times {schedule.gamma:g}" if steps else ""
    head = f", the classifier alone for the first {schedule.head_first:.0%}"
    return f"{schedule.kind}{detail}{warmup}{head if schedule.head_first else ''}"


def _augmentation(config: TrainConfig) -> str:
    augment = config.augment
    parts = [
        {"none": "", "pad": f"pad by {augment.pad_px} and crop", "resized": "random resized crop"}[
            augment.crop
        ],
        "mirror" if augment.flip else "",
        "" if augment.policy == "none" else augment.policy,
        *(
            f"{name.replace('_', ' ')} {value:g}"
            for name in ("color_jitter", "lighting", "erasing", "mixup", "cutmix")
            if (value := getattr(augment, name))
        ),
    ]
    return ", ".join(filter(None, parts)) or "none"


def _class_weights(config: TrainConfig) -> str:
    weights = config.class_weights
    return "" if weights is None else "balanced" if weights == "balanced" else "set by class"


def _if_on(value: float | None, words: str = "") -> str:
    return f"{words}{value:g}" if value else ""


def _last_part(path: Path) -> str:
    return path.name if path.is_absolute() else str(path)
