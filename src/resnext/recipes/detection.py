"""`detection`: the recipe for images with boxes, from scratch or from weights; and the paper's.

It is the "1x" schedule of the libraries that made detectors common: SGD at a rate for 16 images a
step, 12 epochs of COCO with a warm-up, and the rate divided by 10 after 8/12 and 11/12 of training
(R. Girshick et al., Detectron, https://github.com/facebookresearch/Detectron, MODEL_ZOO.md; the
rates are those of T.-Y. Lin et al., arXiv 1708.02002, section 4, and arXiv 1612.03144, section 5).
Small sets are trained for more epochs. From scratch, AdamW with a clipped gradient takes the place
of SGD, which needs many more steps there. From trained weights, BN of the backbone is frozen, and
so are the stem and the first stage, as in torchvision's reference.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig, ModelConfig, ResNeXtConfig, SegmenterConfig
from resnext.model.detector_config import DetectorHead
from resnext.model.detector_names import WORDS
from resnext.model.names import name_of, parse_name
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig

if TYPE_CHECKING:
    from resnext.recipes.photos import PhotoFacts

DEFAULT_HEAD: DetectorHead = "retinanet"
PAPER_HEAD: DetectorHead = "faster_rcnn_c4"

_CPU_MODEL, _GPU_MODEL = "resnext_1-1-1-1_16x4d", "resnext50_32x4d"
_CPU_SIDE_PX, _CPU_ANCHORS_PX, _CPU_CHANNELS = 320, (16, 32, 64, 128, 256), 64
_MAX_RATIO = 1333 / 800
_LR_BATCH_SIZE = 16
_RETINANET_LR, _REGIONS_LR = 0.01, 0.02
_CPU_BATCH_SIZE = 8
_MIN_EPOCHS, _MAX_EPOCHS, _EPOCH_IMAGES = 12, 60, 10_000
_USUAL_NUM_TRAIN = 1_000
_WARMUP = 0.05
_MAX_GRADIENT = 10.0
_SCRATCH = OptimConfig(
    kind="adamw", lr=1e-3, lr_batch_size=8, weight_decay=0.05, decay_norm=False, clip_norm=1.0
)
_FROZEN_STAGES = 1
_PAPER_SIDE_PX, _PAPER_RATIO, _PAPER_ANCHORS_PX = 600, 1000 / 600, (64, 128, 256, 512)


def detection(
    model: DetectorConfig,
    data: DataConfig,
    facts: PhotoFacts | None = None,
    weights: Path | None = None,
) -> TrainConfig:
    """Return the recipe for images with boxes.

    Args:
        model: A detector.
        data: The images.
        facts: What was seen of them; without, the length is that for a thousand images.
        weights: What names the weights to start from, if any.
    """
    num_train = _USUAL_NUM_TRAIN if facts is None else facts.num_train
    is_small = facts is None or not facts.has_gpu
    batch_size = _CPU_BATCH_SIZE if is_small else _LR_BATCH_SIZE
    return TrainConfig(
        recipe="detection",
        model=model.replace(frozen_norm=weights is not None),
        data=data,
        augment=AugmentConfig(crop="scaled", scale=(0.8, 1.2), flip=True),
        optim=_SCRATCH if weights is None else _tuned(model),
        schedule=ScheduleConfig(
            kind="step", epochs=num_epochs(num_train), warmup=_WARMUP, milestones=(8 / 12, 11 / 12)
        ),
        batch_size=min(batch_size, max(num_train, 2)),
        weights=weights,
        freeze_until=0 if weights is None else _FROZEN_STAGES,
    )


def _tuned(model: DetectorConfig) -> OptimConfig:
    return OptimConfig(
        lr=_RETINANET_LR if model.family == "retinanet" else _REGIONS_LR,
        lr_batch_size=_LR_BATCH_SIZE,
        nesterov=False,
        weight_decay=1e-4,
        clip_norm=_MAX_GRADIENT,
    )


def paper(model: DetectorConfig, data: DataConfig, weights: Path) -> TrainConfig:
    """Return the recipe of the paper's Table 8.

    That is its schedule for the second stage: 180,000 steps of 8 images, 12 epochs of COCO; the
    rate is divided by 10 after two thirds. The paper trains the proposals as a network of their
    own; here both share the backbone and are trained together. Sizes and anchors are those of S.
    Ren et al. on COCO.

    Source: arXiv 1611.05431, appendix B; arXiv 1506.01497, sections 3.3 and 4.2.

    Args:
        model: A detector.
        data: The images.
        weights: What names the weights of the backbone.
    """
    if model.family == "faster_rcnn_c4":
        model = model.replace(anchor_sizes_px=_PAPER_ANCHORS_PX)
    size_px = data.image_size_px or _PAPER_SIDE_PX
    model = model.replace(
        min_size_px=size_px, max_size_px=round(size_px * _PAPER_RATIO), frozen_norm=True
    )
    return TrainConfig(
        recipe="paper",
        model=model,
        data=data,
        augment=AugmentConfig(flip=True),
        optim=OptimConfig(lr=0.005, lr_batch_size=8, nesterov=False, weight_decay=1e-4),
        schedule=ScheduleConfig(kind="step", epochs=_MIN_EPOCHS, milestones=(2 / 3,)),
        batch_size=8,
        weights=weights,
        freeze_until=_FROZEN_STAGES,
    )


def num_epochs(num_train: int) -> int:
    """Return the length of training."""
    wanted = _MIN_EPOCHS + round(_EPOCH_IMAGES / num_train)
    return min(wanted, _MAX_EPOCHS)


def default_detector(facts: PhotoFacts | None, head: DetectorHead | None) -> DetectorConfig:
    """Return the default network: a small one on a CPU."""
    has_gpu = facts is not None and facts.has_gpu
    return put_detector(parse_name(_GPU_MODEL if has_gpu else _CPU_MODEL), head, facts)


def fit_size(model: DetectorConfig, data: DataConfig, facts: PhotoFacts | None) -> DetectorConfig:
    """Return a network at the size of images that the machine allows, or at the given one.

    The anchors of a network at torchvision's size of 800 pixels become smaller with the images.
    """
    has_gpu = facts is not None and facts.has_gpu
    size_px = data.image_size_px or (model.min_size_px if has_gpu else _CPU_SIDE_PX)
    anchors = DetectorConfig.model_fields["anchor_sizes_px"].default
    if model.anchor_sizes_px == anchors and size_px <= 1.5 * _CPU_SIDE_PX:
        model = model.replace(anchor_sizes_px=_CPU_ANCHORS_PX)
    return model.replace(min_size_px=size_px, max_size_px=round(size_px * _MAX_RATIO))


def put_detector(
    model: ModelConfig, head: DetectorHead | None, facts: PhotoFacts | None
) -> DetectorConfig:
    """Return a network that finds objects: a head on a classifier's backbone.

    Args:
        model: A network; one that is a detector already stays.
        head: Which head; None takes the network's own, or the default.
        facts: What was seen of the images; without a GPU the head is narrower.

    Raises:
        ConfigError: The network has another head, or is no residual network.
    """
    if isinstance(model, DetectorConfig):
        if head is not None and head != model.family:
            raise ConfigError(
                f"--head {head}: the network is {name_of(model)}, whose head is another; leave "
                "--head out, or name the network behind the head"
            )
        return model
    backbone = model.backbone if isinstance(model, SegmenterConfig) else model
    if not isinstance(backbone, ResNeXtConfig):
        raise ConfigError(
            f"boxes need a residual network under a head, not {model.family}; name one such as "
            "resnext50_32x4d"
        )
    family = head or DEFAULT_HEAD
    named = parse_name(f"{WORDS[family]}_{_GPU_MODEL}")
    assert isinstance(named, DetectorConfig)
    has_gpu = facts is not None and facts.has_gpu
    return named.replace(
        backbone=backbone.replace(num_classes=0, output_stride=None),
        pyramid_channels=(
            named.pyramid_channels if has_gpu or family == "faster_rcnn_c4" else _CPU_CHANNELS
        ),
    )
