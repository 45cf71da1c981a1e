"""Train a network from its settings, or go on with a run."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from resnext.data.bad_files import BadFiles
from resnext.data.config import default_workers
from resnext.data.loading.batches import num_steps
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.loading.whole_loader import eval_loader
from resnext.data.prepare.views import view_of_training
from resnext.data.sets.load import load_data
from resnext.data.split import DataInfo, DataSet
from resnext.errors import ConfigError, DataError
from resnext.model.config import DetectorConfig
from resnext.model.names import config_from
from resnext.runs.config import TrainConfig
from resnext.runs.folder import BAD_FILES, OPENING, SPEED, explain_write_errors, write_json
from resnext.runs.metrics_log import MetricsLog
from resnext.runs.runtime import Runtime, open_runtime
from resnext.tasks.kinds import check_network, fit_task
from resnext.tasks.task import Task
from resnext.training.boxes import build_box_loaders, resolve_boxes
from resnext.training.build import build_train_step
from resnext.training.checkpoint import load_checkpoint
from resnext.training.checkpoint_file import CheckpointFiles
from resnext.training.checkpoint_writer import CheckpointWriter
from resnext.training.display import Display
from resnext.training.finetune import check_pretrained
from resnext.training.interrupt import stop_on_signal
from resnext.training.opening import describe_opening
from resnext.training.restart import begun_settings, check_restartable
from resnext.training.run_claim import RunClaim
from resnext.training.settle_speed import settle_speed
from resnext.training.signals import (
    as_configured,
    build_signal_loaders,
    resolve_signals,
    starting_weights,
)
from resnext.training.step import TrainStep
from resnext.training.target import RunTarget, open_target
from resnext.training.task import weighted_task_of
from resnext.training.trainer import Trainer
from resnext.training.trainer_parts import Loaders, Recorder
from resnext.weights.file import Weights
from resnext.weights.source import open_weights

__all__ = ["RunTarget", "assemble", "build_train_step", "resolve", "train"]


def train(
    config: TrainConfig,
    target: RunTarget,
    display: Display,
    weights: Weights | None = None,
    given: DataSet | None = None,
    *,
    is_guest: bool = False,
) -> Path:
    """Train to the end.

    Under `torchrun` all processes call this with the same settings.

    Args:
        config: The settings; the classes and channels follow the data.
        target: The run folder to make, or the run to go on with.
        display: Shows the progress in the first process.
        weights: Those of `config.weights`, if they are open already.
        given: The images, where a Python program brings them.
        is_guest: The process belongs to somebody else, and is not ended by a second signal.

    Returns:
        The run folder.

    Raises:
        Interrupted: A signal asked to stop; the state is saved.
        ResNeXtError: Settings, data, folder or loss do not allow to go on.
    """
    check_restartable(has_folder=target.out is not None or target.resume is not None)
    with open_runtime(config.runtime) as runtime, ExitStack() as stack:
        data = load_data(config.data, given)
        if runtime.broadcast_from_main(lambda: not _is_saved(target.resume)) and weights is None:
            weights = None if config.weights is None else open_weights(config.weights)
        if weights is not None:
            weights = starting_weights(weights, config, data.info)
        if target.resume is None:  # a resumed run has its own resolved settings
            config = resolve(config, data.info, weights)
            begun = begun_settings(target.out, goes_on=target.goes_on)
            config = limit_batch(config, len(data.train), begun)
        else:
            begun = None
        config, speed = settle_speed(config, data, runtime, begun, tell=display.note)
        # Built before the run folder, so that a setting that does not fit leaves no folder.
        data, train_step, loaders = assemble(config, data, runtime, weights)
        bad_files = loaders.bad_files
        # Up to here a signal just ends the process; there is nothing to save.
        stop = stack.enter_context(stop_on_signal(runtime, is_guest=is_guest))
        claim = stack.enter_context(RunClaim(display, stop))
        run = runtime.broadcast_from_main(lambda: open_target(config, target, runtime, data, claim))
        if runtime.is_main and target.resume is None:
            opening = describe_opening(config, data, loaders.train.num_steps)
            write_json(run / OPENING, opening)
            for heading, text in opening["lines"]:
                display.note(f"{heading:<9} {text}")
        if runtime.is_main and speed is not None:
            write_json(run / SPEED, speed)
        display.note(f"run folder: {run}")
        files = CheckpointFiles(run, before_write=claim.check)
        position = load_checkpoint(files, train_step)
        if files.complaint:
            display.note(f"{files.complaint}; going on from the checkpoint before it")
        with explain_write_errors(run):
            log = MetricsLog(run, position.total_steps) if runtime.is_main else None
            writer = CheckpointWriter(files) if runtime.is_main else None
            recorder = Recorder(run, display, log, writer, claim)
            try:
                Trainer(train_step, loaders, recorder, stop, position).run()
            finally:
                if log is not None:
                    log.close()
                if bad_files.rows and runtime.is_main and not claim.is_lost:
                    write_json(run / BAD_FILES, bad_files.rows)
        return run


def assemble(
    config: TrainConfig, data: DataSet, runtime: Runtime, weights: Weights | None
) -> tuple[DataSet, TrainStep, Loaders]:
    """Put together what a training step needs; nothing is written.

    Args:
        config: Resolved settings.
        data: The images.
        runtime: Device, precision, processes.
        weights: Start from these; None keeps the random ones.

    Returns:
        The images as they are normalised, the network with its optimiser, and the loaders.

    Raises:
        ResNeXtError: A setting does not fit the images, the network or the processes.
    """
    data = replace(data, info=_normalisation(config, data.info))
    _check_batches(config, data, runtime)
    task = weighted_task_of(config, data, runtime)
    train_step = build_train_step(config, data.info, runtime, weights, task)
    bad_files = BadFiles(len(data.train) + len(data.val))
    return data, train_step, _build_loaders(config, data, runtime, task, bad_files)


def resolve(config: TrainConfig, info: DataInfo, weights: Weights | None = None) -> TrainConfig:
    """Fit the settings to the data: the network's classes and channels, the normalisation.

    Images are normalised as the settings say; where they do not, as loaded weights expect it,
    otherwise as the data set says.

    Raises:
        ConfigError: The weights to start from take images of other channels.
        CheckpointError: They do not fit the network.
    """
    if info.signal is not None:
        return resolve_signals(config, info, info.signal, weights)
    mean, std = info.mean, info.std
    task = fit_task(config.task, info.targets)
    check_network(task, config.model)
    model = config_from(config.model, num_classes=len(info.classes), in_channels=info.in_channels)
    if weights is not None:
        trained = weights.config
        if trained.in_channels != info.in_channels:
            raise ConfigError(
                f"{weights.name}: these weights take images of {trained.in_channels} channel(s), "
                f"those of {info.name} have {info.in_channels}; take other weights or data, or "
                f"adapt them: resnext convert {weights.name} adapted.safetensors --in-channels "
                f"{info.in_channels}"
            )
        check_pretrained(model, weights)
        mean, std = weights.card.mean, weights.card.std
    size_px: int | None = info.image_size_px
    if isinstance(model, DetectorConfig):
        config = resolve_boxes(config, model)
        model, size_px = config.model, config.data.image_size_px
    return config.replace(
        model=model,
        task=task.name,
        data=config.data.replace(
            image_size_px=size_px,
            mean=config.data.mean or mean,
            std=config.data.std or std,
        ),
    )


def limit_batch(
    config: TrainConfig, num_train: int, begun: TrainConfig | None = None
) -> TrainConfig:
    """Take no larger batches than there are images, since the learning rate follows them.

    Args:
        config: Resolved settings.
        num_train: Training images.
        begun: Settings of a run that may be resumed. One of an earlier version kept the larger
            batch, and with it the higher rate.
    """
    parts = -(-num_train // config.accumulate)
    if not num_train or parts * config.accumulate >= config.batch_size:
        return config
    if begun is not None and begun == config:
        return config
    return config.replace(batch_size=parts * config.accumulate)


def _normalisation(config: TrainConfig, info: DataInfo) -> DataInfo:
    """Return the facts of the data with the statistics, and for boxes the size, of the settings."""
    if info.signal is not None:
        return replace(info, signal=as_configured(info.signal, config))
    mean, std = config.data.mean or info.mean, config.data.std or info.std
    for name, values in (("mean", mean), ("std", std)):
        if len(values) != info.in_channels:
            raise ConfigError(
                f"data.{name}={values!r} has {len(values)} values, but the images of "
                f"{info.name} have {info.in_channels} channel(s)"
            )
    size_px = config.data.image_size_px if info.targets == "boxes" else None
    return replace(info, mean=mean, std=std, image_size_px=size_px or info.image_size_px)


def _is_saved(run: Path | None) -> bool:
    """Tell whether a run to go on with has a checkpoint, which replaces weights to start from."""
    return run is not None and CheckpointFiles(run).exist()


def _build_loaders(
    config: TrainConfig, data: DataSet, runtime: Runtime, task: Task, bad_files: BadFiles
) -> Loaders:
    if data.info.signal is not None:
        return build_signal_loaders(config, data, runtime, task, bad_files)
    workers = default_workers() if config.data.workers is None else config.data.workers
    loading = TrainLoaderConfig(
        augment=config.augment,
        seed=config.seed,
        is_exact=config.data.decode == "exact",
        batch_size=config.batch_size,
        device=runtime.device,
        workers=workers,
        rank=runtime.rank,
        world_size=runtime.world_size,
        channels_last=config.runtime.layout == "channels_last",
    )
    if data.info.targets == "boxes":
        return build_box_loaders(config, data, loading, task, bad_files)
    train_loader = TrainLoader(data.train, data.info, loading, bad_files)
    view = view_of_training(
        config.view,
        data.info.image_size_px,
        is_memory=data.val.stored_nhwc is not None or data.info.targets == "mask",
        is_enlarged=config.augment.crop == "resized",
    )
    loading = replace(loading, batch_size=2 * train_loader.largest_share)
    val_loader = eval_loader(data.val, data.info, view, loading, bad_files)
    val_steps = len(data.val) * train_loader.num_steps / len(data.train)
    guess = task.guess(data.train, data.val)
    return Loaders(data.info, train_loader, val_loader, bad_files, guess, val_steps)


def _check_batches(config: TrainConfig, data: DataSet, runtime: Runtime) -> None:
    if not len(data.train):
        raise DataError(
            f"{data.info.name} has no training images: data.val_fraction="
            f"{config.data.val_fraction:g} keeps all for validation; give a share below 1"
        )
    smallest = len(data.train) // num_steps(len(data.train), config.batch_size)
    parts = config.accumulate * runtime.world_size
    if smallest < 2 * parts:
        raise ConfigError(
            f"batch_size={config.batch_size} gives steps of {smallest} images, too few for "
            f"{runtime.world_size} process(es) with accumulate={config.accumulate}: batch "
            f"normalisation needs two images in each of the {parts} parts"
        )
