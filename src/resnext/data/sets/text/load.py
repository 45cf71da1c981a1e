"""A data set of texts, from the table or folder that was named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from resnext.data.config import DataConfig
from resnext.data.sets.auto_split import choose_val
from resnext.data.sets.signal_folders import refuse_no_val
from resnext.data.sets.table.columns import GivenColumns
from resnext.data.sets.table.labelled import log_bad_rows
from resnext.data.sets.table.targets import TargetRule, Targets, target_cells
from resnext.data.sets.text.read import RawTexts, read_texts
from resnext.data.signals.text_split import TextSplit
from resnext.data.signals.tokens import build_vocabulary, choose_length, encode_texts
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError
from resnext.model.signal import SignalInput
from resnext.model.signal_columns import SignalColumns
from resnext.untrusted.names import list_names, shown

_MIN_CLASSES = 2
_NONE = torch.empty(0, dtype=torch.int64)


def load_texts(path: Path, config: DataConfig) -> DataSet:
    """Read texts, split them, and number their tokens by the vocabulary of the training texts.

    The test split validates where there is no other: nothing is chosen on it unless the settings
    ask for it (`keep=best`, early stopping).

    Args:
        path: A table or a folder; see `read_texts`.
        config: Columns, unit, vocabulary, length, and the share kept for validation where
            nothing says a split.

    Raises:
        ConfigError: pyarrow is needed and not installed.
        DataError: A file is not what is accepted, or there are no two classes.
    """
    labels = config.label_column
    columns = (labels,) if isinstance(labels, str) else labels
    raw = read_texts(path, GivenColumns(config.text_column, columns, config.split_column))
    rule = TargetRule(config.targets, config.label_separator, raw.order)
    raw, targets = _targets(path, raw, rule)
    rows, origin = _split(path, raw, targets, config.val_fraction)
    known = rows["train"] if len(rows["train"]) else rows["val"]
    texts = [raw.texts[row] for row in known.tolist()]
    text_input = build_vocabulary(
        texts,
        config.unit,
        lower=config.lower,
        min_count=config.min_count,
        most=config.vocabulary,
    )
    length = config.length or choose_length(texts, text_input)
    signal = SignalInput(
        kind="text", size=length, fit="pad", normalise="none", mean=(0.0,), std=(1.0,),
        text=text_input, columns=_columns(config).if_any(),
    )  # fmt: skip
    splits = {
        name: _build(raw, targets, chosen, signal, config.label) for name, chosen in rows.items()
    }
    info = DataInfo.of_signals(config.label, targets.classes, signal, targets.kind)
    return DataSet(info, splits["train"], splits["val"], splits.get("test"), origin)


def _columns(config: DataConfig) -> SignalColumns:
    return SignalColumns(
        label=config.label_column, split=config.split_column, text=config.text_column
    )


def _targets(path: Path, raw: RawTexts, rule: TargetRule) -> tuple[RawTexts, Targets]:
    """Return the texts whose labels can be used, and these; others are left out with a warning."""
    cells = target_cells(raw.labels, rule)
    faults = [cells.fault(row) for row in range(len(raw.texts))]
    bad = {
        f"{raw.sources[row]}[{raw.numbers[row]}]": fault
        for row, fault in enumerate(faults)
        if fault
    }
    kept = [row for row, fault in enumerate(faults) if not fault]
    if not kept:
        place, fault = next(iter(bad.items()))
        raise DataError(f"{path}: no text has a label that can be used; {place}: {fault}")
    log_bad_rows(path, "text", bad, len(faults))
    targets = cells.targets(kept)
    raw = raw.choose(kept) if bad else raw
    if targets.kind == "class" and len(targets.classes) < _MIN_CLASSES:
        raise DataError(
            f"{path}: all texts are of the class {list_names(targets.classes, 1, shown)}; at least "
            "two classes are needed"
        )
    return raw, targets


def _split(
    path: Path, raw: RawTexts, targets: Targets, val_fraction: float
) -> tuple[dict[str, torch.Tensor], str]:
    """Return the rows of each split, and where the splits come from."""
    by_name: dict[str, torch.Tensor] = {}
    for name in ("train", "val", "test"):
        chosen = [row for row, split in enumerate(raw.splits) if (split or "train") == name]
        if chosen:
            by_name[name] = torch.tensor(chosen)
    origin = "the set's own"
    if set(by_name) == {"train"}:
        by_name, origin = _divide(path, raw, by_name["train"], targets, val_fraction), "by a hash"
    if "val" not in by_name:
        by_name["val"] = by_name.pop("test", _NONE)
    if "train" not in by_name:
        if val_fraction < 1.0:
            raise DataError(f"{path}: no texts for training, only {list_names(list(by_name))}")
        by_name["train"] = _NONE
    return by_name, origin


def _divide(
    path: Path, raw: RawTexts, rows_n: torch.Tensor, targets: Targets, val_fraction: float
) -> dict[str, torch.Tensor]:
    """Keep a share of each class for validation, or all, by a hash of the text.

    Equal texts stay on one side.
    """
    if val_fraction >= 1.0:
        return {"train": _NONE, "val": rows_n}
    is_class = targets.kind == "class"
    targets_n = targets.targets_n[rows_n] if is_class else torch.zeros(len(rows_n)).long()
    texts = [raw.texts[row] for row in rows_n.tolist()]
    num_classes = len(targets.classes) if is_class else 1
    is_val_n = choose_val(texts, targets_n.numpy(), num_classes, val_fraction)
    refuse_no_val(path, is_val_n, "different texts")
    mask_n = torch.from_numpy(np.asarray(is_val_n))
    return {"train": rows_n[~mask_n], "val": rows_n[mask_n]}


def _build(
    raw: RawTexts, targets: Targets, rows_n: torch.Tensor, signal: SignalInput, name: str
) -> TextSplit:
    rows = rows_n.tolist()
    texts = tuple(raw.texts[row] for row in rows)
    assert signal.text is not None
    sources = list(dict.fromkeys(raw.sources[row] for row in rows))
    return TextSplit(
        encode_texts(texts, signal.text, signal.size),
        targets.targets_n[rows_n],
        torch.tensor([raw.numbers[row] for row in rows], dtype=torch.int64),
        sources[0] if len(sources) == 1 else name,
        texts,
    )
