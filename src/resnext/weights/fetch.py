"""Download the file of a catalogue entry and verify it."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from resnext.cache import cache_folder
from resnext.complexity.count import count
from resnext.download import Checksum, Progress, download, verify
from resnext.errors import DownloadError, LicenceError
from resnext.model.names import parse_name
from resnext.weights.archive import MAX_WEIGHTS_BYTES, unpack
from resnext.weights.entry import WeightsEntry
from resnext.weights.reach import reach

_LOG = logging.getLogger(__name__)

HUB = "hf-hub:"
_ACCEPTED = "licence-accepted"
_FLOAT_BYTES = 4
_SET = {"1", "ON", "YES", "TRUE"}  # what the Hub's client takes for it


def cached_file(entry: WeightsEntry) -> Path:
    """Return where an entry's file is stored, or where to put it by hand."""
    return cache_folder("weights") / entry.name / entry.filename


def fetch(
    entry: WeightsEntry, *, accept_licence: bool = False, progress: Progress | None = None
) -> Path:
    """Download an entry's file unless it exists, and verify it.

    An existing file is verified again if a checksum was published. A licence needs to be accepted
    only once: a note next to the file records it.

    Args:
        entry: The entry.
        accept_licence: Also download weights that may not be used commercially.
        progress: Called with the bytes downloaded so far and the total.

    Returns:
        The file.

    Raises:
        LicenceError: The licence forbids commercial use and was not accepted.
        DownloadError: It cannot be downloaded, or is not the published file.
    """
    dest = cached_file(entry)
    checksum = checksum_of(entry)
    if dest.exists():
        if checksum is not None:
            verify(dest, checksum)
        return dest
    check_licence(entry, accept_licence=accept_licence)
    accepted = dest.with_name(_ACCEPTED)
    try:
        with _write_errors(dest):
            if entry.is_non_commercial:
                accepted.parent.mkdir(parents=True, exist_ok=True)
                accepted.touch()
            return _fetch(entry, dest, progress)
    except DownloadError as error:
        reason = str(error).partition("; download config.json")[0]  # `by_hand` explains this file
        raise DownloadError(f"{reason}. {by_hand(entry)}") from None


def check_licence(entry: WeightsEntry, *, accept_licence: bool) -> None:
    """Refuse weights that may not be used commercially, unless the licence has been accepted.

    Raises:
        LicenceError: It has not been accepted.
    """
    dest = cached_file(entry)
    is_accepted = accept_licence or dest.exists() or dest.with_name(_ACCEPTED).exists()
    if entry.is_non_commercial and not is_accepted:
        raise LicenceError(
            f"{entry.name}: its licence, {entry.licence}, forbids commercial use. If your use is "
            f"allowed: resnext weights fetch {entry.name} --accept-licence"
        )


def check_reach(entry: WeightsEntry) -> None:
    """Check within a second whether the server can be reached; otherwise explain the alternative.

    For programs that load a lot before they download. A server that has not answered yet only
    causes a warning; the download waits for it.

    Raises:
        DownloadError: There is no connection, or offline mode is set.
    """
    if is_there(entry):
        return
    if _is_offline():
        raise DownloadError(
            f"{entry.name}: not downloaded, because HF_HUB_OFFLINE is set. {by_hand(entry)}"
        )
    silence = reach(contacted_address(entry))
    if silence is not None and silence.is_final:
        raise DownloadError(f"{entry.name}: cannot be reached ({silence.reason}). {by_hand(entry)}")
    if silence is not None:
        _LOG.warning("%s: %s yet. %s", entry.name, silence.reason, by_hand(entry))


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in _SET


def contacted_address(entry: WeightsEntry) -> str:
    """Return the address whose server is contacted first."""
    if not entry.address.startswith(HUB):
        return entry.address
    from huggingface_hub.constants import ENDPOINT

    return ENDPOINT


def _fetch(entry: WeightsEntry, dest: Path, progress: Progress | None) -> Path:
    checksum = checksum_of(entry)
    if entry.address.startswith(HUB):
        return _fetch_from_hub(entry)
    if _is_offline():
        raise DownloadError(f"{entry.address}: not downloaded, because HF_HUB_OFFLINE is set")
    if not entry.address.endswith(".zip"):
        return download(entry.address, dest, checksum, progress, max_bytes=MAX_WEIGHTS_BYTES)
    dest.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(dest.with_name(dest.name + ".lock")):  # processes wait for one another
        if dest.exists():
            return dest
        zipped = dest.with_name(dest.name + ".zip")
        archive = download(entry.address, zipped, None, progress, max_bytes=MAX_WEIGHTS_BYTES)
        return unpack(archive, dest, checksum)


def is_there(entry: WeightsEntry) -> bool:
    """Return whether an entry's file is on this machine: in its folder or in the Hub's cache."""
    if cached_file(entry).exists():
        return True
    repository, _, filename = entry.address.removeprefix(HUB).rpartition("/")
    if not entry.address.startswith(HUB):
        return False
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    return any(folder.glob(f"snapshots/*/{filename}"))


def by_hand(entry: WeightsEntry) -> str:
    """Explain how to get a file without a connection."""
    checksum = checksum_of(entry)
    digest = f", {checksum.algorithm} {checksum.digits}" if checksum is not None else ""
    if checksum is not None and checksum.algorithm == "sha256" and len(checksum.digits) < 64:
        digest += "..."
    inside = (
        f", unpack it and put {entry.filename}" if entry.address.endswith(".zip") else " and put it"
    )
    return (
        f"Without a connection, download {web_address(entry)} (about {_size_mb(entry)} "
        f"MB{digest}) on another machine{inside} at {cached_file(entry)}"
    )


def _size_mb(entry: WeightsEntry) -> int:
    """Estimate the size of an entry's file in 10^6 bytes; publishers do not state it."""
    config = parse_name(entry.network).replace(num_classes=entry.num_classes)
    return round(_FLOAT_BYTES * count(config).parameters / 1e6)


def web_address(entry: WeightsEntry) -> str:
    """Return the web address."""
    if not entry.address.startswith(HUB):
        return entry.address
    repository, _, filename = entry.address.removeprefix(HUB).rpartition("/")
    return f"https://huggingface.co/{repository}/resolve/main/{filename}"


def checksum_of(entry: WeightsEntry) -> Checksum | None:
    """Return the strongest published checksum."""
    if entry.sha256:
        return Checksum("sha256", entry.sha256)
    return Checksum("sha1", entry.sha1) if entry.sha1 else None


def _fetch_from_hub(entry: WeightsEntry) -> Path:
    """Download with huggingface_hub, which resumes, verifies and caches."""
    from resnext.weights.hub_file import hub_file

    repository, _, filename = entry.address.removeprefix(HUB).rpartition("/")
    return hub_file(repository, filename)


@contextlib.contextmanager
def _write_errors(dest: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"{dest}: cannot be written ({error.strerror}); free some space, or set "
            "XDG_CACHE_HOME to a folder with enough space"
        ) from None
