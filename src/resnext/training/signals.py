"""What a run on signals has instead of that of images: its settings fitted, and its loaders."""

from __future__ import annotations

from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.signals.audio_split import record_left_out
from resnext.data.signals.loaders import SignalEvalLoader, SignalTrainLoader
from resnext.data.signals.split import SignalSplit
from resnext.data.split import DataInfo, DataSet
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.signal import SignalInput
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.tasks.kinds import fit_task
from resnext.tasks.task import Task
from resnext.training.finetune import check_pretrained
from resnext.training.trainer_parts import Loaders
from resnext.weights.file import Weights

_EVALUATED = 256
"""Series of a validation batch: small sets are validated in a step or two."""


def resolve_signals(
    config: TrainConfig, info: DataInfo, signal: SignalInput, weights: Weights | None
) -> TrainConfig:
    """Fit the settings to signals: dimensions, channels, classes, length.

    Signals are normalised by their own statistics, also where training starts from weights:
    sensors differ more than cameras.

    Raises:
        ConfigError: The network is not for signals, a setting is for images, or the weights to
            start from take signals of other dimensions or channels.
        CheckpointError: They do not fit the network.
    """
    if not isinstance(config.model, ResNeXtConfig):
        raise ConfigError(
            f"{config.model.family} is for images; for signals name a residual network, such as "
            "resnext_1-1-1-1_8x8d_cifar, or leave it out"
        )
    if config.view != ViewConfig():
        raise ConfigError("view is for images: signals are evaluated whole; leave it out")
    if config.size_schedule != (1.0,):
        raise ConfigError(
            f"size_schedule={config.size_schedule!r} is for images: signals have one size; leave "
            "it out"
        )
    model = config.model.replace(
        ndim=signal.ndim, num_classes=len(info.classes), in_channels=signal.in_channels
    )
    if weights is not None:
        given = (getattr(weights.config, "ndim", 2), weights.config.in_channels)
        if given != (signal.ndim, signal.in_channels):
            raise ConfigError(
                f"{weights.name}: these weights take {given[1]} channel(s) in {given[0]} "
                f"dimension(s), {info.name} has {signal.in_channels} in {signal.ndim}; take other "
                "weights or data"
            )
        check_pretrained(model, weights)
    data = config.data
    if signal.kind == "series":
        data = data.replace(length=signal.size)
    if signal.sound is not None:
        data = data.replace(
            audio=data.audio.as_trained(signal.sound, signal.size, signal.in_channels)
        )
    return config.replace(model=model, task=fit_task(config.task, info.targets).name, data=data)


def build_signal_loaders(
    config: TrainConfig, data: DataSet, runtime: Runtime, task: Task, bad_files: BadFiles
) -> Loaders:
    """Build the loaders of a run on signals.

    Raises:
        ConfigError: The augmentation is for images or signals of another kind.
    """
    signal, train, val = data.info.signal, data.train, data.val
    assert signal is not None
    assert isinstance(train, SignalSplit)
    assert isinstance(val, SignalSplit)
    record_left_out(train, bad_files)
    record_left_out(val, bad_files)
    loading = TrainLoaderConfig(
        augment=config.augment,
        seed=config.seed,
        batch_size=config.batch_size,
        device=runtime.device,
        rank=runtime.rank,
        world_size=runtime.world_size,
    )
    train_loader = SignalTrainLoader(train, signal, config.signal_augment, loading)
    eval_loading = LoaderConfig(
        batch_size=max(
            2 * train_loader.largest_share, _EVALUATED if signal.kind == "series" else 1
        ),
        device=runtime.device,
        rank=runtime.rank,
        world_size=runtime.world_size,
    )
    val_loader = SignalEvalLoader(val, signal, eval_loading)
    val_steps = len(val) * train_loader.num_steps / len(train)
    guess = task.guess(train.targets_n, val.targets_n)
    return Loaders(data.info, train_loader, val_loader, bad_files, guess, val_steps)
