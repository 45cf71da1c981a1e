"""Uploads a trained network to a repository on the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from resnext._version import __version__
from resnext.cache import cache_folder
from resnext.errors import ConfigError, PublishError
from resnext.hub.published import Source
from resnext.hub.save import FILES, save_pretrained
from resnext.staging import work_folder
from resnext.weights.hub_file import connection_error, first_line, is_repository

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

_UNAUTHORISED, _FORBIDDEN = 401, 403


def push_to_hub(
    source: Source,
    repository: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
    message: str = "",
    title: str = "",
    licence: str = "",
    accept_licence: bool = False,
) -> str:
    """Publish a network on the Hub: one commit with the files of `save_pretrained`.

    The repository is created if it does not exist. An earlier model card is replaced; the Hub
    keeps it in the repository's history. Other files in the repository stay.

    Example:
        >>> import resnext
        >>> resnext.push_to_hub("runs/demo", "me/demo", private=True)  # doctest: +SKIP

    Args:
        source: As for `save_pretrained`.
        repository: OWNER/NAME.
        private: Make a new repository private.
        token: Hub token; by default that of `hf auth login` or HF_TOKEN.
        revision: Branch to commit to, created if it does not exist; by default the main branch.
        message: Commit message.
        title: Heading of the model card.
        licence: SPDX identifier; by default the source's.
        accept_licence: Also fetch weights that do not allow commercial use.

    Returns:
        The URL of the commit.

    Raises:
        ConfigError: The repository's name is invalid, or as for `save_pretrained`.
        PublishError: Not logged in, no write access, or no connection.
        ResNeXtError: As for `save_pretrained`.
    """
    from huggingface_hub import HfApi, get_token

    if not is_repository(repository):
        raise ConfigError(f"repository={repository!r}: write OWNER/NAME, such as me/my-network")
    if not (token or get_token()):
        raise PublishError(
            f"{repository}: not logged in to the Hub; run `hf auth login`, or set HF_TOKEN "
            "to a token with write access"
        )
    api = HfApi(token=token, library_name="resnext")
    staged = cache_folder("push") / repository.replace("/", "--")
    with _explained(repository):
        staged.parent.mkdir(parents=True, exist_ok=True)
    with work_folder(staged, PublishError) as temporary:
        folder = temporary / "network"
        save_pretrained(
            source,
            folder,
            title=title,
            licence=licence,
            repository=repository,
            accept_licence=accept_licence,
        )
        with _explained(repository):
            api.create_repo(repository, private=private, exist_ok=True)
            if revision is not None:
                api.create_branch(repository, branch=revision, exist_ok=True)
            commit = api.create_commit(
                repository,
                _operations(folder, api.list_repo_files(repository, revision=revision)),
                commit_message=message or f"Publish with resnext {__version__}",
                revision=revision,
            )
    return str(commit.commit_url)


def _operations(
    folder: Path, present: list[str]
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Return the operations that turn a repository into this folder; other files stay.

    They form one commit, so that nobody fetches the weights of one network with the config
    of another.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    new = [path for name in FILES if (path := folder / name).exists()]
    stale = [name for name in FILES if name in present and not (folder / name).exists()]
    return [
        *(CommitOperationAdd(path_in_repo=path.name, path_or_fileobj=path) for path in new),
        *(CommitOperationDelete(path_in_repo=name) for name in stale),
    ]


@contextmanager
def _explained(repository: str) -> Iterator[None]:
    """Turn the Hub's errors into one message that says what to do."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        yield
    except HfHubHTTPError as error:
        raise PublishError(f"{repository}: {_refusal(error.response.status_code, error)}") from None
    except LocalTokenNotFoundError:
        raise PublishError(f"{repository}: not logged in; run `hf auth login`") from None
    except OfflineModeIsEnabled:
        raise PublishError(
            f"{repository}: HF_HUB_OFFLINE is set, so nothing can be uploaded; unset it"
        ) from None
    except (connection_error(), OSError) as error:
        raise PublishError(
            f"{repository}: the Hub cannot be reached ({first_line(error)}); write a folder "
            "instead (save_pretrained, --to FOLDER), and push once there is a connection"
        ) from None


def _refusal(status: int, error: Exception) -> str:
    if status == _UNAUTHORISED:
        return "the Hub does not accept this token; log in again: `hf auth login`"
    if status == _FORBIDDEN:
        return (
            "this token has no write access there; use a token with write access, and a "
            "repository that you own or can write to"
        )
    return f"the Hub refused it ({first_line(error)})"
