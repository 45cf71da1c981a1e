"""Write the features of all images, from a frozen network, to a Parquet file.

The features are the input of the network's classifier, for one crop of each image. The file has one
row per image: path (index for sets in memory), label, class, split and embedding. Its metadata
contain the architecture, the model card and the data set as JSON. The file is written in parts, so
memory use does not grow with the number of images.

Examples:
  resnext features runs/photos --out photos.parquet
  resnext features runs/photos other-photos/ --split all --out other.parquet
  resnext features runs/photos --stage 3 --split train --out stage3.parquet
  resnext features best.safetensors cifar10 --limit 1000 --out some.parquet --force
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from resnext.api.checks import check_ranges
from resnext.cli.arguments import option, parse
from resnext.cli.output_file import check_place
from resnext.data.config import MAX_WORKERS
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError, RunError
from resnext.untrusted.names import is_utf8

if TYPE_CHECKING:
    from resnext.data.split import Split
    from resnext.evaluation.feature_file import FeatureRows, Written
    from resnext.evaluation.feature_source import FeatureSource, SplitName

_OTHERS = (".csv", ".tsv", ".json", ".jsonl", ".npy", ".npz", ".h5")


@dataclass(frozen=True)
class Features:
    """Write the features of all images, from a frozen network, to a Parquet file."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run, a weight file, or a name from `resnext weights list`."""
    out: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """The Parquet file to write."""
    data: Annotated[tyro.conf.Positional[str | None], option("DATA", "the run's own")] = None
    """The data set, as for `resnext train`."""
    split: Annotated[
        Literal["val", "train", "all"] | None,
        option("val|train|all", "val, or all for a folder without splits"),
    ] = None
    """Split to use."""
    stage: Annotated[int | None, option("K", "before the classifier")] = None
    """Use the average of this stage's map instead."""
    limit: Annotated[int | None, option("N", "all images")] = None
    """Maximum images of each split, selected by a hash."""
    batch_size: Annotated[int | None, option("N", "128")] = None
    """Batch size."""
    workers: Annotated[int | None, option("N", "one per core, at most 8")] = None
    """Processes that decode files."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    force: bool = False
    """Replace FILE if it exists."""
    json: bool = False
    """Print the result as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ResNeXtError: An argument is wrong, or the run, the data or the file cannot be used.
    """
    arguments = parse(Features, argv, __doc__)
    data = _check(arguments)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.evaluation.feature_file import write_features
    from resnext.evaluation.feature_source import FeatureRequest, FeatureSource
    from resnext.evaluation.run import EvaluationOptions
    from resnext.progress import show_progress
    from resnext.runs.runtime import resolve_device

    request = FeatureRequest(data, arguments.stage, arguments.limit)
    device = resolve_device(arguments.device)
    with show_progress(quiet=False) as progress:
        note = partial(print, file=sys.stderr)
        effort = EvaluationOptions(arguments.batch_size, arguments.workers, progress, note)
        source = FeatureSource(arguments.run, request, device, effort)
        names: list[SplitName] = ["train", "val"]
        if arguments.split != "all":
            names = [arguments.split or "val"]
        written = write_features(
            arguments.out,
            (part for name in names for part in _rows(source, name)),
            classes=source.info.classes,
            metadata=source.describe() | {"stage": arguments.stage, "splits": names},
        )
    _report(arguments, source, written)
    return 0


def _check(arguments: Features) -> Any:
    """Check the arguments before loading anything, and return the data set."""
    from resnext.evaluation.feature_file import check_pyarrow

    check_ranges(
        arguments, {"batch_size": (1, None), "workers": (0, MAX_WORKERS), "limit": (1, None)}
    )
    out = arguments.out
    check_place("--out", out)
    if out.suffix.lower() in _OTHERS:
        raise ConfigError(f"--out {out}: features are written as Parquet; let it end in .parquet")
    if not is_utf8(str(out)):
        raise RunError(
            f"--out {out}: the name is not valid UTF-8, which the Parquet library requires"
        )
    if out.exists() and not arguments.force:
        raise RunError(f"--out {out} exists; choose another name, or add --force to replace it")
    check_pyarrow()
    if arguments.data is None:
        return None
    return parse_data(arguments.data, is_whole=arguments.split is None)


def _rows(source: FeatureSource, name: SplitName) -> Iterator[FeatureRows]:
    """Yield the rows of one split as they are computed."""
    from resnext.evaluation.feature_file import FeatureRows

    split = source.splits[name]
    for batch in source.read(name):
        yield FeatureRows(
            split=name,
            keys=_keys(split, source.data.root, batch.indices_b.tolist()),
            labels_b=batch.labels_b.numpy(),
            features_bd=batch.features_bd.numpy(),
        )


def _keys(split: Split, root: Path | None, indices: list[int]) -> list[str] | list[int]:
    """Return the paths of images relative to the root of their data set, or their indices.

    The root of a table is its folder; images elsewhere have their whole path. Signals have the
    name of their file and their number in it.
    """
    from resnext.data.signals.split import SignalSplit

    if isinstance(split, SignalSplit):
        return [split.name(index) for index in indices]
    if split.stored_nhwc is not None:
        return indices
    paths = [split.path(index) for index in indices]
    if root is None:
        return [path.as_posix() for path in paths]
    folder = root.parent if root.is_file() else root
    inside = [path.relative_to(folder) if path.is_relative_to(folder) else path for path in paths]
    return [path.as_posix() for path in inside]


def _report(arguments: Features, source: FeatureSource, written: Written) -> None:
    num_bad = len(source.bad_files)
    if arguments.json:
        figures = {
            "out": str(arguments.out),
            "num_images": written.num_rows,
            "dimension": written.dimension,
            "bad_files": source.bad_files,
        }
        print(json.dumps(figures))
        return
    print(
        f"wrote {arguments.out}: {written.num_rows:,} {source.info.noun}, {written.dimension:,} "
        "features each"
    )
    if num_bad:
        print(f"{num_bad} files could not be read and were skipped")
