"""One file of a repository on the Hugging Face Hub, in the Hub's own cache."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from resnext.errors import DownloadError

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class NoSuchHubFileError(DownloadError):
    """The repository is there, the file is not."""


def is_repository(name: str) -> bool:
    """Tell whether a text has the form of a repository, OWNER/NAME."""
    return _REPOSITORY.fullmatch(name) is not None


def hub_file(repository: str, filename: str, revision: str | None = None) -> Path:
    """Return a file of a repository, fetched unless the Hub's cache has it.

    Args:
        repository: OWNER/NAME.
        filename: The file's path in the repository.
        revision: Branch, tag or commit; the main branch by default.

    Returns:
        The file in the cache.

    Raises:
        NoSuchHubFileError: The repository has no such file.
        DownloadError: There is no such repository or file, or no connection.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        return Path(hf_hub_download(repository, filename, revision=revision))
    except LocalEntryNotFoundError:
        raise DownloadError(
            f"{repository}: {filename} is not in the Hub's cache and the Hub cannot be reached; "
            f"get the files of https://huggingface.co/{repository} elsewhere and name their folder"
        ) from None
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
            f"{repository}: {filename} did not arrive whole ({first_line(error)}); try again: what "
            "is there is kept"
        ) from None


def connection_error() -> type[Exception]:
    """Return the base of what the Hub's client raises for a connection that fails.

    It is that of requests, httpx or httpx2, as the installed version of huggingface_hub has it.
    """
    from huggingface_hub.errors import HfHubHTTPError

    return cast("type[Exception]", HfHubHTTPError.__bases__[0])


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, or its kind where it has none."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
