"""A packed set at an address: its index and tables at once, its shards when they are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from resnext.cache import cache_folder
from resnext.data.shards.address import join
from resnext.data.shards.cache import ShardCache, Wanted
from resnext.data.shards.fetch import PATIENCE, fetch
from resnext.data.shards.layout import (
    INDEX,
    Index,
    ShardRecord,
    names_path,
    read_index,
    rows_path,
    shard_name,
)
from resnext.download import Checksum, Patience, matches
from resnext.errors import ConfigError, DataError, DownloadError

GIB = 1 << 30
DEFAULT_CACHE_GIB = 20.0


@dataclass(frozen=True)
class Remote:
    """Shards that are fetched into a cache.

    Attributes:
        address: Of the folder that `resnext pack` wrote.
        folder: The set's own folder in the cache; named by its index, so a set that is
            packed anew gets another one.
        records: All shards by their name.
        cache_bytes: What the cache's shards may take.
        patience: With the server.
    """

    address: str
    folder: Path
    records: dict[str, ShardRecord]
    cache_bytes: int
    patience: Patience = PATIENCE

    @property
    def num_cached(self) -> int:
        """Shards that surely fit into the cache."""
        return self.cache_bytes // max(record.size_bytes for record in self.records.values())

    @property
    def is_cached_whole(self) -> bool:
        """Whether all shards fit into the cache."""
        return sum(record.size_bytes for record in self.records.values()) <= self.cache_bytes

    def open(self, split: str, number: int) -> int:
        """Return a descriptor of a shard, fetched if need be; the caller closes it.

        Raises:
            DownloadError: It cannot be fetched, is another file or cannot be kept.
        """
        name = shard_name(split, number)
        record = self.records[name]
        cache = ShardCache(
            self.folder.parent, self.cache_bytes, partial(fetch, patience=self.patience)
        )
        address = join(self.address, name)
        return cache.open(Wanted(self.folder / name, record.size_bytes, record.sha256, address))


def open_remote(
    address: str, cache_gib: float = DEFAULT_CACHE_GIB, patience: Patience = PATIENCE
) -> tuple[Remote, Index]:
    """Fetch the index and the tables of a packed set.

    Args:
        address: Of the folder that `resnext pack` wrote.
        cache_gib: What the cache's shards may take. Tables (32 bytes and the name of each
            image) are kept beside them.
        patience: With the server.

    Raises:
        DataError: There is no packed set, or its files do not belong together.
        DownloadError: They cannot be fetched.
        ConfigError: The cache is too small for a shard, or nothing reads such addresses.
    """
    top = cache_folder("shards")
    try:
        top.mkdir(parents=True, exist_ok=True)
        folder, index = _fetch_index(address, top, patience)
        for split, listed in index.splits.items():
            tables = (
                (rows_path(folder, split), listed.rows_sha256),
                (names_path(folder, split), listed.names_sha256),
            )
            for place, sha256 in tables:
                _fetch_table(join(address, place.name), place, sha256, patience)
    except OSError as error:
        raise DownloadError(
            f"{address}: cannot be kept in {top}: {error.strerror}; make room or choose another "
            "folder by XDG_CACHE_HOME"
        ) from None
    records = {shard.name: shard for listed in index.splits.values() for shard in listed.shards}
    remote = Remote(address, folder, records, int(cache_gib * GIB), patience)
    if not remote.num_cached:
        largest = max(record.size_bytes for record in records.values())
        raise ConfigError(
            f"data.cache_gib={cache_gib:g} holds not one shard of {address}, whose largest has "
            f"{largest / GIB:.3g} GiB; set it to several times that"
        )
    return remote, index


def _fetch_index(address: str, top: Path, patience: Patience) -> tuple[Path, Index]:
    """Fetch the index, always anew: it decides whether what is cached belongs to the set."""
    arriving = top / hashlib.sha256(address.encode()).hexdigest()[:16]
    arriving.mkdir(exist_ok=True)
    with FileLock(arriving / "index.lock"):
        incoming = arriving / INDEX
        incoming.unlink(missing_ok=True)
        fetch(join(address, INDEX), incoming, patience)
        try:
            index = read_index(arriving)
        except DataError as error:
            reason = str(error).replace(str(incoming), join(address, INDEX))
            raise DataError(f"{address} holds no packed data set: {reason}") from None
        digest = hashlib.sha256(incoming.read_bytes()).hexdigest()[:16]
    folder = top / digest
    folder.mkdir(exist_ok=True)
    return folder, index


def _fetch_table(address: str, place: Path, sha256: str, patience: Patience) -> None:
    with FileLock(place.with_name(place.name + ".lock")):
        if place.exists():
            return
        part = place.with_name(place.name + ".partial")
        fetch(address, part, patience)
        if not matches(part, Checksum("sha256", sha256)):
            part.unlink()
            raise DataError(
                f"{address} is not the file that the index lists: its SHA-256 differs; upload the "
                "packed folder again, the index last"
            )
        part.replace(place)
