"""Selects the classes of ImageNet-5K from the full set, by the rule in `class_file.RULE`."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from resnext.data.sets.imagenet.archives import images_in, open_tar
from resnext.data.sets.imagenet.class_file import ClassList, ClassRow
from resnext.data.sets.imagenet.layout import is_synset
from resnext.data.sets.imagenet.scan import Progress, count_folders, count_images
from resnext.errors import ConfigError, DataError
from resnext.untrusted.names import list_names

_NUM_THREADS = 16


def find_synsets(full: Path) -> dict[str, Path]:
    """Find the synsets of the full set: `n01234567.tar`, or folders `n01234567`.

    Raises:
        DataError: There is none, or one exists both as an archive and as a folder.
    """
    if not full.is_dir():
        raise DataError(f"--full {full} is not a folder; give the one with n01234567.tar files")
    found: dict[str, Path] = {}
    for path in sorted(full.iterdir()):
        synset = path.name.removesuffix(".tar")
        if not is_synset(synset) or path.is_dir() == (path.suffix == ".tar"):
            continue
        if synset in found:
            raise DataError(
                f"{full} contains {synset} both as an archive and as a folder, which may differ; "
                "remove one"
            )
        found[synset] = path
    if not found:
        raise DataError(
            f"{full} contains no synset; expected archives named like n01234567.tar or folders "
            "named like n01234567"
        )
    return found


def measure_sizes(synsets: Mapping[str, Path], progress: Progress = None) -> dict[str, int]:
    """Count the images of each synset; only the headers of archives are read.

    Raises:
        DataError: An archive is damaged or hostile.
    """
    sizes = {}
    with ThreadPoolExecutor(_NUM_THREADS) as threads:
        for synset, size in zip(synsets, threads.map(_size, synsets.values()), strict=True):
            sizes[synset] = size
            if progress is not None:
                progress(size)
    return sizes


def measure_imagenet(
    imagenet: Path, synsets: tuple[str, ...], progress: Progress = None
) -> dict[str, int]:
    """Count the training images of ImageNet-1K's classes.

    Raises:
        DataError: A class is missing.
    """
    folders = [imagenet / "train" / synset for synset in synsets]
    if missing := [folder.name for folder in folders if not folder.is_dir()]:
        raise DataError(
            f"--imagenet {imagenet}: train/ lacks {list_names(missing, 10)}; see "
            f"`resnext data imagenet --check {imagenet}`"
        )
    return dict(zip(synsets, count_folders(folders, progress), strict=True))


def choose_classes(sizes: Mapping[str, int], own: Mapping[str, int], num_classes: int) -> ClassList:
    """Select ImageNet-1K's classes and the largest others.

    Args:
        sizes: Images of each synset of the full set.
        own: Training images of each class of ImageNet-1K.
        num_classes: Total number of classes.

    Raises:
        ConfigError: Fewer classes are requested than ImageNet-1K has.
        DataError: The full set has too few others.
    """
    num_others = num_classes - len(own)
    if num_others < 0:
        raise ConfigError(
            f"--num-classes {num_classes}: ImageNet-1K alone has {len(own)}; give at least that"
        )
    others = [synset for synset, size in sizes.items() if size > 0 and synset not in own]
    others.sort(key=lambda synset: (-sizes[synset], synset))
    if len(others) < num_others:
        raise DataError(
            f"--num-classes {num_classes} needs {num_others:,} synsets besides ImageNet-1K's, "
            f"but the full set has {len(others):,} with images; download the others or give at "
            f"most {len(own) + len(others)} classes"
        )
    taken, left = others[:num_others], others[num_others:]
    smallest = sizes[taken[-1]] if taken else None
    rows = [
        *(ClassRow(synset, "imagenet1k", size) for synset, size in own.items()),
        *(ClassRow(synset, "full", sizes[synset]) for synset in taken),
    ]
    return ClassList(
        rows=tuple(sorted(rows, key=lambda row: row.synset)),
        num_full_synsets=sum(size > 0 for size in sizes.values()),
        num_full_images=sum(sizes.values()),
        num_tied_out=sum(sizes[synset] == smallest for synset in left),
    )


def _size(path: Path) -> int:
    if path.is_dir():
        return count_images(path)
    with open_tar(path) as tar:
        return sum(1 for _ in images_in(tar, str(path)))
