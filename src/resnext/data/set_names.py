"""The names of data sets, as `--data` and `data.name` take them."""

from __future__ import annotations

from typing import Literal, get_args

DataName = Literal[
    "digits",
    "fashion-mnist",
    "cifar10",
    "cifar100",
    "imagenet",
    "folder",
    "shards",
    "table",
    "masks",
    "python",
    "series",
    "volume",
    "audio",
    "text",
    "video",
    "coco",
    "voc",
    "yolo",
]
PYTHON: Literal["python"] = "python"
"""The images come from the program that calls `resnext.train`, and nothing else can open them."""

BOX_SETS = ("coco", "voc", "yolo")
"""Formats of boxes, which `--data` names as `coco:DIR`, `voc:DIR` and `yolo:DIR`."""

DATA_NAMES: tuple[str, ...] = tuple(name for name in get_args(DataName) if name != PYTHON)
"""The sets that a person can name."""

SIGNAL_NAMES: tuple[DataName, ...] = ("series", "volume", "text", "video", "audio")
"""Sets that hold signals, named as NAME:FILE, video:FOLDER or audio:FOLDER."""
