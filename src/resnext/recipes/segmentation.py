"""`segmentation`: the recipe for images with masks, from scratch or from trained weights.

The learning rate falls by the poly schedule, images are scaled by half to twice their size, and a
second head helps the first stages, as in the networks whose heads are used (L.-C. Chen et al.,
arXiv 1706.05587, section 4.1; H. Zhao et al., arXiv 1612.01105, section 3.3). AdamW with a clipped
gradient takes the place of SGD, as in the other recipes for your own files. From trained
weights, all layers learn at once, the head fastest.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.choices import DECODERS, Head
from resnext.model.config import ModelConfig, ResNeXtConfig, SegmenterConfig
from resnext.model.names import name_of, parse_name
from resnext.recipes.presets import default_model
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig

if TYPE_CHECKING:
    from resnext.recipes.photos import PhotoFacts

DEFAULT_HEAD: Head = "deeplabv3"

_CPU_MODEL, _CPU_STRIDE, _CPU_DECODED = "resnext_1-1-1_16x4d", 16, "resnext_1-1-1-1_16x4d"
_CPU_SIDE_PX, _GPU_SIDE_PX = 160, 480
_SIDE_STEP_PX = 16
_BATCH_SIZE = 8
_MIN_EPOCHS, _MAX_EPOCHS, _EPOCH_IMAGES = 20, 100, 20_000
_USUAL_NUM_TRAIN = 1_000


def segmentation(
    model: ModelConfig,
    data: DataConfig,
    facts: PhotoFacts | None = None,
    weights: Path | None = None,
) -> TrainConfig:
    """Return the recipe for images with masks.

    Args:
        model: A segmenter.
        data: The images.
        facts: What was seen of them; without, crops and length are those for a thousand images.
        weights: What names the weights to start from, if any.
    """
    num_train = _USUAL_NUM_TRAIN if facts is None else facts.num_train
    if data.image_size_px is None:
        data = data.replace(image_size_px=crop_px(facts))
    return TrainConfig(
        recipe="segmentation",
        model=model,
        data=data,
        augment=AugmentConfig(crop="scaled", flip=True),
        optim=OptimConfig(
            kind="adamw",
            lr=1e-3 if weights is None else 3e-4,
            lr_batch_size=_BATCH_SIZE,
            weight_decay=0.05,
            decay_norm=False,
            clip_norm=1.0,
            head_lr_factor=1.0 if weights is None else 3.0,
        ),
        schedule=ScheduleConfig(kind="poly", epochs=num_epochs(num_train), warmup=0.05),
        batch_size=min(_BATCH_SIZE, max(num_train, 2)),
        ema_decay=0.99,
        weights=weights,
    )


def num_epochs(num_train: int) -> int:
    """Return the length of training."""
    wanted = _MIN_EPOCHS + round(_EPOCH_IMAGES / num_train)
    return min(wanted, _MAX_EPOCHS)


def crop_px(facts: PhotoFacts | None) -> int:
    """Return the side of the training windows: the short side, as far as the machine allows."""
    largest = _GPU_SIDE_PX if facts is not None and facts.has_gpu else _CPU_SIDE_PX
    side = largest if facts is None else min(facts.short_side_px or largest, largest)
    return max(side // _SIDE_STEP_PX, 2) * _SIDE_STEP_PX


def default_segmenter(data: DataConfig, facts: PhotoFacts | None, head: Head) -> SegmenterConfig:
    """Return the default network: a small one on a CPU."""
    if facts is None or facts.has_gpu:
        return put_head(parse_name(default_model(data)), head)
    if head in DECODERS:  # they go back from small maps themselves, `fpn` from those of four stages
        return put_head(parse_name(_CPU_DECODED), head)
    small = put_head(parse_name(_CPU_MODEL), head)
    backbone = small.backbone.replace(output_stride=_CPU_STRIDE)
    return small.replace(backbone=backbone)


def put_head(model: ModelConfig, head: Head | None) -> SegmenterConfig:
    """Return a network that gives every pixel a class: a head on a classifier's backbone.

    Args:
        model: A network; one that is a segmenter already stays. Heads on one map get a second
            one for training.
        head: Which head; None takes the network's own, or the default.

    Raises:
        ConfigError: The network has another head, or is no residual network.
    """
    if isinstance(model, SegmenterConfig):
        if head is not None and head != model.family:
            raise ConfigError(
                f"--head {head}: the network is {name_of(model)}, whose head is another; leave "
                "--head out, or name the network behind the head"
            )
        segmenter = model
    elif isinstance(model, ResNeXtConfig):
        named = parse_name(f"{head or DEFAULT_HEAD}_{name_of(model)}")
        assert isinstance(named, SegmenterConfig)
        stride = model.output_stride or named.backbone.output_stride
        backbone = model.replace(num_classes=0, output_stride=stride)
        segmenter = named.replace(backbone=backbone)
    else:
        raise ConfigError(
            f"masks need a residual network under a head, not {model.family}; name one such as "
            "resnext50_32x4d"
        )
    has_aux = segmenter.family not in DECODERS and len(segmenter.backbone.blocks_per_stage) > 1
    return segmenter.replace(aux_head=has_aux)
