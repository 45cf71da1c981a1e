"""Checks a folder against the official ImageNet-1K."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnext.data.sets.imagenet.layout import ImageNetLayout
from resnext.data.sets.imagenet.scan import (
    FolderCount,
    Named,
    Progress,
    count_images,
    folder_names,
    scan_folders,
)
from resnext.errors import DataError

SplitName = Literal["train", "val"]
Kind = Literal[
    "missing folder",
    "missing class",
    "extra class",
    "wrong count",
    "wrong total",
    "empty files",
    "unreadable files",
    "other entries",
    "flat images",
]


@dataclass(frozen=True)
class SetProblem:
    """A difference from the official set.

    Attributes:
        split: The split that it was found in.
        kind: Kind of problem.
        name: The class, or the folder.
        detail: Found and expected values.
    """

    split: SplitName
    kind: Kind
    name: str
    detail: str


@dataclass(frozen=True)
class Findings:
    """The result of a check.

    Attributes:
        num_images: Good images of each split.
        num_classes: Class folders of each split.
        problems: The problems; empty if the set is complete.
    """

    num_images: dict[str, int]
    num_classes: dict[str, int]
    problems: tuple[SetProblem, ...]

    def only(self, splits: Sequence[SplitName]) -> Findings:
        """Return the findings of some splits only."""
        num_images = {str(split): self.num_images[split] for split in splits}
        num_classes = {str(split): self.num_classes[split] for split in splits}
        problems = tuple(problem for problem in self.problems if problem.split in splits)
        return Findings(num_images, num_classes, problems)


def check(
    root: Path,
    layout: ImageNetLayout,
    train_counts: Mapping[str, int] | None = None,
    progress: Progress = None,
) -> Findings:
    """Compare `train/CLASS` and `val/CLASS` with the official classes and counts.

    Args:
        root: The folder of the set.
        layout: Its expected content.
        train_counts: Training images of each class from a development kit; otherwise a class may
            have any number between the official minimum and maximum, and a wrong total shows that a
            class is wrong.
        progress: Called with the number of counted images.

    Raises:
        DataError: The folder does not exist.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give the one with train/ and val/")
    num_images: dict[str, int] = {}
    num_classes: dict[str, int] = {}
    problems: list[SetProblem] = []
    splits: tuple[SplitName, ...] = ("train", "val")
    for split in splits:
        found: dict[str, FolderCount] = {}
        if (root / split).is_dir():
            problems += _flat(root / split, split)
            found = scan_folders(root / split, folder_names(root / split), progress)
            problems += _classes(split, found, layout)
            problems += _counts(split, found, layout, train_counts or {})
        else:
            problems.append(
                SetProblem(split, "missing folder", split, f"{root / split} is missing")
            )
        num_classes[split] = len(found)
        num_images[split] = sum(count.num_images for count in found.values())
    if (root / "train").is_dir() and num_images["train"] != layout.num_train:
        detail = f"{num_images['train']:,} images instead of {layout.num_train:,}"
        problems.append(SetProblem("train", "wrong total", "train", detail))
    return Findings(num_images, num_classes, tuple(problems))


def _flat(folder: Path, split: SplitName) -> Iterator[SetProblem]:
    if num := count_images(folder):
        detail = f"{num:,} images are directly in {split}/ instead of in class folders"
        yield SetProblem(split, "flat images", split, detail)


def _classes(
    split: SplitName, found: Mapping[str, FolderCount], layout: ImageNetLayout
) -> list[SetProblem]:
    missing = sorted(set(layout.synsets) - set(found))
    extra = sorted(set(found) - set(layout.synsets))
    return [
        *(SetProblem(split, "missing class", name, "no folder of this class") for name in missing),
        *(SetProblem(split, "extra class", name, "not one of the classes") for name in extra),
    ]


def _counts(
    split: SplitName,
    found: Mapping[str, FolderCount],
    layout: ImageNetLayout,
    train_counts: Mapping[str, int],
) -> Iterator[SetProblem]:
    for name in sorted(set(found) & set(layout.synsets)):
        count = found[name]
        least, most = layout.num_val, layout.num_val
        if split == "train":
            exact = train_counts.get(name)
            least, most = (exact, exact) if exact is not None else _range(layout)
        if not least <= count.num_images <= most:
            expected = f"{least:,}" if least == most else f"{least:,} to {most:,}"
            detail = f"{count.num_images:,} good images instead of {expected}"
            yield SetProblem(split, "wrong count", name, detail)
        yield from _files(split, name, count)


def _range(layout: ImageNetLayout) -> tuple[int, int]:
    return layout.least_train, layout.most_train


def _files(split: SplitName, name: str, count: FolderCount) -> Iterator[SetProblem]:
    kinds: tuple[tuple[Kind, Named], ...] = (
        ("empty files", count.empty),
        ("unreadable files", count.unreadable),
        ("other entries", count.other),
    )
    for kind, named in kinds:
        if named.num:
            more = f" and {named.num - len(named.names):,} more"
            shown = ", ".join(sorted(named.names))
            detail = f"{named.num:,}: {shown}{more if named.num > len(named.names) else ''}"
            yield SetProblem(split, kind, name, detail)
