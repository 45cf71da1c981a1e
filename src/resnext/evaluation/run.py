"""Evaluate a run or a weight file, and keep what was found beside the run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from resnext.complexity.cost import Cost
from resnext.complexity.count import count
from resnext.data.bad_files import BadFiles
from resnext.data.config import DataConfig
from resnext.data.split import DataSet
from resnext.errors import ConfigError, RunError
from resnext.evaluation.evaluate import evaluate
from resnext.evaluation.fit_tables import as_run_reads
from resnext.evaluation.loaders import open_loader
from resnext.evaluation.target import EvaluationSet, Protocol, open_target
from resnext.inference.fused import TOLERANCE, FusedNetwork, fuse_after
from resnext.inference.load import load
from resnext.inference.predictor import exported_of
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig
from resnext.model.trained import TrainedNetwork
from resnext.runs.config import TrainConfig
from resnext.runs.data import describe_change
from resnext.runs.folder import CONFIG, read_config, write_json
from resnext.runs.runtime import Runtime, resolve_device
from resnext.tasks.kinds import build_task
from resnext.tasks.task import Result, Task, TaskOptions

EVALUATION = "evaluation.json"
REPORT = "report.html"


@dataclass(frozen=True)
class EvaluationOptions:
    """How to spend the machine on an evaluation; it does not change the figures.

    Attributes:
        batch_size: Rows of a batch in one process, counting every view; None chooses.
        workers: Processes that decode files; None takes one a core.
        progress: Called with the number of images after each batch.
        note: Called with a line that says what will be evaluated, before it begins.
    """

    batch_size: int | None = None
    workers: int | None = None
    progress: Callable[[int], None] | None = None
    note: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Evaluation:
    """What was found, with what a report needs to show it.

    Attributes:
        figures: The figures as JSON values.
        result: The same, with what a report shows besides.
        task: What the network has learned.
        target: The images and their classes.
        cost: Parameters and multiply-adds at the size of the view.
        bad_files: Path and reason of the images that could not be read.
    """

    figures: dict[str, Any]
    result: Result
    task: Task
    target: EvaluationSet
    cost: Cost
    bad_files: list[dict[str, str]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The figures of each class, a row each, as `pandas.DataFrame` takes them."""
        by_class = self.figures.get("per_class") or {}
        return [{"class": name, **row} for name, row in by_class.items()]


def evaluate_run(run: Path, given: DataSet | None = None) -> dict[str, Any]:
    """Repeat a run's validation with its best weights, and write figures and report beside it.

    Runs on the run's own device, and in this process alone, also where others exist.

    Args:
        run: The run folder.
        given: Its images, where a Python program brings them.

    Returns:
        The figures, as `evaluation.json` holds them.

    Raises:
        ResNeXtError: The run, its weights or its data are missing or damaged.
    """
    device = resolve_device(read_config(run).runtime.device)
    evaluation = measure(run, Protocol(), Runtime(device, torch.float32), given=given)
    write_results(run, evaluation)
    return evaluation.figures


def write_results(run: Path, evaluation: Evaluation) -> list[Path]:
    """Write `evaluation.json` and `report.html` into a run folder, and say where they are.

    Raises:
        RunError: They cannot be written.
    """
    from resnext.evaluation.report import write_report

    try:
        write_json(run / EVALUATION, evaluation.figures, is_shared=True)
    except OSError as error:
        raise RunError(
            f"cannot write {run / EVALUATION}: {error.strerror}; the run's weights are intact. "
            f"Fix the cause, then: resnext evaluate {run}"
        ) from None
    return [run / EVALUATION, write_report(run / REPORT, run, evaluation)]


