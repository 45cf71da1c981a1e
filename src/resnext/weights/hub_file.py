"""One file of a repository on the Hugging Face Hub, in the Hub's own cache."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from resnext.errors import DownloadError
from resnext.untrusted.names import check_relative_path
from resnext.untrusted.text import printable
from resnext.weights.archive import MAX_WEIGHTS_BYTES

# Of requests, httpx and Python: there is no way to the server, or offline mode is set.
_NO_CONNECTION = {"ConnectError", "ConnectTimeout", "ConnectionError", "ProxyError", "gaierror"}

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class NoSuchHubFileError(DownloadError):
    """The repository exists, but not the file."""


def is_repository(name: str) -> bool:
    """Return whether a text has the form of a repository, OWNER/NAME."""
    return _REPOSITORY.fullmatch(name) is not None


def hub_file(repository: str, filename: str, revision: str | None = None) -> Path:
    """Return a file of a repository; download it unless it is in the Hub's cache.

    Args:
        repository: OWNER/NAME.
        filename: The file's path in the repository.
        revision: Branch, tag or commit; the main branch by default.

    Returns:
        The file in the cache.

    Raises:
        NoSuchHubFileError: The repository has no such file.
        DownloadError: There is no such repository or file, no connection, or the file is too large;
            or a name leads outside the Hub's cache.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    _check_names(repository, filename, revision)
    _check_size(repository, filename, revision)
    try:
        return Path(hf_hub_download(repository, filename, revision=revision))
    except LocalEntryNotFoundError:
        raise _unreachable(repository, filename) from None
    except EntryNotFoundError:
        raise NoSuchHubFileError(f"{repository}: has no file {filename}") from None
    except RepositoryNotFoundError:
        raise DownloadError(
            f"{repository}: there is no such repository on the Hub, or it is private: "
            "log in with `hf auth login`"
        ) from None
    except (HFValidationError, HfHubHTTPError) as error:
        raise DownloadError(f"{repository}: {first_line(error)}") from None
    except (connection_error(), OSError) as error:
        raise DownloadError(
            f"{repository}: the download of {filename} was incomplete ({first_line(error)}); try "
            "again: it will resume"
        ) from None


def _unreachable(repository: str, filename: str) -> DownloadError:
    return DownloadError(
        f"{repository}: {filename} is not in the Hub's cache and the Hub cannot be reached; "
        f"download config.json and {filename} from https://huggingface.co/{repository} on "
        "another machine, put them in one folder and give that folder instead"
    )


def _check_names(repository: str, filename: str, revision: str | None) -> None:
    """Check names that the Hub's client uses in paths of its cache."""
    if not is_repository(repository):
        raise DownloadError(f"{repository}: a repository on the Hub is written OWNER/NAME")
    try:
        for name in (filename, revision or "main"):
            check_relative_path(name)
    except ValueError as error:
        raise DownloadError(f"{repository}: {error}") from None


def _check_size(repository: str, filename: str, revision: str | None) -> None:
    """Check that a file exists and is not too large before starting the Hub's client.

    The client would try to reach the Hub six times and log each attempt. Cached files need no
    connection.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    size = None
    try:
        if not isinstance(try_to_load_from_cache(repository, filename, revision=revision), str):
            url = hf_hub_url(repository, filename, revision=revision)
            size = get_hf_file_metadata(url).size
    except (HfHubHTTPError, HFValidationError, ValueError):
        pass  # the download explains it
    except (connection_error(), OSError) as error:
        if _NO_CONNECTION & {kind.__name__ for kind in type(error).__mro__}:
            raise _unreachable(repository, filename) from None
    if size is not None and size > MAX_WEIGHTS_BYTES:
        raise DownloadError(
            f"{repository}: {filename} has {size:,} bytes, more than the limit of "
            f"{MAX_WEIGHTS_BYTES:,}; use another repository"
        )


def connection_error() -> type[Exception]:
    """Return the base class of the Hub client's connection errors.

    It is from requests, httpx or httpx2, depending on the version of huggingface_hub.
    """
    from huggingface_hub.errors import HfHubHTTPError

    return cast("type[Exception]", HfHubHTTPError.__bases__[0])


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its type if it has none."""
    return printable(str(error).strip().partition("\n")[0]) or type(error).__name__
