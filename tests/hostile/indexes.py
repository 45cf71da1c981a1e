"""Damaged packed sets, listings, caches, configs of the Hub and archives."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import index_bases as bases
from counts import Counts
from mutation import mutate

from resnext.errors import ResNeXtError

_FRAGMENTS = (
    b"../../escaped", b"/etc/passwd", b"\x00", b"\xff", b"\x1b[2J", b'"\\ud800"', b"[" * 3000,
    b"9" * 5000, b"1e999", b"NaN", b"-1", b'"train-000000.tar"', b"{}", b"null",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        write: Writes whole files into a folder.
        file: The one that is damaged, below that folder; a pattern that one file fits.
        read: Uses what is in the folder.
        fit: Changes what else must agree with the damaged file, if anything.
        made: What reading makes in the folder, which is removed after each time.
    """

    write: Callable[[Path], None]
    file: str
    read: Callable[[Path], None]
    fit: Callable[[Path, str], None] | None = None
    made: tuple[str, ...] = ()


_packed = partial(Kind, bases.write_packed, made=("cache",))
_listing = partial(Kind, bases.write_listing)
KINDS = {
    "packed index": _packed("packed/index.json", bases.open_packed),
    "packed rows": _packed("packed/train.rows.npy", bases.open_packed, bases.fit_index),
    "packed names": _packed("packed/train.names.npy", bases.open_packed, bases.fit_index),
    "packed rows, checked": _packed("packed/val.rows.npy", bases.check_packed, bases.fit_index),
    "packed shard": _packed("packed/train-000000.tar", bases.check_packed, bases.fit_index),
    "packed shard, damaged": _packed("packed/train-000000.tar", bases.open_packed),
    "listing index": _listing("listing/listing.json", bases.read_listing),
    "listing text": _listing("listing/*.text.npy", bases.read_listing),
    "listing ends": _listing("listing/*.ends.npy", bases.read_listing),
    "listing text, forged": _listing(
        "listing/*.text.npy", bases.read_sealed_listing, bases.seal_listing
    ),
    "listing ends, forged": _listing(
        "listing/*.ends.npy", bases.read_sealed_listing, bases.seal_listing
    ),
    "Hub config": Kind(bases.write_hub_config, "config.json", bases.read_config),
    "measured times": Kind(bases.write_times, "measured.json", bases.read_times),
    "ImageNet tar": Kind(bases.write_archives, "x.tar", bases.unpack("x.tar"), made=("out",)),
    "ImageNet tar.gz": Kind(
        bases.write_archives, "x.tar.gz", bases.unpack("x.tar.gz"), made=("out",)
    ),
}


def run(name: str, num_files: int, seed: int) -> Counts:
    """Damage one kind of file many times and use it each time.

    Whatever appears outside of the folder counts as a failure, too.

    Args:
        name: A key of `KINDS`.
        num_files: Times.
        seed: Decides the damage.
    """
    kind, counts = KINDS[name], Counts(name)
    cache_home = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory(prefix="hostile-") as top:
        folder = Path(top) / "a" / "b"
        folder.mkdir(parents=True)
        kind.write(folder)
        (path,) = folder.glob(kind.file)
        others = {other: other.read_bytes() for other in path.parent.iterdir() if other.is_file()}
        fragments = (*_FRAGMENTS, f"{top}/escaped".encode())
        kind.read(folder)  # whole, it is accepted
        for number in range(num_files):
            _clean(folder, kind)
            rng = random.Random(f"{seed} {name} {number}")
            path.write_bytes(mutate(others[path], rng, fragments))
            if kind.fit is not None:
                kind.fit(folder, path.name)
            case = f"seed {seed}, number {number}"
            counts.add(case, lambda: kind.read(folder), ResNeXtError)
            if [*Path(top).iterdir(), *folder.parent.iterdir()] != [folder.parent, folder]:
                counts.failures.append(f"{case}: something lies outside of the folder")
                break
            for other, content in others.items():
                other.write_bytes(content)
    if cache_home is None:
        os.environ.pop("XDG_CACHE_HOME", None)
    else:
        os.environ["XDG_CACHE_HOME"] = cache_home
    return counts


def _clean(folder: Path, kind: Kind) -> None:
    for made in kind.made:
        shutil.rmtree(folder / made, ignore_errors=True)
