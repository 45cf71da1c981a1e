"""Packs a data set of files into shards, in parallel; can be resumed after a kill."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from resnext.data.bad_files import BadFiles
from resnext.data.decode.depth import AssumptionLog
from resnext.data.mask_rule import MaskFiles
from resnext.data.shards.claim import WORK, claim, explain_write_errors
from resnext.data.shards.encode import Encoding
from resnext.data.shards.fields import MaskValues, describe_problem
from resnext.data.shards.layout import (
    SPLITS,
    VERSION_OF_MASKS,
    Index,
    PackSettings,
    ShardRecord,
    SplitIndex,
    is_packed,
    masks_path,
    names_path,
    read_index,
    rows_path,
    write_index,
)
from resnext.data.shards.mask_table import write_mask_table
from resnext.data.shards.plan import SplitPlan, fingerprint
from resnext.data.shards.processes import spread
from resnext.data.shards.table import write_table
from resnext.data.shards.write import Shard, ShardPlan, read_shard, write_shard
from resnext.data.split import DataInfo, DataSet
from resnext.download import sha256_of
from resnext.errors import ConfigError, RunError
from resnext.files import write_whole
from resnext.untrusted.parse import read_json

BAD_FILES = "bad_files.json"

Progress = Callable[[int], None]


@dataclass(frozen=True)
class PackOptions:
    """Packing options.

    Attributes:
        shard_mib: Target size of a shard in MiB.
        encoding: How images are stored.
        workers: Processes.
        progress: Called with the number of further images.
    """

    shard_mib: float
    encoding: Encoding
    workers: int
    progress: Progress | None = None


def pack(data: DataSet, folder: Path, options: PackOptions) -> Index:
    """Write a data set as shards; resume if it was started with the same settings.

    Finished shards with a matching hash are kept. The index is written last: a folder with an index
    is complete.

    Args:
        data: A data set of files.
        folder: Destination: new, empty, or from an earlier attempt.
        options: Packing options.

    Returns:
        The index.

    Raises:
        ConfigError: The data set does not consist of files.
        RunError: The folder contains something else, is in use or cannot be written.
        DataError: More than 1 % of the files are bad, or a process died.
    """
    train, val = data.train.files, data.val.files
    if train is None or val is None:
        raise ConfigError(
            f"{data.info.name} cannot be packed; pack a folder of class folders or of images/ and "
            "masks/, or imagenet:FOLDER"
        )
    if train.mask_files is not None and options.encoding.short_side_px is not None:
        raise ConfigError(
            f"--short-side {options.encoding.short_side_px}: images with masks are packed at their "
            "own size; leave it out, or reduce images and masks before packing"
        )
    settings = PackSettings(
        shard_mib=options.shard_mib,
        short_side_px=options.encoding.short_side_px,
        quality=options.encoding.quality,
        source_sha256=fingerprint(data.info.classes, (train, val)),
    )
    described = _describe(data.info, settings, train.mask_files)
    with explain_write_errors(folder), claim(folder, settings):
        bad_files = BadFiles(len(train) + len(val))
        assumptions = AssumptionLog()
        splits = {}
        for split, files in zip(SPLITS, (train, val), strict=True):
            plan = SplitPlan(split, files, options.encoding, options.shard_mib)
            splits[split] = _pack_split(plan, folder, options, (bad_files, assumptions))
        _write_bad_files(folder, bad_files)
        index = Index.model_validate({**described.model_dump(), "splits": splits})
        write_index(folder, index)
    return index


def _describe(info: DataInfo, settings: PackSettings, masks: MaskFiles | None) -> Index:
    """Return the index of a set without its files, before packing.

    Raises:
        ConfigError: The set exceeds a limit of the index, such as too many classes.
    """
    try:
        return Index(
            version=1 if masks is None else VERSION_OF_MASKS,
            masks=None if masks is None else _values_of(masks),
            name=info.name,
            classes=info.classes,
            in_channels=info.in_channels,
            image_size_px=info.image_size_px,
            mean=info.mean,
            std=info.std,
            settings=settings,
            splits={},
        )
    except ValidationError as error:
        raise ConfigError(
            f"{info.name} cannot be packed ({describe_problem(error)}); pack another folder"
        ) from None


def _values_of(masks: MaskFiles) -> MaskValues:
    return MaskValues(values=masks.rule.values, ignored=masks.rule.ignored)


def _pack_split(
    plan: SplitPlan, folder: Path, options: PackOptions, logs: tuple[BadFiles, AssumptionLog]
) -> SplitIndex:
    bad_files, assumptions = logs
    shards = {}
    work = partial(_finish_shard, folder=folder, known=_known_records(folder))
    tasks = (plan.shard(number) for number in range(len(plan)))
    for shard in spread(work, tasks, options.workers):
        shards[shard.record.name] = shard
        assumptions.report(*shard.assumed)
        try:
            for path, reason in shard.record.bad:
                bad_files.record(path, reason)
        finally:
            _write_bad_files(folder, bad_files)
        if options.progress is not None:
            options.progress(shard.record.num_samples)
    return _write_tables(plan, folder, [shards[name] for name in sorted(shards)])


def _finish_shard(plan: ShardPlan, *, folder: Path, known: dict[str, ShardRecord]) -> Shard:
    """Reuse a finished shard, or write it."""
    if plan.name in known:
        rule = None if plan.masks is None else plan.masks.rule
        shard = read_shard(known[plan.name], plan.number, folder, rule)
        if shard is not None:
            return shard
    shard = write_shard(plan, folder)
    record = json.dumps(shard.record.model_dump())  # pydantic's JSON has no odd file names
    write_whole(folder / WORK / f"{plan.name}.json", record)
    return shard


def _write_tables(plan: SplitPlan, folder: Path, shards: list[Shard]) -> SplitIndex:
    """Write the position of every sample, in the order of the source's files."""
    numbers_n = np.concatenate([shard.numbers_n for shard in shards])
    order_n = np.argsort(numbers_n)
    rows_n = np.concatenate([shard.rows_n for shard in shards])[order_n]
    if not len(rows_n):
        raise RunError(
            f"no image of the {plan.split} split could be read; there is nothing to pack"
        )
    names = plan.names
    write_table(folder, plan.split, rows_n, (names[index] for index in numbers_n[order_n]))
    masks = [shard.masks_n for shard in shards if shard.masks_n is not None]
    if masks:
        write_mask_table(folder, plan.split, np.concatenate(masks)[order_n])
    return SplitIndex(
        num_samples=len(rows_n),
        rows_sha256=sha256_of(rows_path(folder, plan.split)),
        names_sha256=sha256_of(names_path(folder, plan.split)),
        masks_sha256=sha256_of(masks_path(folder, plan.split)) if masks else None,
        shards=tuple(shard.record for shard in shards),
    )


def _write_bad_files(folder: Path, bad_files: BadFiles) -> None:
    write_whole(folder / BAD_FILES, json.dumps(bad_files.rows, indent=1) + "\n")


def _known_records(folder: Path) -> dict[str, ShardRecord]:
    """Return the finished shards, of a complete set or one in progress."""
    records = {}
    if is_packed(folder):
        for split in read_index(folder).splits.values():
            records.update({record.name: record for record in split.shards})
    for path in (folder / WORK).glob("*.tar.json"):
        # A record that a power cut left torn is as good as none: the shard is written again.
        with contextlib.suppress(ValueError):
            record = ShardRecord.model_validate(read_json(path))
            records[record.name] = record
    return records
