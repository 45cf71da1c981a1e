"""From an address to a file: over HTTP(S), or from any store that fsspec knows."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from resnext.download import CHUNK_BYTES, Patience, UnavailableError, fetch_http, keep_trying
from resnext.errors import ConfigError, DownloadError

_WEB = ("http", "https")
# A training that runs for days outlives a restart of the server: about two minutes a file.
PATIENCE = Patience(attempts=9, without_network=True)


def fetch(address: str, partial: Path, patience: Patience) -> None:
    """Complete a partial file, which nobody else writes, from its address.

    Args:
        address: On a web server, or for fsspec.
        partial: What is there of it, if anything; it is gone on with.
        patience: When to give up.

    Raises:
        ConfigError: Nothing that is installed can read such addresses.
        DownloadError: It cannot be fetched.
    """
    if urlsplit(address).scheme.lower() in _WEB:
        fetch_http(address, partial, patience)
        return
    store, path = _store(address)
    keep_trying(address, partial, patience, lambda: _continue(store, path, address, partial))


def _store(address: str) -> tuple[Any, str]:
    """Return fsspec's file system and the path in it."""
    try:
        fsspec: Any = importlib.import_module("fsspec")  # it has no types
    except ImportError:
        raise ConfigError(
            f"{address}: addresses other than http and https are read through fsspec; install it: "
            "pip install fsspec"
        ) from None
    try:
        store, path = fsspec.core.url_to_fs(address)
    except ImportError as error:  # it says which package reads this kind of store
        raise ConfigError(f"{address}: {error}") from None
    except ValueError as error:
        raise ConfigError(
            f"{address}: {error}; give http://, https:// or an address that fsspec knows, such as "
            "s3://, gs:// or hf://"
        ) from None
    return store, path


def _continue(store: Any, path: str, address: str, partial: Path) -> None:
    """Fetch what is missing of a file through fsspec."""
    there = partial.stat().st_size if partial.exists() else 0
    try:
        size = store.size(path)
        if size is not None and there > size:
            partial.unlink()
            raise UnavailableError("what was there was not a part of this file")
        with store.open(path, "rb") as source, partial.open("ab") as file:
            source.seek(there)
            while chunk := source.read(CHUNK_BYTES):
                _write(file, chunk, address)
    except (FileNotFoundError, PermissionError) as error:
        raise DownloadError(f"{address}: {_reason(error)}; another try would not help") from None
    except (UnavailableError, DownloadError):
        raise
    # Each store has exceptions of its own (botocore, aiohttp, gcsfs): all may pass.
    except Exception as error:
        raise UnavailableError(_reason(error)) from None


def _write(file: Any, chunk: bytes, address: str) -> None:
    try:
        file.write(chunk)
    except OSError as error:  # a full disk is no failure of the store
        raise DownloadError(f"{address}: cannot be kept: {error.strerror}") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
