"""Class folders of videos: files, or folders of image files in the order of their names.

`ROOT/train/CLASS/clip.mp4`, or `ROOT/train/CLASS/clip/0001.jpg`, and the same for val and test;
without splits `ROOT/CLASS/...`.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from resnext.data.config import DataConfig
from resnext.data.decode.frame_folder import is_frame_folder
from resnext.data.decode.video import probe_video
from resnext.data.decode.video_limits import VIDEO_SUFFIXES
from resnext.data.sets.class_folders import check_class_folders, name_classes
from resnext.data.sets.layout import find_layout
from resnext.data.sets.listing import subfolders
from resnext.data.sets.notices import warn_once
from resnext.data.sets.signal_folders import settle_splits
from resnext.data.signals.video_split import VideoSplit
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError
from resnext.machine import num_cores
from resnext.model.signal import SignalInput
from resnext.model.video import VideoInput
from resnext.untrusted.names import is_utf8, list_names, shown

DEFAULT_SIDE_PX = 112
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MAX_VIDEOS = 2_000_000
_MIN_CLASSES = 2
_NUM_SHOWN = 5


def load_videos(root: Path, config: DataConfig) -> DataSet:
    """List videos and read their headers; no frame is decoded.

    Args:
        root: The folder.
        config: Size, frames, and the share kept for validation where there is no such split.

    Raises:
        ConfigError: PyAV is not installed.
        DataError: The folder does not consist of class folders, a split has classes of its own, or
            no video can be read.
    """
    layout = find_layout(root, is_item=is_frame_folder)
    folders = {str(name): path for name, path in layout.splits.items()} or {"all": root}
    listed = {name: _list(folder) for name, folder in folders.items()}
    first = listed.get("train") or next(iter(listed.values()))
    classes = tuple(sorted(first))
    if len(classes) < _MIN_CLASSES:
        raise DataError(
            f"{root}: {len(classes)} class folder(s) with videos; at least two are needed"
        )
    for name, found in listed.items():
        if unknown := sorted(set(found) - set(classes)):
            raise DataError(
                f"{root}: the {name} split has the class {shown(unknown[0])}, training has "
                f"{list_names(classes, 20, shown)}"
            )
    signal = _signal(config)
    built = {name: _build(folders[name], one, classes, signal) for name, one in listed.items()}
    splits, origin = settle_splits(root, built, len(classes), config)
    info = DataInfo.of_signals(config.label, classes, signal)
    test = splits.get("test")
    return DataSet(info, splits["train"], splits["val"], test, origin, layout.remarks)


def find_videos(folder: Path, prefix: str = "") -> tuple[list[str], Counter[str]]:
    """Return the videos below a folder, sorted, and how many other files of each kind there are.

    A folder of image files is one of them unless it contains a video: then the images are other
    files, such as thumbnails.
    """
    names: list[str] = []
    others: Counter[str] = Counter()
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith("."):
            continue
        name = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            inside = Path(entry.path)
            if is_frame_folder(inside):
                names.append(name)
            else:
                more, rest = find_videos(inside, f"{name}/")
                names += more
                others += rest
        elif entry.name.lower().endswith(VIDEO_SUFFIXES):
            names.append(name)
        else:
            others[Path(entry.name).suffix.lower() or "no extension"] += 1
    return names, others


def _list(root: Path) -> dict[str, list[str]]:
    """Return the videos of each class, with paths below the split's folder."""
    check_class_folders(root)
    folders = subfolders(root)
    classes, labels = name_classes(root, folders)
    found: dict[str, list[str]] = {}
    others: Counter[str] = Counter()
    for folder, label in zip(folders, labels, strict=True):
        names, rest = find_videos(root / folder, f"{folder}/")
        others += rest
        if names:
            found[classes[label]] = names
    if others:
        named = ", ".join(f"{kind} {num:,}" for kind, num in others.most_common(_NUM_SHOWN))
        warn_once(f"{root}: left out files that are no videos: {named}")
    if not found:
        raise DataError(
            f"{root}: no videos in class folders; accepted are {', '.join(VIDEO_SUFFIXES)}, and "
            "folders of image files"
        )
    if sum(map(len, found.values())) > _MAX_VIDEOS:
        raise DataError(f"{root}: more than {_MAX_VIDEOS:,} videos")
    return found


def _build(
    root: Path, found: dict[str, list[str]], classes: tuple[str, ...], signal: SignalInput
) -> VideoSplit:
    """Read the headers; what cannot be read is left out with a warning."""
    names = [name for label in classes for name in found.get(label, ())]
    targets = [k for k, label in enumerate(classes) for _ in found.get(label, ())]

    def count(name: str) -> int | str:
        try:
            return probe_video(root / name).num_frames
        except DataError as error:
            return str(error)

    with ThreadPoolExecutor(min(num_cores(), 8)) as pool:
        counted = list(pool.map(count, names))
    bad = {name: why for name, why in zip(names, counted, strict=True) if isinstance(why, str)}
    kept = [row for row, num in enumerate(counted) if isinstance(num, int) and is_utf8(names[row])]
    if bad:
        some = "; ".join(f"{name}: {why}" for name, why in list(bad.items())[:_NUM_SHOWN])
        if not kept:
            raise DataError(f"{root}: no video can be read: {some}")
        warn_once(f"{root}: left out {len(bad):,} of {len(names):,} videos: {some}")
    return VideoSplit(
        root,
        tuple(names[row] for row in kept),
        torch.tensor([counted[row] for row in kept], dtype=torch.int64),
        torch.tensor([targets[row] for row in kept], dtype=torch.int64),
        signal,
    )


def _signal(config: DataConfig) -> SignalInput:
    side = config.image_size_px or DEFAULT_SIDE_PX
    return SignalInput(
        kind="video",
        size=side,
        mean=config.mean or _MEAN,
        std=config.std or _STD,
        video=VideoInput(
            frames=config.frames,
            stride=config.frame_stride,
            clips=config.clips,
            resize_px=round(side * 8 / 7),
        ),
    )
