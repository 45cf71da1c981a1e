"""Downloads files over HTTP(S) or from a store that fsspec supports."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from resnext.errors import ConfigError, DownloadError
from resnext.partial_file import (
    CHUNK_BYTES,
    Patience,
    UnavailableError,
    check_total,
    keep_trying,
    open_partial,
    size_of,
)
from resnext.web import fetch_http

_WEB = ("http", "https")
# fsspec knows others that open a second address named in the first, unpack archives, follow a
# list of references found there or run a shell. An address may come with a run of somebody else.
_STORES = (
    "abfs", "abfss", "az", "file", "gcs", "gs", "hdfs", "hf", "memory", "oci", "oss", "s3", "s3a",
    "sftp",
)  # fmt: skip
# A training that runs for days outlives a restart of the server: about two minutes a file.
PATIENCE = Patience(attempts=9, without_network=True)


def fetch(address: str, partial: Path, max_bytes: int, patience: Patience) -> None:
    """Complete a partial file from its address; no other process may write it.

    Args:
        address: Address on a web server or for fsspec.
        partial: The partial file, if any; the rest is appended.
        max_bytes: Maximum size of the file; nothing beyond it is written.
        patience: When to give up.

    Raises:
        ConfigError: No installed package supports such addresses.
        DownloadError: It cannot be downloaded; an `OversizeError` if it is too large.
    """
    if urlsplit(address).scheme.lower() in _WEB:
        fetch_http(address, partial, patience, max_bytes=max_bytes)
        return
    store, path = _store(address)
    keep_trying(
        address, partial, patience, lambda: _continue(store, path, address, partial, max_bytes)
    )


def _store(address: str) -> tuple[Any, str]:
    """Return the fsspec file system and the path in it."""
    if urlsplit(address).scheme.lower() not in _STORES or "::" in address:
        raise ConfigError(
            f"{address}: such addresses are not supported; give http://, https:// or one of an "
            f"fsspec store: {', '.join(f'{store}://' for store in _STORES)}"
        )
    # a fixed part of huggingface_hub; it has no types
    fsspec: Any = importlib.import_module("fsspec")
    try:
        store, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:  # it says which package reads this kind of store
        raise ConfigError(f"{address}: {error}") from None
    return store, path


def _continue(store: Any, path: str, address: str, partial: Path, max_bytes: int) -> None:
    """Download the missing part of a file with fsspec."""
    there = size_of(partial)
    try:
        size = store.size(path)
        if size is not None:
            check_total(address, size, max_bytes)
        if there > (max_bytes if size is None else size):
            partial.unlink()
            raise UnavailableError("the partial file was not a part of this file")
        with store.open(path, "rb") as source, _open(partial, address) as file:
            source.seek(there)
            file.seek(there)
            while chunk := source.read(CHUNK_BYTES):
                there += len(chunk)
                check_total(address, there, max_bytes)
                _write(file, chunk, address)
    except (FileNotFoundError, PermissionError) as error:
        raise DownloadError(f"{address}: {_reason(error)}; retrying would not help") from None
    except (UnavailableError, DownloadError):
        raise
    # Each store has exceptions of its own (botocore, aiohttp, gcsfs): all may pass.
    except Exception as error:
        raise UnavailableError(_reason(error)) from None


def _open(partial: Path, address: str) -> BinaryIO:
    try:
        return open_partial(partial)
    except OSError as error:
        raise _unkept(address, error) from None


def _write(file: BinaryIO, chunk: bytes, address: str) -> None:
    try:
        file.write(chunk)
    except OSError as error:  # a full disk is no failure of the store
        raise _unkept(address, error) from None


def _unkept(address: str, error: OSError) -> DownloadError:
    return DownloadError(f"{address}: cannot be stored: {error.strerror}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
