"""Summarises a data set: classes, splits, sizes, and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from resnext.data.config import TargetKind
from resnext.data.file_split import FileSplit
from resnext.data.sets.choose_split import splits_of
from resnext.data.sets.duplicates import find_duplicates
from resnext.data.sets.glance import ImageSizes, look_at_images
from resnext.data.sets.listing_cache import list_images
from resnext.data.signals.text_split import TextSplit
from resnext.data.split import DataSet
from resnext.data.targets import count_per_class, guess_largest
from resnext.model.signal import SignalInput, noun_of
from resnext.model.text import PADDING, UNKNOWN_TOKEN
from resnext.untrusted.names import list_names
from resnext.untrusted.text import printable

_NUM_COMPARED = 50_000
_NUM_NAMED = 200_000
_NUM_CLASSES_SHOWN = 6
WITHOUT_CLASS = "(no class)"
"""Name for pixels without a class."""

_FEW_IMAGES = 5_000


@dataclass(frozen=True)
class DataSummary:
    """The summary of a data set.

    Attributes:
        name: Its name.
        classes: Class names.
        counts: Images of each class, by split.
        num_images: Images of each split.
        split_source: Description of the source of the splits.
        targets: Kind of target of an image.
        signal: How signals are prepared; None for images.
        formats: Files by extension, most frequent first; empty for sets in memory.
        sizes: Sizes of a sample; None if no image could be read.
        skipped: Omitted files, by extension or reason.
        duplicates: Validation files that are also in training, as pairs; None if there are too many
            files to compare.
        unknown_share: Of texts, percentage of the tokens for validation that are unknown.
        pixel_shares: Share of the pixels of all masks by class, in percent; empty without masks.
        remarks: Warnings of the set's reader, such as silent files.
        num_objects: Objects by class, of all splits; empty without boxes.
        num_sampled: Images of all splits that were looked at.
        unreadable: Path and reason of those that cannot be read.
    """

    name: str
    classes: tuple[str, ...]
    counts: dict[str, list[int]]
    num_images: dict[str, int]
    split_source: str
    targets: TargetKind = "class"
    signal: SignalInput | None = None
    formats: dict[str, int] = field(default_factory=dict)
    sizes: ImageSizes | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    duplicates: tuple[tuple[str, str], ...] | None = ()
    unknown_share: float | None = None
    pixel_shares: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    num_objects: dict[str, int] = field(default_factory=dict)
    num_sampled: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def guess(self) -> tuple[str, float] | None:
        """The largest training class, and the validation error of always predicting it in percent.

        None if an image does not have a single class.
        """
        if self.targets != "class":
            return None
        largest, error = guess_largest(self.counts["train"], self.counts["val"])
        return self.classes[largest], error

    @property
    def advice(self) -> list[str]:
        """Suggestions for a better network."""
        num_train = self.num_images["train"]
        if self.sizes is None or num_train >= _FEW_IMAGES:
            return []
        return [
            f"{num_train:,} training images are few for training from scratch; start from "
            "published weights: resnext train --pretrained"
        ]

    @property
    def warnings(self) -> list[str]:
        """Warnings that do not prevent training."""
        found = list(self.remarks)
        if self.unreadable:
            found.append(_describe_unreadable(self.unreadable, self.num_sampled))
        if self.duplicates:
            train, val = self.duplicates[0]
            noun = "image(s)" if self.signal is None else noun_of(self.signal)
            found.append(
                f"{len(self.duplicates)} validation {noun} are also in training, such as {val} "
                f"= {train}; the error will look too low"
            )
        lonely = [
            name
            for index, name in enumerate(self.classes)
            if sum(counts[index] for counts in self.counts.values()) == 1
        ]
        if lonely:
            named = list_names(lonely, _NUM_CLASSES_SHOWN)
            found.append(f"{len(lonely)} class(es) have a single image: {named}")
        return found


def summarise(data: DataSet, name: str | None = None) -> DataSummary:
    """Summarise a data set: read headers of a sample, and compare the splits' files.

    Args:
        data: The set.
        name: Displayed name; by default its own.
    """
    num_classes = len(data.info.classes)
    splits = splits_of(data)
    files = {name: split.files for name, split in splits.items() if split.files is not None}
    is_huge = sum(map(len, files.values())) > _NUM_NAMED
    names = [] if is_huge else [name for split in files.values() for name in split.names]
    glances = {name: look_at_images(split.root, split.names) for name, split in files.items()}
    skipped: Counter[str] = Counter()
    roots = {split.root for split in files.values()} if data.info.targets != "boxes" else set()
    for root in roots:  # beside boxes lie the files of their annotations
        skipped.update(list_images(root).ignored)
    return DataSummary(
        name=name or data.info.name,
        classes=data.info.classes,
        counts={
            name: count_per_class(split.targets_n, num_classes) for name, split in splits.items()
        },
        num_images={name: len(split) for name, split in splits.items()},
        split_source=data.origin,
        targets=data.info.targets,
        signal=data.info.signal,
        formats=count_endings(names),
        sizes=glances["train"].sizes if files else None,
        skipped=dict(skipped.most_common()),
        duplicates=_twins(files) if files else _equal_texts(data),
        unknown_share=_unknown_share(data),
        pixel_shares=_pixel_shares(data) if data.info.targets == "mask" else {},
        remarks=data.remarks,
        num_objects=_num_objects(data) if data.info.targets == "boxes" else {},
        num_sampled=sum(glance.num_images for glance in glances.values()),
        unreadable={
            str(files[split].root / name): reason
            for split, glance in glances.items()
            for name, reason in glance.unreadable.items()
        },
    )


def _describe_unreadable(unreadable: Mapping[str, str], num_sampled: int) -> str:
    named = [f"{printable(path)} ({printable(reason)})" for path, reason in unreadable.items()]
    return (
        f"{len(unreadable)} of {num_sampled} sampled images cannot be read: "
        f"{list_names(named, _NUM_CLASSES_SHOWN)}; training leaves out such images, and stops if "
        "more than 1 % of all are bad: repair or remove them"
    )


def _num_objects(data: DataSet) -> dict[str, int]:
    counts_k = torch.stack([split.targets_n.sum(dim=0) for split in splits_of(data).values()])
    return dict(zip(data.info.classes, counts_k.sum(dim=0).tolist(), strict=True))


def _pixel_shares(data: DataSet) -> dict[str, float]:
    """Return the percentage of each class, and that of the pixels without one."""
    splits = splits_of(data).values()
    sums_k = sum(split.targets_n.sum(dim=0) for split in splits)
    sizes = [split.shapes_n2 for split in splits if split.shapes_n2 is not None]
    total = max(sum(int(sizes_n2.prod(dim=1).sum()) for sizes_n2 in sizes), 1)
    assert isinstance(sums_k, torch.Tensor)
    pairs = zip(data.info.classes, sums_k.tolist(), strict=True)
    shares = {name: 100.0 * count / total for name, count in pairs}
    return {**shares, WITHOUT_CLASS: 100.0 * (total - int(sums_k.sum())) / total}


def _twins(files: Mapping[str, FileSplit]) -> tuple[tuple[str, str], ...] | None:
    if not files:
        return ()
    train, val = files["train"], files["val"]
    if len(train) + len(val) > _NUM_COMPARED:
        return None
    return tuple(find_duplicates(train.root, train.names, val.root, val.names))


def _equal_texts(data: DataSet) -> tuple[tuple[str, str], ...]:
    """Return the texts for validation that are also in training."""
    train, val = data.train, data.val
    if not isinstance(train, TextSplit) or not isinstance(val, TextSplit):
        return ()
    known = {text: index for index, text in reversed(list(enumerate(train.texts)))}
    return tuple(
        (train.name(known[text]), val.name(index))
        for index, text in enumerate(val.texts)
        if text in known
    )


def _unknown_share(data: DataSet) -> float | None:
    """Return the percentage of the tokens for validation that the vocabulary does not contain."""
    if not isinstance(data.val, TextSplit):
        return None
    is_token = data.val.values_ncx != PADDING
    is_unknown = data.val.values_ncx == UNKNOWN_TOKEN
    return 100.0 * float(is_unknown.sum()) / max(float(is_token.sum()), 1.0)


def count_endings(names: Sequence[str]) -> dict[str, int]:
    """Count file names by extension, most frequent first."""
    counts = Counter(Path(name).suffix.lower() or "no extension" for name in names)
    return dict(counts.most_common())
