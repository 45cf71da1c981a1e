"""Pack a data set of image files into few tar files, or check a packed one.

Millions of small files are slow to list, to copy and to read over a network. DEST gets WebDataset
shards (tar files with KEY.jpg and KEY.cls) of the training and the validation split, and an index.
For images with masks, KEY.mask.png takes the place of KEY.cls. `resnext train --data DEST` then
uses the same batches as with SOURCE, bit for bit unless images were reduced. On a web server or in
an object store, DEST is read from its address: `--data https://host/DEST`, `--data
s3://bucket/DEST`. To resume an interrupted pack, run the same command again.

Examples:
  resnext pack photos/ packed/
  resnext pack imagenet:/data/imagenet packed/ --short-side 256
  resnext pack photos/ small/ --short-side 160 --quality 85 --shard-mib 64
  resnext pack --check packed/
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from resnext.api.checks import check_ranges
from resnext.cli.arguments import option, parse
from resnext.data.address import is_address
from resnext.data.config import DataConfig, default_workers
from resnext.data.set_names import SIGNAL_NAMES
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError
from resnext.sigterm import tidy_on_sigterm
from resnext.untrusted.names import with_home
from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from resnext.data.shards.layout import Index

_NUM_LISTED = 20
_DEFAULT_MIB = 256.0


@dataclass(frozen=True)
class Pack:
    """Pack a data set of image files into few tar files, or check a packed one."""

    source: Annotated[tyro.conf.Positional[str], option("SOURCE")]
    """A folder of class folders, with or without train/ and val/, or of images/ and masks/, or
    imagenet:FOLDER; with --check, the packed folder."""
    dest: Annotated[tyro.conf.Positional[Path | None], option("DEST")] = None
    """Destination: a new folder, or one where the same command was interrupted."""
    check: bool = False
    """Verify a packed folder: every hash, count and image header."""
    shard_mib: Annotated[float, option("MIB", "256")] = _DEFAULT_MIB
    """Target size of a shard."""
    short_side: Annotated[int | None, option("PIXELS", "unchanged")] = None
    """Reduce larger images to this short side."""
    quality: Annotated[int | None, option("1-95", "unchanged; 90 for reduced images")] = None
    """Re-encode every image as JPEG of this quality."""
    workers: Annotated[int | None, option("N", "one per core, at most 8")] = None
    """Number of processes."""
    json: bool = False
    """Print the result as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Returns:
        0, or 1 if files were left out or the check found damage.

    Raises:
        ConfigError: A flag is wrong, or two contradict each other.
        ResNeXtError: The source cannot be read or the shards cannot be written.
    """
    arguments = parse(Pack, argv, __doc__)
    _validate(arguments)

    from resnext.progress import show_progress

    with tidy_on_sigterm(), show_progress(quiet=arguments.json) as progress:
        work = _check if arguments.check else _pack
        status, facts, lines = work(arguments, progress)
    if arguments.json:
        print(json.dumps(facts))
    else:
        print("\n".join(lines))
    return status


def _validate(arguments: Pack) -> None:
    check_ranges(arguments, {"workers": (1, None), "short_side": (1, None), "quality": (1, 95)})
    if arguments.check:
        if is_address(arguments.source.removeprefix("shards:")):
            raise ConfigError(
                f"--check {arguments.source}: only local folders can be checked; remote shards "
                "are verified by SHA-256 when they are fetched"
            )
        flags = (arguments.dest, arguments.short_side, arguments.quality)
        if any(flag is not None for flag in flags) or arguments.shard_mib != _DEFAULT_MIB:
            raise ConfigError(
                "--check takes a packed folder and no other settings: resnext pack --check DEST"
            )
        return
    if arguments.dest is None:
        raise ConfigError("give SOURCE and DEST: resnext pack SOURCE DEST")
    if not arguments.shard_mib > 0:
        raise ConfigError(f"--shard-mib {arguments.shard_mib:g}: give more than 0")


_Outcome = tuple[int, dict[str, Any], list[str]]
_Progress = Callable[[int], None] | None


def _pack(arguments: Pack, progress: _Progress) -> _Outcome:
    from resnext.data.sets.load import load_data
    from resnext.data.shards.encode import Encoding
    from resnext.data.shards.pack import PackOptions, pack

    assert arguments.dest is not None  # `_validate` sees to it
    source = parse_data(arguments.source)
    _refuse_overlap(source, arguments.dest)
    options = PackOptions(
        shard_mib=arguments.shard_mib,
        encoding=Encoding(arguments.short_side, arguments.quality),
        workers=arguments.workers or default_workers(),
        progress=progress,
    )
    index = pack(load_data(source), arguments.dest, options)
    return _told(arguments.dest, index)


def _refuse_overlap(source: DataConfig, dest: Path) -> None:
    """Check that DEST is not inside the source, whose files would then include the shards."""
    if source.name in SIGNAL_NAMES:
        raise ConfigError(
            f"{source.name}: signals are in memory as arrays during training, so a packed set "
            "would be read no faster; train on the file itself"
        )
    if source.name not in ("folder", "imagenet", "masks"):
        raise ConfigError(
            f"{source.name} cannot be packed; pack a folder of class folders or of images/ and "
            "masks/, or imagenet:FOLDER"
        )
    assert source.root is not None  # such a set has one
    if dest.absolute().is_relative_to(source.root):
        raise ConfigError(f"{dest} is inside the source {source.root}; give a folder outside it")


def _told(dest: Path, index: Index) -> _Outcome:
    facts: dict[str, Any] = {"path": str(dest), "classes": len(index.classes), "splits": {}}
    lines = []
    num_bad = 0
    for split, listed in index.splits.items():
        size_mib = round(sum(shard.size_bytes for shard in listed.shards) / 2**20, 1)
        bad = sum(len(shard.bad) for shard in listed.shards)
        num_bad += bad
        facts["splits"][split] = {
            "samples": listed.num_samples,
            "shards": len(listed.shards),
            "size_mib": size_mib,
            "bad_files": bad,
        }
        lines.append(
            f"{split}: {listed.num_samples:,} images in {len(listed.shards)} shard(s), "
            f"{size_mib:,} MiB"
        )
    lines.append(f"wrote {dest}; to train on it: resnext train --data {dest}")
    if num_bad:
        lines.append(f"{num_bad} bad file(s) left out; see {dest / 'bad_files.json'}")
    return int(num_bad > 0), facts, lines


def _check(arguments: Pack, progress: _Progress) -> _Outcome:
    from resnext.data.shards.check import check

    root = Path(with_home(arguments.source.removeprefix("shards:")))
    checked = check(root, arguments.workers or default_workers(), progress)
    facts = {
        "path": str(root),
        "shards": checked.num_shards,
        "samples": checked.num_samples,
        "damage": [
            {"file": one.file, "sample": one.sample, "reason": one.reason} for one in checked.damage
        ],
    }
    if not checked.damage:
        return (
            0,
            facts,
            [f"{root}: {checked.num_samples:,} images in {checked.num_shards} shards, all intact"],
        )
    for one in checked.damage[:_NUM_LISTED]:
        where = one.file if one.sample is None else f"{one.file}: {one.sample}"
        print(printable(f"damaged {where}: {one.reason}"), file=sys.stderr)
    more = len(checked.damage) - _NUM_LISTED
    if more > 0:
        print(f"... and {more} more", file=sys.stderr)
    return (
        1,
        facts,
        [
            f"{root}: {len(checked.damage)} damaged; restore it with the resnext pack "
            "command that wrote it"
        ],
    )