def measure(
    run: Path | TrainedNetwork,
    protocol: Protocol,
    runtime: Runtime,
    effort: EvaluationOptions | None = None,
    given: DataSet | None = None,
) -> Evaluation:
    """Evaluate a network.

    Several processes each take their share of the images and all return the same figures.

    Args:
        run: A run folder, a weight file, an exported file, or a network.
        protocol: On what, and how.
        runtime: Device, precision and processes.
        effort: Batch size and workers.
        given: The images, where a Python program brings them.

    Raises:
        ConfigError: A setting does not fit the network or the data.
        DataError: The data set is missing or damaged.
        CheckpointError: The weights are damaged or missing.
    """
    effort = effort or EvaluationOptions()
    config = read_config(run) if isinstance(run, Path) and (run / CONFIG).exists() else None
    data = _data(run, protocol, config)
    if protocol.view is None and config is not None and protocol.data is None:
        protocol = replace(protocol, view=config.view)
    model = load(run) if isinstance(run, Path) else run
    target = open_target(protocol, data, model, given)
    task = _task_of(model.card, target)
    bad_files = BadFiles(len(target.split))
    exported = exported_of(model)
    loader = open_loader(
        target,
        exported,
        runtime,
        bad_files,
        network=model.config,
        num_rows=effort.batch_size,
        workers=data.workers if effort.workers is None else effort.workers,
    )
    _announce(effort, target, data, config)
    if protocol.data is None and config is not None and isinstance(run, Path):
        _record_change(effort, target, run)
    size_px = loader.size_px
    signal = target.info.signal
    sides = (size_px,) * getattr(model.config, "ndim", 2) if signal is None else signal.sides
    cost = count(model.config, (target.info.in_channels, *sides))  # refuses early
    module = _module(model, target, cost, runtime, effort)
    result = evaluate(
        module,
        loader,
        task,
        device=runtime.device,
        autocast=runtime.autocast,
        class_subset=target.class_subset,
        real_labels=target.real_labels,
        progress=effort.progress,
    )
    if runtime.world_size > 1:
        bad_files.share()
        bad_files.check()
    view = {
        "size_px": size_px,
        "resize_px": loader.resize_px,
        "interpolation": target.view.interpolation,
        "ten_crop": target.view.ten_crop,
        "flip": target.view.flip,
    }
    figures = {
        **result.as_dict(target.info.classes),
        "parameters": cost.parameters,
        "macs": cost.macs,
        "view": view,
        "data": target.source,
        **({} if signal is None else {"signal": signal.as_figures()}),
        "is_fused": isinstance(module, FusedNetwork) and module.is_fused,
    }
    return Evaluation(figures, result, task, target, cost, bad_files.rows)


def _task_of(card: ModelCard, target: EvaluationSet) -> Task:
    """Build what a network has learned."""
    thresholds = card.thresholds
    if thresholds and target.class_subset is not None:  # other labels, or in another order
        thresholds = tuple(thresholds[output] for output in target.class_subset)
    return build_task(card.task, TaskOptions(target.info.classes, thresholds=thresholds))


def _module(
    model: TrainedNetwork,
    target: EvaluationSet,
    cost: Cost,
    runtime: Runtime,
    effort: EvaluationOptions,
) -> nn.Module:
    """Return what computes: where there is much to do, the network as one graph."""
    module = model.move_to(runtime.device)
    is_detector = isinstance(model.config, DetectorConfig)
    if exported_of(model) is not None or runtime.dtype != torch.float32 or is_detector:
        return module
    num_images = len(target.split) * target.view.num_views // runtime.world_size
    ndim = getattr(model.config, "input_ndim", 2)
    module = fuse_after(
        module, runtime.device, ndim=ndim, macs=cost.macs, num_images=max(num_images, 1)
    )
    if isinstance(module, FusedNetwork) and effort.note is not None:
        effort.note(
            "many images: the network is computed as one graph, whose logits may differ from "
            f"those of training by {TOLERANCE:g} of the largest"
        )
    return module


def _announce(
    effort: EvaluationOptions, target: EvaluationSet, data: DataConfig, config: TrainConfig | None
) -> None:
    """Say what will be looked at, before it takes its time."""
    if effort.note is None:
        return
    effort.note(f"evaluating {target.info.name}: {target.images}")
    if target.choice:
        effort.note(target.choice)
    if config is not None and _is_own_whole(data, config.data):
        effort.note(
            "the run was trained on most of these images; without --data it is evaluated on those "
            "that it kept for validation"
        )


def _record_change(effort: EvaluationOptions, target: EvaluationSet, run: Path) -> None:
    """Record that a run's own data have changed: the split for validation may be another."""
    with suppress(RunError):  # a damaged record matters for resuming only
        if target.data is not None and (change := describe_change(run, target.data)):
            target.source["changed_since_training"] = True
            if effort.note is not None:
                effort.note(f"{change}; images that it was trained on may be among those evaluated")


def _is_own_whole(data: DataConfig, own: DataConfig) -> bool:
    """Tell whether a folder is evaluated completely of which training has seen a part."""
    if data.val_fraction < 1 or data.root is None or own.root is None:
        return False
    return own.val_fraction < 1 and data.root.resolve() == own.root.resolve()


def _data(run: Path | TrainedNetwork, protocol: Protocol, config: TrainConfig | None) -> DataConfig:
    """Return the data set that was asked for, else the run's own.

    Other masks and tables are read as the run's own, unless they say something else.
    """
    if protocol.data is not None:
        return as_run_reads(protocol.data, None if config is None else config.data)
    if config is None:
        name = run if isinstance(run, Path) else "a bare network"
        raise ConfigError(
            f"{name} is not a run folder with its settings, so its data set is unknown; give "
            "one: --data digits, --data FOLDER"
        )
    return config.data
