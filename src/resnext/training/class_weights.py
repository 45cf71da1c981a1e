"""Class weights of the loss.

`balanced` gives class k the weight N / (K n_k), for n_k of N training images and K classes, as
scikit-learn's `class_weight="balanced"`: every class has the same share of the loss. Fixed weights
are preferred to oversampling rare classes: they do not change the order of images, the length of an
epoch or how often each image is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch

from resnext.data.split import DataSet
from resnext.data.targets import count_per_class
from resnext.errors import ConfigError
from resnext.untrusted.names import list_names, shown

Setting = str | Mapping[str, float] | tuple[float, ...] | None
"""See `class_weight_setting`."""

_list_names = partial(list_names, write=shown)


def weigh_classes(setting: Setting, data: DataSet) -> torch.Tensor | None:
    """Return the weight of each class; see `scaled_weights`.

    Args:
        setting: The setting `class_weights`.
        data: The classes, and the training images of each.

    Raises:
        ConfigError: The setting does not fit the classes.
    """
    if setting is None:
        return None
    counts_k = count_per_class(data.train.targets_n, len(data.info.classes))
    return scaled_weights(setting, counts_k, data.info.classes)


def scaled_weights(
    setting: Setting, counts_k: Sequence[int], classes: Sequence[str]
) -> torch.Tensor | None:
    """Return the weight of each class, scaled so that the mean over the training images is 1.

    This preserves the scale of the loss, so the learning rate does not need to change.

    Args:
        setting: The setting `class_weights`.
        counts_k: Training images of each class.
        classes: Names of the k classes.

    Returns:
        k weights, float32; None weights all equally.

    Raises:
        ConfigError: A class is unknown or has no training image, or a list has another length.
    """
    if setting is None:
        return None
    if setting == "balanced":
        _check_not_empty(classes, counts_k, classes)
        raw_k = [1.0 / count for count in counts_k]
    elif isinstance(setting, Mapping):
        _check_names(list(setting), classes)
        _check_not_empty(list(setting), counts_k, classes)
        raw_k = [setting.get(name, 1.0) for name in classes]
    else:
        if len(setting) != len(classes):
            raise ConfigError(
                f"class_weights has {len(setting)} weights, but there are {len(classes)} "
                f"classes: {_list_names(classes)}; give one weight for each in this order, or "
                f"weights by name: class_weights={classes[0]}=2"
            )
        _check_not_empty(classes, counts_k, classes)
        raw_k = [float(weight) for weight in setting]
    weights_k = torch.tensor(raw_k, dtype=torch.float64)
    images_k = torch.tensor(counts_k, dtype=torch.float64)
    return (weights_k * images_k.sum() / (weights_k * images_k).sum()).float()


def describe_weights(weights_k: torch.Tensor, classes: Sequence[str]) -> str:
    """Describe the smallest and the largest weight."""
    low, high = int(weights_k.argmin()), int(weights_k.argmax())
    return (
        f"class weights in the training loss from {float(weights_k[low]):.3g} ({classes[low]}) "
        f"to {float(weights_k[high]):.3g} ({classes[high]})"
    )


def _check_names(names: Sequence[str], classes: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(classes))
    if unknown:
        raise ConfigError(
            f"class_weights names {_list_names(unknown)}, which the training images do not have; "
            f"their classes are {_list_names(classes)}"
        )


def _check_not_empty(names: Sequence[str], counts_k: Sequence[int], classes: Sequence[str]) -> None:
    count_of = dict(zip(classes, counts_k, strict=True))
    empty = [name for name in names if not count_of[name]]
    if empty:
        raise ConfigError(
            f"class_weights does not apply to {_list_names(empty)}: there are no training images "
            "of it; add some, remove the class, or give weights to other classes by name only"
        )
