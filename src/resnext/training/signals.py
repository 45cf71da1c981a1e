"""What a run on signals has instead of that of images: its settings fitted, and its loaders."""

from __future__ import annotations

from dataclasses import replace

from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig, default_workers
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.signals.audio_split import record_left_out
from resnext.data.signals.loaders import SignalTrainLoader
from resnext.data.signals.split import SignalSplit
from resnext.data.signals.video_loaders import VideoTrainLoader, signal_eval_loader
from resnext.data.signals.video_split import VideoSplit
from resnext.data.split import DataInfo, DataSet
from resnext.errors import ConfigError, DataError
from resnext.model.config import ResNeXtConfig
from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.signal import SignalInput
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.tasks.kinds import fit_task
from resnext.tasks.task import Task
from resnext.training.finetune import check_pretrained
from resnext.training.trainer_parts import Loaders
from resnext.weights.change import dimensions, to_start_from
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
        ndim=2 if config.model.pool_time else signal.ndim,
        num_classes=len(info.classes),
        in_channels=signal.in_channels,
        embedding=_embedding(config.model.embedding, signal),
    )
    if weights is not None and signal.text is not None:
        raise ConfigError(
            f"{weights.name}: training on texts begins without weights, because every vocabulary "
            "is another one; leave out --weights"
        )
    if weights is not None:
        given = (getattr(weights.config, "input_ndim", 2), weights.config.in_channels)
        if given != (signal.ndim, signal.in_channels):
            raise ConfigError(
                f"{weights.name}: these weights take {given[1]} channel(s) in {given[0]} "
                f"dimension(s), {info.name} has {signal.in_channels} in {signal.ndim}; take other "
                "weights or data"
            )
        check_pretrained(model, weights)
    data = config.data
    if signal.kind == "video":
        mean, std = signal.mean, signal.std
        if weights is not None and config.data.mean is None:
            mean = weights.card.mean if weights.card.signal is None else weights.card.signal.mean
        if weights is not None and config.data.std is None:
            std = weights.card.std if weights.card.signal is None else weights.card.signal.std
        data = data.replace(image_size_px=signal.size, mean=mean, std=std)
    if signal.kind in ("series", "text"):
        data = data.replace(length=signal.size)
    if signal.sound is not None:
        data = data.replace(
            audio=data.audio.as_trained(signal.sound, signal.size, signal.in_channels)
        )
    return config.replace(model=model, task=fit_task(config.task, info.targets).name, data=data)


def _embedding(given: EmbeddingConfig | None, signal: SignalInput) -> EmbeddingConfig | None:
    """Return the embedding with a vector for each token of the vocabulary."""
    if signal.text is None:
        return None
    return (given or EmbeddingConfig()).replace(num_tokens=signal.text.num_tokens)


def as_configured(signal: SignalInput, config: TrainConfig) -> SignalInput:
    """Return the input with the colours of the settings, where it is video."""
    if signal.kind != "video" or config.data.mean is None or config.data.std is None:
        return signal
    return signal.replace(mean=config.data.mean, std=config.data.std)


def starting_weights(weights: Weights, config: TrainConfig, info: DataInfo) -> Weights:
    """Return what training on these data starts from, of weights that were opened."""
    return _inflate_for_video(to_start_from(weights, config.model), config, info)


def _inflate_for_video(weights: Weights, config: TrainConfig, info: DataInfo) -> Weights:
    """Return weights of images inflated to those of a network for videos; others as they are.

    Kernels get a third dimension of time, in whose middle the old weights are: at first, the
    network sees each frame as before.
    """
    model = config.model
    is_video = info.signal is not None and info.signal.kind == "video"
    if not is_video or not isinstance(model, ResNeXtConfig):
        return weights
    given = weights.config
    if not isinstance(given, ResNeXtConfig) or given.ndim != 2 or given.pool_time:
        return weights
    if model.pool_time:
        return replace(weights, config=given.replace(pool_time=True))
    return dimensions(weights, 3, "centre")


def _check_vocabulary(config: TrainConfig, info: DataInfo) -> None:
    """Refuse texts that changed since the run was started.

    Raises:
        DataError: Their vocabulary has another size than the network's embedding.
    """
    embedding = getattr(config.model, "embedding", None)
    text = None if info.signal is None else info.signal.text
    if text is not None and embedding is not None and text.num_tokens != embedding.num_tokens:
        raise DataError(
            f"{info.name}: the training texts have {text.num_tokens:,} tokens, the network was "
            f"built for {embedding.num_tokens:,}; a run can only be resumed on the texts it was "
            "started with"
        )


def build_signal_loaders(
    config: TrainConfig, data: DataSet, runtime: Runtime, task: Task, bad_files: BadFiles
) -> Loaders:
    """Build the loaders of a run on signals.

    Raises:
        ConfigError: The augmentation is for images or signals of another kind.
        DataError: The texts changed since the run was started.
    """
    signal, train, val = data.info.signal, data.train, data.val
    assert signal is not None
    _check_vocabulary(config, data.info)
    record_left_out(train, bad_files)
    record_left_out(val, bad_files)
    loading = TrainLoaderConfig(
        augment=config.augment,
        seed=config.seed,
        batch_size=config.batch_size,
        device=runtime.device,
        rank=runtime.rank,
        world_size=runtime.world_size,
        workers=default_workers() if config.data.workers is None else config.data.workers,
    )
    train_loader: SignalTrainLoader | VideoTrainLoader
    if isinstance(train, VideoSplit):
        train_loader = VideoTrainLoader(train, signal, config.signal_augment, loading)
    else:
        assert isinstance(train, SignalSplit)
        train_loader = SignalTrainLoader(train, signal, config.signal_augment, loading)
    eval_loading = LoaderConfig(
        batch_size=max(
            2 * train_loader.largest_share, _EVALUATED if signal.kind in ("series", "text") else 1
        ),
        device=runtime.device,
        rank=runtime.rank,
        world_size=runtime.world_size,
        workers=loading.workers,
    )
    val_loader = signal_eval_loader(val, signal, eval_loading)
    val_steps = len(val) * train_loader.num_steps / len(train)
    guess = task.guess(train, val)
    return Loaders(data.info, train_loader, val_loader, bad_files, guess, val_steps)
