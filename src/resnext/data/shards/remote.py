"""A packed set at an address: index and tables are fetched at once, shards on demand."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from resnext.cache import cache_folder
from resnext.data.address import join
from resnext.data.shards.cache import ShardCache, Wanted
from resnext.data.shards.fetch import PATIENCE, fetch
from resnext.data.shards.layout import (
    INDEX,
    MAX_INDEX_BYTES,
    Index,
    ShardRecord,
    read_index,
    shard_name,
)
from resnext.data.shards.table import max_table_bytes
from resnext.download import Checksum, matches
from resnext.errors import ConfigError, DataError, DownloadError
from resnext.partial_file import Patience

GIB = 1 << 30
DEFAULT_CACHE_GIB = 20.0
_ALWAYS_KEPT_BYTES = 1 << 20  # of a table, however small the cache


@dataclass(frozen=True)
class Remote:
    """Shards that are fetched into a cache.

    Attributes:
        address: Address of the folder that `resnext pack` wrote.
        folder: The set's folder in the cache; its name depends on the index, so a repacked set gets
            a new one.
        records: All shards by their name.
        cache_bytes: Maximum size of the cached shards.
        patience: Retries and timeouts for the server.
    """

    address: str
    folder: Path
    records: dict[str, ShardRecord]
    cache_bytes: int
    patience: Patience = PATIENCE

    @property
    def num_cached(self) -> int:
        """Number of shards that always fit in the cache."""
        return self.cache_bytes // max(record.size_bytes for record in self.records.values())

    @property
    def is_cached_whole(self) -> bool:
        """Whether all shards fit in the cache."""
        return sum(record.size_bytes for record in self.records.values()) <= self.cache_bytes

    def open(self, split: str, number: int) -> int:
        """Return a file descriptor of a shard, fetched if needed; the caller closes it.

        Raises:
            DownloadError: It cannot be downloaded, is another file or cannot be stored.
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
        address: Address of the folder that `resnext pack` wrote.
        cache_gib: Maximum size of the cached shards. Tables (32 bytes plus the name of each image,
            and more for masks) are stored in addition.
        patience: Retries and timeouts for the server.

    Raises:
        DataError: There is no packed set, or its files do not belong together.
        DownloadError: They cannot be downloaded.
        ConfigError: The cache is too small for a shard, or such addresses are not supported.
    """
    cache_bytes = int(cache_gib * GIB)
    most = max(cache_bytes, _ALWAYS_KEPT_BYTES)
    with _cache(address) as top:
        folder, index = _fetch_index(address, top, patience)
        records = {shard.name: shard for listed in index.splits.values() for shard in listed.shards}
        remote = Remote(address, folder, records, cache_bytes, patience)
        _check_room(remote, index, cache_gib)
        for split, listed in index.splits.items():
            num_mask_classes = 0 if index.masks is None else len(index.classes)
            sizes = max_table_bytes(listed.num_samples, num_mask_classes)
            tables = listed.tables(folder, split).items()
            for (dest, sha256), size in zip(tables, sizes, strict=True):
                wanted = Wanted(dest, min(size, most), sha256, join(address, dest.name))
                _fetch_table(wanted, patience)
    return remote, index


def fetch_index(address: str, patience: Patience = PATIENCE) -> Index:
    """Fetch only the index of a packed set; see `open_remote`."""
    with _cache(address) as top:
        return _fetch_index(address, top, patience)[1]


@contextmanager
def _cache(address: str) -> Iterator[Path]:
    """Return the folder of all sets in the cache.

    Raises:
        DownloadError: Something cannot be stored in it.
    """
    top = cache_folder("shards")
    try:
        top.mkdir(parents=True, exist_ok=True)
        yield top
    except OSError as error:
        raise DownloadError(
            f"{address}: cannot be stored in {top}: {error.strerror}; free disk space or set "
            "another folder with XDG_CACHE_HOME"
        ) from None


def _check_room(remote: Remote, index: Index, cache_gib: float) -> None:
    """Check, before fetching more, that shards and tables fit in the cache.

    Raises:
        ConfigError: A shard or a table is larger than the cache limit.
    """
    if not remote.records or not remote.num_cached:
        largest = max((record.size_bytes for record in remote.records.values()), default=0)
        raise ConfigError(
            f"data.cache_gib={cache_gib:g} is too small for a shard of {remote.address}, the "
            f"largest of which has {largest / GIB:.3g} GiB; set it to several times that"
        )
    rows = max(max_table_bytes(listed.num_samples)[0] for listed in index.splits.values())
    if rows > max(remote.cache_bytes, _ALWAYS_KEPT_BYTES):
        raise ConfigError(
            f"data.cache_gib={cache_gib:g}: a table of {remote.address} alone has "
            f"{rows / GIB:.3g} GiB; if you trust that address, set it to several times that"
        )


def _fetch_index(address: str, top: Path, patience: Patience) -> tuple[Path, Index]:
    """Fetch the index every time, as it determines whether cached files belong to the set."""
    arriving = _own_folder(top, hashlib.sha256(address.encode()).hexdigest()[:16])
    with FileLock(arriving / "index.lock"):
        incoming = arriving / INDEX
        incoming.unlink(missing_ok=True)
        fetch(join(address, INDEX), incoming, MAX_INDEX_BYTES, patience)
        try:
            index = read_index(arriving)
        except DataError as error:
            reason = str(error).replace(str(incoming), join(address, INDEX))
            raise DataError(f"{address} is not a packed data set: {reason}") from None
        digest = hashlib.sha256(incoming.read_bytes()).hexdigest()[:16]
    return _own_folder(top, digest), index


def _own_folder(top: Path, name: str) -> Path:
    """Create a folder in the cache.

    Raises:
        OSError: It cannot be created, or its path is a symbolic link, which could lead anywhere.
    """
    folder = top / name
    folder.mkdir(exist_ok=True)
    if folder.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, f"{name} is a link", str(folder))
    return folder


def _fetch_table(wanted: Wanted, patience: Patience) -> None:
    """Fetch a table of at most `wanted.size_bytes`, unless an undamaged copy exists."""
    dest, checksum = wanted.path, Checksum("sha256", wanted.sha256)
    with FileLock(dest.with_name(dest.name + ".lock")):
        if dest.is_file() and matches(dest, checksum):
            return
        part = dest.with_name(dest.name + ".partial")
        fetch(wanted.address, part, wanted.size_bytes, patience)
        if not matches(part, checksum):
            part.unlink()
            raise DataError(
                f"{wanted.address} is not the file that the index lists: its SHA-256 differs; "
                "upload the packed folder again, the index last"
            )
        part.replace(dest)
