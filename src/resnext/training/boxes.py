"""What a run on images with boxes has instead of that of images: its settings and its loaders."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from resnext.data.bad_files import BadFiles
from resnext.data.box_split import BoxSplit
from resnext.data.config import ViewConfig
from resnext.data.loading.box_loader import BoxEvalLoader, BoxTrainLoader
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.split import DataInfo, DataSet
from resnext.errors import ConfigError, DataError
from resnext.extras import import_for
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.tasks.task import Task
from resnext.training.trainer_parts import Loaders

_HEADS = ("head", "rpn.head", "roi_heads.box_predictor")
"""Modules whose outputs are offsets and scores of boxes."""


def resolve_boxes(config: TrainConfig, model: DetectorConfig) -> TrainConfig:
    """Fit the settings to a detector: the size of images is the network's, unless it is given.

    Args:
        config: The settings.
        model: The network, with the classes and channels of the data.

    Raises:
        ConfigError: A setting is not for detectors, or the figures cannot be computed.
    """
    import_for("average precision of boxes", "faster_coco_eval")
    if config.view != ViewConfig():
        raise ConfigError(
            "view is for classifiers: boxes are evaluated on whole images; leave it out"
        )
    if config.runtime.compile is True:
        raise ConfigError(
            "runtime.compile=true: detectors take images of any size, for which torch would "
            "compile again and again; leave out --compile"
        )
    size_px = config.data.image_size_px or model.min_size_px
    if size_px != model.min_size_px:
        largest_px = round(size_px * model.max_size_px / model.min_size_px)
        model = model.replace(min_size_px=size_px, max_size_px=largest_px)
    return config.replace(model=model, data=config.data.replace(image_size_px=size_px))


def prepare_detector(model: nn.Module, info: DataInfo, runtime: Runtime) -> None:
    """Prepare a detector for training on our batches.

    It normalises as the data say, and does not resize training images, which the loader has done.
    In half precision, what its heads return is made float32: coordinates need more digits.
    """
    from resnext.model.detector import use_statistics

    use_statistics(model, ModelCard(mean=info.mean, std=info.std))
    transform: Any = model.transform
    transform._skip_resize = True
    if runtime.dtype != torch.float32:
        for name, module in model.named_modules():
            if name in _HEADS:
                module.register_forward_hook(_as_float)


def _as_float(module: nn.Module, inputs: object, outputs: Any) -> Any:
    del module, inputs
    if isinstance(outputs, torch.Tensor):
        return outputs.float()
    if isinstance(outputs, dict):
        return {name: value.float() for name, value in outputs.items()}
    return type(outputs)(_as_float(None, None, part) for part in outputs)  # type: ignore[arg-type]


def build_box_loaders(
    config: TrainConfig,
    data: DataSet,
    loading: TrainLoaderConfig,
    task: Task,
    bad_files: BadFiles,
) -> Loaders:
    """Build the loaders of a run on boxes.

    Raises:
        ConfigError: The augmentation does not suit boxes.
        DataError: A split has no object.
    """
    for name, split in (("training", data.train), ("validation", data.val)):
        if not int(split.targets_n.sum()):
            raise DataError(
                f"{data.info.name}: no image of the {name} split has an object; add some, or "
                "remove the split, so that validation images are taken from training"
            )
    assert isinstance(config.model, DetectorConfig)
    max_ratio = config.model.max_size_px / config.model.min_size_px
    with_masks = config.model.family == "mask_rcnn"
    if with_masks:
        _check_outlines(data)
    train = BoxTrainLoader(
        data.train, data.info, loading, max_ratio, bad_files, with_masks=with_masks
    )
    val = BoxEvalLoader(data.val, data.info, loading, max_ratio, bad_files)
    val_steps = len(data.val) * train.num_steps / len(data.train)
    guess = task.guess(data.train, data.val)
    return Loaders(data.info, train, val, bad_files, guess, val_steps)


def _check_outlines(data: DataSet) -> None:
    """Refuse to train masks on objects of which only the box is known."""
    assert isinstance(data.train, BoxSplit)
    if missing := data.train.objects.num_without_outline():
        total = int(data.train.targets_n.sum())
        raise DataError(
            f"{data.info.name}: {missing:,} of {total:,} training objects have no outline (COCO's "
            "segmentation as polygons), which mask_rcnn learns; take --head faster_rcnn, which is "
            "the same network without its masks"
        )
