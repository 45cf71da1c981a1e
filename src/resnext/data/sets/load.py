"""From the settings to the data set that they name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS, PYTHON
from resnext.data.split import DataSet, Split
from resnext.errors import ConfigError, DataError


def load_data(config: DataConfig, given: DataSet | None = None) -> DataSet:
    """Read the arrays of a set that fits in memory, or list the files of any other.

    Args:
        config: Name, root and crop; see `DataConfig`.
        given: The set itself, where a Python program brings it.

    Returns:
        Both splits, their classes and statistics; the size is the configured one.

    Raises:
        DataError: The set is missing, malformed or cannot be fetched.
        DownloadError: A packed set's index or table cannot be fetched from its address.
        ConfigError: A root is given for a set that has none, or more training images are
            asked for than there are.
    """
    data = _load(config) if given is None else given
    if config.classes is not None:
        data = _keep_classes(data, config.classes)
    if config.num_train is not None:
        if config.num_train > len(data.train):
            raise ConfigError(
                f"data.num_train={config.num_train}: {data.info.name} has {len(data.train)} "
                "training images; ask for at most those"
            )
        data = replace(data, train=data.train.sample(config.num_train))
    if data.info.signal is not None:
        return data
    size_px = config.image_size_px or data.info.image_size_px
    return replace(data, info=replace(data.info, image_size_px=size_px))


def _keep_classes(data: DataSet, classes: tuple[str, ...]) -> DataSet:
    """Leave the images of other classes out of both splits."""
    unknown = sorted(set(classes) - set(data.info.classes))
    if unknown:
        raise ConfigError(
            f"data.classes: {data.info.name} has no class {unknown[0]!r}; its classes are "
            f"{', '.join(data.info.classes[:20])}{', ...' if len(data.info.classes) > 20 else ''}"
        )
    new_label_k = torch.full((len(data.info.classes),), -1)
    indices = {name: index for index, name in enumerate(data.info.classes)}
    for label, name in enumerate(classes):
        new_label_k[indices[name]] = label

    def keep(split: Split) -> Split:
        if split.targets_n.ndim > 1:  # an image may have labels that stay and others
            return split.relabel(split.targets_n[:, [indices[name] for name in classes]])
        targets_n = new_label_k[split.targets_n]
        kept_n = (targets_n >= 0).nonzero().flatten()
        return split.choose(kept_n).relabel(targets_n[kept_n])

    test = None if data.test is None else keep(data.test)
    info = replace(data.info, classes=classes)
    return replace(data, info=info, train=keep(data.train), val=keep(data.val), test=test)


def _load(config: DataConfig) -> DataSet:
    if config.name == "digits":
        from resnext.data.sets.digits import load_digits_set

        if config.root is not None:
            raise ConfigError(f"root={str(config.root)!r}: digits are built in and have no folder")
        return load_digits_set()
    if config.name == "fashion-mnist":
        from resnext.data.sets.fashion_mnist import load_fashion_mnist

        return load_fashion_mnist(_root(config))
    if config.name in ("cifar10", "cifar100"):
        from resnext.data.sets.cifar import load_cifar

        return load_cifar(int(config.name.removeprefix("cifar")), _root(config))
    if config.name == PYTHON:
        raise DataError(
            "the images of this run came from a Python program and are not on disk; give the same "
            "dataset there: resnext.open_run(RUN).resume(dataset), or .evaluate(dataset). "
            "`resnext evaluate` takes other images: --data DATA"
        )
    from resnext.data.sets.folders import load_folder, load_imagenet
    from resnext.data.shards.load import load_remote_shards, load_shards

    if config.url is not None:
        return load_remote_shards(config.url, config.cache_gib, config.shuffle_gib)
    assert config.root is not None  # DataConfig sees to it
    if config.name == "shards":
        return load_shards(config.root, config.shuffle_gib)
    if config.name == "series":
        from resnext.data.sets.series.load import load_series

        return load_series(config.root, config)
    if config.name == "volume":
        from resnext.data.sets.volume_folders import load_volume_folder
        from resnext.data.sets.volumes import load_volumes

        if config.root.is_dir():
            return load_volume_folder(config.root, config)
        return load_volumes(config.root, config)
    if config.name == "audio":
        from resnext.data.sets.audio.load import load_audio

        return load_audio(config.root, config)
    if config.name == "text":
        from resnext.data.sets.text.load import load_texts

        return load_texts(config.root, config)
    if config.name == "video":
        from resnext.data.sets.videos import load_videos

        return load_videos(config.root, config)
    if config.name == "imagenet":
        return load_imagenet(config.root)
    if config.name == "table":
        from resnext.data.sets.table.columns import GivenColumns
        from resnext.data.sets.table.load import load_table
        from resnext.data.sets.table.targets import TargetRule

        labels = config.label_column
        columns = GivenColumns(
            config.image_column,
            (labels,) if isinstance(labels, str) else labels,
            config.split_column,
        )
        return load_table(
            config.root,
            config.val_fraction,
            columns,
            images=config.images,
            group=config.group,
            rule=TargetRule(config.targets, config.label_separator),
        )
    if config.name == "masks":
        from resnext.data.sets.masks.load import load_masks

        return load_masks(
            config.root, config.val_fraction, ignore_value=config.ignore_value, group=config.group
        )
    if config.name in BOX_SETS:
        from resnext.data.sets.boxes import load_box_data

        return load_box_data(config.name, config.root, config.val_fraction, config.group)
    return load_folder(config.root, config.val_fraction, rule=config.val_split, group=config.group)


def _root(config: DataConfig) -> Path:
    from resnext.cache import cache_folder

    return config.root if config.root is not None else cache_folder(config.name)
