"""What a network is evaluated on: images, labels, crops, and the choice of classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from resnext.data.config import DataConfig, ViewConfig
from resnext.data.prepare.views import view_of_card
from resnext.data.sets.choose_split import SplitChoice, choose_split, splits_of
from resnext.data.sets.load import load_data
from resnext.data.sets.masks.class_list import find_class_list
from resnext.data.split import DataInfo, DataSet, Split
from resnext.errors import ConfigError, DataError
from resnext.evaluation.fit_signals import as_encoded, as_in_training, fit_signals
from resnext.evaluation.fit_tables import as_in_task
from resnext.evaluation.protocols import load_imagenet_v2, load_real_labels, map_classes
from resnext.model.config import DetectorConfig
from resnext.model.trained import TrainedNetwork
from resnext.tasks.kinds import check_targets, task_kind
from resnext.untrusted.names import list_names


@dataclass(frozen=True)
class Protocol:
    """How to evaluate. The defaults repeat the validation of training.

    Attributes:
        data: Another data set than the run's own.
        split: Which of its splits. A folder without splits is split as for training, or
            evaluated completely where its `val_fraction` is 1.
        view: Other crops than those of validation; a size of None is the size of training.
        real: The official `real.json`, to count with ImageNet's reassessed labels.
        imagenet_v2: The data set is an ImageNet-V2 folder.
        all_classes: Let the network choose between all its classes where the data set has
            only some of them (the paper's 5K-way test); by default between those it has.
    """

    data: DataConfig | None = None
    split: SplitChoice = "val"
    view: ViewConfig | None = None
    real: Path | None = None
    imagenet_v2: bool = False
    all_classes: bool = False


@dataclass(frozen=True)
class EvaluationSet:
    """Images and labels, ready for a loader.

    Attributes:
        info: The classes to choose from, and how the network wants its images.
        split: The images.
        view: Which crops of them.
        class_subset: See `evaluate`.
        real_labels: See `evaluate`.
        source: The data set in words, for the record.
        num_in_set: Images of all splits together.
        num_outputs: Classes of the network, where it chooses between only those of the data set;
            otherwise 0.
        data: The whole data set; None for ImageNet-V2.
    """

    info: DataInfo
    split: Split
    view: ViewConfig
    class_subset: list[int] | None
    real_labels: list[list[int]] | None
    source: dict[str, Any]
    num_in_set: int = 0
    num_outputs: int = 0
    data: DataSet | None = None

    @property
    def choice(self) -> str:
        """In words, that the network chooses between some of its classes; empty if between all."""
        if not self.num_outputs:
            return ""
        return (
            f"chosen among {len(self.info.classes):,} of the network's {self.num_outputs:,} "
            "classes; --all-classes for all"
        )

    @property
    def images(self) -> str:
        """The images in words, such as `all 372 images` or `val split, 27 of 372 images`."""
        num, split = len(self.split), self.source.get("split")
        if split == "all":
            return f"all {num:,} {self.info.noun}"
        return f"{split} split, {num:,} of {max(self.num_in_set, num):,} {self.info.noun}"


def open_target(
    protocol: Protocol, data: DataConfig, model: TrainedNetwork, given: DataSet | None = None
) -> EvaluationSet:
    """Find the images and fit their classes, channels and colours to the network.

    Args:
        protocol: How to evaluate.
        data: The data set.
        model: The network.
        given: The images, where a Python program brings them.

    Raises:
        ConfigError: The protocol contradicts itself, or the channels do not fit.
        DataError: The data set is missing, has classes that the network does not know, or a single
            one of its classes, of which it would always be right.
    """
    info, split, whole = _open_split(protocol, data, model, given)
    num_in_set = len(split) if whole is None else sum(map(len, splits_of(whole).values()))
    check_targets(task_kind(model.card.task), info.name, info.targets)
    info = fit_images(info, split, model)
    class_subset = map_classes(model.card.classes, info.classes, model.config.num_classes)
    if class_subset is not None and _has_unlisted_masks(data):
        info, class_subset = _with_all_classes(info, class_subset, model)
    is_whole = len(split) == num_in_set
    source: dict[str, Any] = {"name": info.name, "split": "all" if is_whole else protocol.split}
    if data.root is not None:
        source["root"] = str(data.root)
    if data.url is not None:
        source["url"] = data.url
    if protocol.real is not None or protocol.all_classes:
        info.require_classes("--real" if protocol.real is not None else "--all-classes")
    num_outputs = 0
    if class_subset is not None and info.targets == "class" and not protocol.all_classes:
        num_outputs = _count_outputs(info, model)
    if num_outputs:
        source["chosen_among"], source["num_outputs"] = len(info.classes), num_outputs
    real_labels = None
    if protocol.real is not None:
        real_labels = load_real_labels(protocol.real, split, len(info.classes))
        source["labels"] = "real"
    if protocol.all_classes and class_subset is not None:
        if real_labels is not None:
            raise ConfigError("ReaL labels number ImageNet's 1000 classes; leave out --all-classes")
        targets_n = torch.tensor(class_subset)[split.targets_n]
        info, split = replace(info, classes=model.classes), split.relabel(targets_n)
        class_subset = None
    if info.signal is not None and protocol.view not in (None, ViewConfig()):
        raise ConfigError(
            "sizes, crops and mirrored views are for images: signals are evaluated whole; leave "
            "out --size, --resize, --ten-crop and --flip"
        )
    if info.targets == "boxes" and protocol.view not in (None, ViewConfig()):
        raise ConfigError(
            "sizes, crops and mirrored views are for classifiers: objects are found in whole "
            "images; leave out --size, --resize, --ten-crop and --flip"
        )
    view = protocol.view or ViewConfig()
    if info.targets not in ("mask", "boxes"):  # whose images are shown as they are
        view = view_of_card(view, model.card)
    return EvaluationSet(
        info, split, view, class_subset, real_labels, source, num_in_set, num_outputs, whole
    )


def _count_outputs(info: DataInfo, model: TrainedNetwork) -> int:
    """Return the number of the network's classes if the data set has fewer; otherwise 0.

    Raises:
        DataError: The data set has one of them.
    """
    num_outputs, num_classes = model.config.num_classes, len(info.classes)
    if num_classes == 1 < num_outputs:
        raise DataError(
            f"{info.name} has one of the network's {num_outputs:,} classes, "
            f"{list_names(info.classes)}; the network would have nothing to choose between and "
            "always be right. Let it choose between all its classes: --all-classes"
        )
    return num_outputs if num_classes < num_outputs else 0


def _has_unlisted_masks(data: DataConfig) -> bool:
    """Return whether classes are the values that happen to occur in masks."""
    return data.name == "masks" and data.root is not None and find_class_list(data.root) is None


def _with_all_classes(
    info: DataInfo, class_subset: list[int], model: TrainedNetwork
) -> tuple[DataInfo, list[int]]:
    """Add the network's classes that occur in no mask: a pixel may be taken for one of them."""
    others = [output for output in range(len(model.classes)) if output not in class_subset]
    classes = info.classes + tuple(model.classes[output] for output in others)
    return replace(info, classes=classes), class_subset + others


def _open_split(
    protocol: Protocol, data: DataConfig, model: TrainedNetwork, given: DataSet | None
) -> tuple[DataInfo, Split, DataSet | None]:
    """Return the images, and the data set that they are a split of."""
    if not protocol.imagenet_v2:
        data = as_in_task(as_in_training(data, model.card.signal), model.card)
        loaded = load_data(data, given)
        split = as_encoded(choose_split(loaded, protocol.split), model.card.signal)
        return loaded.info, split, loaded
    if data.root is None or protocol.split != "val" or protocol.real is not None:
        raise ConfigError(
            "--imagenet-v2 takes its folder from --data, has one split and its own labels: "
            "resnext evaluate RUN --imagenet-v2 --data imagenetv2-matched-frequency-format-val"
        )
    split = load_imagenet_v2(data.root, model.config.num_classes)
    card = model.card
    info = DataInfo("imagenet-v2", model.classes, 3, card.image_size_px, card.mean, card.std)
    return info, split, None


def fit_images(info: DataInfo, split: Split, model: TrainedNetwork) -> DataInfo:
    """Prepare images as the network expects them; files can be read with 1 or 3 channels."""
    in_channels, card = model.config.in_channels, model.card
    if info.signal is not None or card.signal is not None:
        return fit_signals(info, card.signal)
    if split.stored_nhwc is not None and info.in_channels != in_channels:
        raise ConfigError(
            f"the network takes images of {in_channels} channel(s), those of {info.name} have "
            f"{info.in_channels}; choose a data set like that of training"
        )
    size_px = card.image_size_px
    if isinstance(model.config, DetectorConfig):
        size_px = model.config.min_size_px
    return replace(
        info,
        in_channels=in_channels,
        image_size_px=size_px,
        mean=card.mean,
        std=card.std,
    )
