"""All settings of a training run, as data. Nothing here needs torch."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig, ViewConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig, ModelConfig, ResNeXtConfig
from resnext.runs.class_weight_setting import ClassWeights
from resnext.settings import FiniteSettings, SystemPath
from resnext.tasks.kinds import DEFAULT_TASK
from resnext.untrusted.names import is_utf8, shown

MAX_SEED = 2**63 - 1
_MAX_THREADS = 2**16
_MAX_MINUTES = 1e6
_MAX_SHARE = 16.0
_FORMER_LAYOUT = "channels_last"
_MIN_PATIENCE = 5
_PATIENCE_SHARE = 0.2

TaskName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Layout = Literal["auto", "channels_last", "contiguous"]
Merging = Literal["auto", "by_width", "always", "never"]


class OptimConfig(FiniteSettings):
    """Optimiser: SGD with momentum, as in the paper, or AdamW.

    Attributes:
        kind: `sgd`, or `adamw` with decoupled weight decay.
        lr: Peak learning rate for a global batch of `lr_batch_size` images.
        lr_batch_size: Batch size that `lr` is for; the learning rate scales linearly with the
            global batch.
        momentum: Momentum of SGD; the first beta of AdamW.
        nesterov: Use Nesterov momentum with SGD.
        weight_decay: L2 penalty for SGD; for AdamW, the fraction of a weight that a step at
            learning rate 1 removes.
        decay_norm: Also decay the weights and biases of BN (the paper does).
        clip_norm: Maximum norm of the gradient; None disables clipping.
        head_lr_factor: Multiplier of the learning rate of the classifier (fine-tuning).
        layer_decay: Multiplier of the learning rate, applied once more per stage with distance from
            the classifier: the last of four stages has this factor, the first its fourth power, the
            stem its fifth. 1 gives all layers the same rate.
    """

    kind: Literal["sgd", "adamw"] = "sgd"
    lr: PositiveFloat = 0.1
    lr_batch_size: PositiveInt = 256
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    nesterov: bool = True
    weight_decay: NonNegativeFloat = 1e-4
    decay_norm: bool = True
    clip_norm: PositiveFloat | None = None
    head_lr_factor: PositiveFloat = 1.0
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0


class ScheduleConfig(FiniteSettings):
    """The learning rate over time, updated at every step.

    Attributes:
        kind: `step` divides at milestones; `cosine` falls along half a cosine; `onecycle`
            rises to the peak during warm-up and falls linearly; `poly` falls as a power of the
            share that is left, as is usual for masks.
        epochs: Number of training epochs.
        warmup: Fraction of training with a linearly increasing rate.
        milestones: Fractions of training at which `step` multiplies the rate by `gamma`.
        gamma: Factor of `step`.
        power: Exponent of `poly`.
        final: Share of the peak rate that all kinds but `step` end with.
        head_first: Fraction of training, at the start, that only trains the classifier, at its peak
            rate; the other layers and their BN statistics stay as loaded. The schedule starts
            afterwards.
    """

    kind: Literal["step", "cosine", "onecycle", "poly"] = "cosine"
    epochs: PositiveInt = 100
    warmup: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    milestones: tuple[float, ...] = ()
    gamma: PositiveFloat = 0.1
    power: PositiveFloat = 0.9
    final: NonNegativeFloat = 0.0
    head_first: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        rising = all(a < b for a, b in zip(self.milestones, self.milestones[1:], strict=False))
        if not rising or not all(0.0 < share < 1.0 for share in self.milestones):
            raise ConfigError(
                f"milestones={self.milestones!r}: give increasing fractions of training between "
                "0 and 1"
            )
        if self.milestones and self.kind != "step":
            raise ConfigError(f"milestones need kind='step', not kind={self.kind!r}")
        without_effect = "final" if self.kind == "step" else "gamma"
        value = getattr(self, without_effect)
        if value != type(self).model_fields[without_effect].default:
            kinds = "'cosine', 'onecycle' or 'poly'" if self.kind == "step" else "'step'"
            raise ConfigError(
                f"{without_effect}={value} needs kind={kinds}, not kind={self.kind!r}; leave it "
                "out, or set the kind first"
            )
        if self.kind != "poly" and self.power != type(self).model_fields["power"].default:
            raise ConfigError(f"power={self.power} needs kind='poly', not kind={self.kind!r}")
        return self


class RuntimeConfig(FiniteSettings):
    """Where and how the computation runs; affects only speed and rounding.

    Attributes:
        device: `auto` uses a GPU if there is one.
        precision: `auto` is bf16 on a GPU or CPU with bf16 instructions, otherwise fp32 at full
            precision, without TF32.
        layout: Memory layout of images and weights: `channels_last` or `contiguous` (channels
            first). `auto` takes the faster one: from a table for runs of a few minutes, by timing
            the run's own steps for longer ones. The choice is written to the run's settings.
        compile: Compile the network with `torch.compile`. `auto` tries it for runs of half an hour
            or more.
        merge_groups: Compute neighbouring groups of a convolution as one, with zeros in between,
            because CPUs are slow with narrow groups. `by_width` merges where that is known to be
            faster, `always` merges all groups narrower than 8 channels, `auto` decides as for
            `layout`.
        deterministic: On a GPU, use kernels that give the same bits in every run, so that a resumed
            run equals one that was not interrupted. false lets cuDNN time its kernels and use the
            fastest. A CPU always gives the same bits.
        threads: CPU threads of one process; None uses torch's default.
        timeout_minutes: A process that waits for the others longer than this gives up, so that a
            hanging process is detected.
        compress_gradients: Exchange gradients between processes in bf16, which halves the traffic.
    """

    device: str = "auto"
    precision: Precision = "auto"
    layout: Layout = "channels_last"
    compile: bool | Literal["auto"] = False
    merge_groups: Merging = "by_width"
    deterministic: bool = True
    threads: Annotated[int, Field(gt=0, le=_MAX_THREADS)] | None = None
    timeout_minutes: Annotated[float, Field(gt=0.0, le=_MAX_MINUTES)] = 10.0
    compress_gradients: bool = False

    @property
    def is_open(self) -> bool:
        """Whether any setting is still to be chosen by speed."""
        return "auto" in (self.layout, self.compile, self.merge_groups)

    @model_validator(mode="before")
    @classmethod
    def _read_former_name(cls, values: Any) -> Any:
        """Convert `channels_last: true` of earlier versions."""
        if not isinstance(values, dict) or _FORMER_LAYOUT not in values:
            return values
        if "layout" in values:
            raise ConfigError(
                f"{_FORMER_LAYOUT} is the former name of layout; give layout=channels_last, "
                "contiguous or auto"
            )
        kept = {name: value for name, value in values.items() if name != _FORMER_LAYOUT}
        is_last = values[_FORMER_LAYOUT]
        if not isinstance(is_last, bool):
            raise ConfigError(f"{_FORMER_LAYOUT}={is_last!r}: give true or false")
        return kept | {"layout": "channels_last" if is_last else "contiguous"}


class TrainConfig(FiniteSettings):
    """One training run.

    Attributes:
        recipe: Name of the recipe that the settings are based on, for information.
        model: The network.
        data: The images.
        augment: Augmentation of the training images.
        signal_augment: Augmentation of the training signals, where the data are time series or
            volumes; of `augment` only mixup applies to them.
        view: Crop of the validation images.
        optim: The optimiser.
        schedule: The learning rate over time.
        runtime: Device, precision, threads.
        batch_size: Images per optimiser step, over all processes.
        accumulate: Number of parts in which a step's batch is processed, to save memory.
        task: What the network learns: `classification`, `multilabel`, `segmentation`, `detection`,
            or one of a plugin. It follows from the data, and needs to be named only where two tasks
            learn the same targets.
        loss: Name of the loss; `auto` uses the task's default. `multilabel` has `bce` (binary
            cross-entropy) and `asymmetric`, for labels that rarely apply; `segmentation` has
            `cross_entropy` and `cross_entropy_dice`, for small objects.
        label_smoothing: Fraction of the label spread over all classes.
        class_weights: Weight of an image in the training loss, by class. `balanced` weights each
            class by 1 / its number of training images, like `--balance`. Weights by name, such as
            `dress=2,hat=1.5`, leave the other classes at 1; a list such as [1, 2, 1] sets all
            classes in order. Weights are scaled to a mean of 1 over the training images. Validation
            is never weighted.
        ema_decay: Decay per step of the averaged weights; None disables averaging.
        size_schedule: Fractions of `image_size_px` for equal parts of training; (0.75, 1.0) trains
            on smaller images first.
        early_stopping: Stop if the validation error has not improved for this many epochs, not
            counting warm-up; null trains to the end. The schedule is not shortened: a run that
            stops early never reaches its low learning rates.
        keep: Keep the weights with the lowest validation error, or the last. Selecting on the
            validation images makes their error slightly optimistic, which a comparison must avoid.
        seed: Seed of initial weights, order and augmentation.
        weights: Start from these weights: a run, a file, a name in the catalogue or a repository on
            the Hub; the head is new if the classes differ.
        freeze_until: Freeze the stem and this many stages as loaded.
        freeze_norm: Freeze the statistics and parameters of BN.
        sync_norm: Compute BN's training statistics over the whole batch of all processes instead of
            each process's part; needs GPUs; useful for small batches per process.
        checkpoint_minutes: Minutes between checkpoints within an epoch.
    """

    recipe: str = ""
    model: ModelConfig = ResNeXtConfig()
    data: DataConfig = DataConfig()
    augment: AugmentConfig = AugmentConfig()
    signal_augment: SignalAugmentConfig = SignalAugmentConfig()
    view: ViewConfig = ViewConfig()
    optim: OptimConfig = OptimConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    batch_size: PositiveInt = 128
    accumulate: PositiveInt = 1
    task: TaskName = DEFAULT_TASK
    loss: TaskName = "auto"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    class_weights: ClassWeights | None = None
    ema_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    size_schedule: tuple[Annotated[float, Field(gt=0.0, le=_MAX_SHARE)], ...] = (1.0,)
    early_stopping: PositiveInt | None = None
    keep: Literal["best", "last"] = "best"
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    weights: SystemPath | None = None
    freeze_until: NonNegativeInt = 0
    freeze_norm: bool = False
    sync_norm: bool = False
    checkpoint_minutes: PositiveFloat = 10.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ConfigError(
                f"accumulate={self.accumulate} does not divide batch_size={self.batch_size}"
            )
        if self.optim.layer_decay != 1.0 and isinstance(self.model, BaselineConfig):
            raise ConfigError(
                f"optim.layer_decay={self.optim.layer_decay} needs stages, but "
                f"{self.model.family} has none; leave it at 1"
            )
        if not self.size_schedule:
            raise ConfigError(
                "size_schedule=() is empty; give at least one fraction, such as (1.0,) for "
                "images of one size"
            )
        for setting, path in (("data.root", self.data.root), ("weights", self.weights)):
            if path is not None and not is_utf8(str(path)):
                raise ConfigError(
                    f"{setting}={shown(str(path))} is not valid UTF-8, the encoding of a run's "
                    "settings; rename it, or use a symbolic link"
                )
        if self.freeze_until and self.weights is None:
            raise ConfigError(
                f"freeze_until={self.freeze_until} would freeze random weights; give "
                "weights=RUN, FILE or NAME"
            )
        if self.schedule.head_first and self.weights is None:
            raise ConfigError(
                f"schedule.head_first={self.schedule.head_first:g} would train a classifier on "
                "random weights; give weights=RUN, FILE or NAME"
            )
        return self


def default_patience(num_epochs: int) -> int:
    """Return the default patience of early stopping: a fifth of all epochs, at least five.

    On a small validation set the error fluctuates more between epochs than training lowers it, and
    much of the gain comes late, with a decreasing learning rate.
    """
    return max(_MIN_PATIENCE, math.ceil(_PATIENCE_SHARE * num_epochs))
