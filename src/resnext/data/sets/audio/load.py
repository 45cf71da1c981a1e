"""A data set of audio files, in class folders or named by a table."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from resnext.data.config import DataConfig
from resnext.data.decode.audio import AUDIO_ENDINGS
from resnext.data.file_split import FileSplit
from resnext.data.sets.audio.decode import Decoded, decode_all, look
from resnext.data.sets.choose_split import splits_of
from resnext.data.sets.folders import load_folder
from resnext.data.sets.listing import FileKind
from resnext.data.sets.table.columns import GivenColumns
from resnext.data.sets.table.find import TABLE_SUFFIXES, find_table
from resnext.data.sets.table.load import load_table
from resnext.data.sets.table.targets import TargetRule
from resnext.data.signals.audio_split import AudioSplit
from resnext.data.signals.loaders import sound_statistics
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError
from resnext.model.signal import SignalInput
from resnext.untrusted.names import list_names, shown
from resnext.untrusted.text import printable

_MOST_STORED = 4
"""Longer clips keep a middle of so many lengths, from which training takes its parts."""

_SILENT = 10
"""Largest sample of a silent clip of 16 bits: 70 dB below full scale."""

_SHORT_S = 0.03
_NUM_NAMED = 20


def is_audio(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry of a folder is an audio file by its name, and not hidden."""
    name = entry.name
    return name.lower().endswith(AUDIO_ENDINGS) and not name.startswith(".") and entry.is_file()


AUDIO = FileKind("audio file", tuple(sorted(AUDIO_ENDINGS)), is_audio)


def load_audio(root: Path, config: DataConfig) -> DataSet:
    """Read a folder of class folders, or a table of paths and labels.

    Files that cannot be read are left out; the split remembers them.

    Args:
        root: The folder, with or without train, val and test; or the table.
        config: Front end, columns, and the share kept for validation where nothing says a split.

    Raises:
        ConfigError: soundfile is not installed, or a setting does not fit.
        DataError: The layout is not what is accepted, no file can be read, or there are more than
            fit in memory.
    """
    listed = _list_files(root, config)
    files = {name: _as_files(split) for name, split in splits_of(listed).items()}
    facts = look(files["train"] if len(files["train"]) else files["val"])
    audio = config.audio
    rate_hz = audio.rate_hz or facts.rate_hz
    sound = audio.front_end(rate_hz)
    size = max(1, round((audio.seconds or facts.seconds) * rate_hz))
    stored = max(size, min(round(facts.longest * rate_hz), _MOST_STORED * size))
    decoded = {
        name: decode_all(
            split, rate_hz, stored, is_mono=audio.channels == "mono", threads=config.workers
        )
        for name, split in files.items()
    }
    _check_channels(root, decoded)
    splits = {name: _split(files[name], found) for name, found in decoded.items()}
    in_channels = splits["train" if len(splits["train"]) else "val"].values_ncx.shape[1]
    signal = SignalInput(
        kind="audio", size=size, fit="pad", normalise=config.normalise, sound=sound,
        mean=(0.0,) * in_channels, std=(1.0,) * in_channels,
    )  # fmt: skip
    splits = {name: replace(split, signal=signal) for name, split in splits.items()}
    if config.normalise == "channel" and len(splits["train"]):
        mean, std = sound_statistics(splits["train"], signal)
        signal = signal.replace(mean=mean, std=std)
    info = DataInfo.of_signals(config.label, listed.info.classes, signal, listed.info.targets)
    remarks = listed.remarks + _remarks(files, decoded, rate_hz)
    return DataSet(info, splits["train"], splits["val"], splits.get("test"), listed.origin, remarks)


def _list_files(root: Path, config: DataConfig) -> DataSet:
    table = root if root.is_file() else find_table(root) if root.is_dir() else None
    if table is None:
        return load_folder(
            root, config.val_fraction, rule=config.val_split, group=config.group, kind=AUDIO
        )
    if table.is_dir() or table.suffix.lower() not in TABLE_SUFFIXES[:2]:
        raise DataError(
            f"{root}: audio comes in class folders, or is named by a table in .csv or .tsv; give "
            "one of these"
        )
    labels = config.label_column
    columns = GivenColumns(
        config.image_column, (labels,) if isinstance(labels, str) else labels, config.split_column
    )
    return load_table(
        table,
        config.val_fraction,
        columns,
        images=config.images,
        group=config.group,
        rule=TargetRule("auto", config.label_separator),
        kind=AUDIO,
    )


def _as_files(split: object) -> FileSplit:
    assert isinstance(split, FileSplit)
    return split


def _split(files: FileSplit, found: Decoded) -> AudioSplit:
    kept = files.choose(torch.tensor(found.kept, dtype=torch.int64))
    return AudioSplit(
        torch.from_numpy(found.values_ncl),
        kept.targets_n,
        torch.arange(len(kept)),
        str(files.root),
        names=kept.names,
        lengths_n=torch.from_numpy(found.lengths_n),
        left_out=found.bad,
    )


def _check_channels(root: Path, decoded: dict[str, Decoded]) -> None:
    """Refuse a set without a readable file, or with splits of other channels."""
    if not decoded["train"].kept and not decoded["val"].kept:
        first = next(row for found in decoded.values() for row in found.bad)
        raise DataError(f"{root}: no audio file can be read; {printable(first[0])} {first[1]}")
    channels = {found.values_ncl.shape[1] for found in decoded.values() if found.kept}
    if len(channels) > 1:
        raise DataError(
            f"{root}: the splits have {sorted(channels)} channels; all must have the same, or mix "
            "them: leave out data.audio.channels=all"
        )


def _remarks(
    files: dict[str, FileSplit], decoded: dict[str, Decoded], rate_hz: int
) -> tuple[str, ...]:
    """Name files that were left out, or have little to hear."""
    bad = [row for found in decoded.values() for row in found.bad]
    silent, short = [], []
    for name, found in decoded.items():
        paths = [files[name].name(index) for index in found.kept]
        silent += [paths[row] for row in np.flatnonzero(found.peaks_n <= _SILENT).tolist()]
        too_short = found.lengths_n < _SHORT_S * rate_hz
        short += [paths[row] for row in np.flatnonzero(too_short).tolist()]
    remarks = []
    if bad:
        listed = "; ".join(f"{printable(path)} {reason}" for path, reason in bad[:_NUM_NAMED])
        more = f"; and {len(bad) - _NUM_NAMED} more" if len(bad) > _NUM_NAMED else ""
        remarks.append(f"{len(bad)} file(s) cannot be read and are left out: {listed}{more}")
    if silent:
        remarks.append(f"{len(silent)} silent file(s): {list_names(silent, _NUM_NAMED, shown)}")
    if short:
        remarks.append(
            f"{len(short)} file(s) shorter than {_SHORT_S:g} s: "
            f"{list_names(short, _NUM_NAMED, shown)}"
        )
    return tuple(remarks)
