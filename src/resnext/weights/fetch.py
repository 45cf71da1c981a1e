"""From an entry of the catalogue to a checked file on this machine."""

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
    """Return where an entry's file lies once it is fetched, or where a person may put it."""
    return cache_folder("weights") / entry.name / entry.filename


def fetch(
    entry: WeightsEntry, *, accept_licence: bool = False, progress: Progress | None = None
) -> Path:
    """Fetch an entry's file unless it is there, and check it.

    A file that lies in its place is checked once more where a checksum was published. A licence
    that was accepted once need not be accepted again: a note beside the file's place says so.

    Args:
        entry: The entry.
        accept_licence: Fetch also what may not be used commercially.
        progress: Is told the bytes that are there and those in all.

    Returns:
        The file.

    Raises:
        LicenceError: The licence forbids commercial use and was not accepted.
        DownloadError: It cannot be fetched, or is not the published file.
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
        reason = str(error).partition("; get the files of")[0]  # `by_hand` says it for this one
        raise DownloadError(f"{reason}. {by_hand(entry)}") from None


def check_licence(entry: WeightsEntry, *, accept_licence: bool) -> None:
    """Refuse what may not be used commercially, unless that was accepted now or before.

    Raises:
        LicenceError: It was not.
    """
    dest = cached_file(entry)
    is_accepted = accept_licence or dest.exists() or dest.with_name(_ACCEPTED).exists()
    if entry.is_non_commercial and not is_accepted:
        raise LicenceError(
            f"{entry.name}: its licence, {entry.licence}, forbids commercial use. If your use is "
            f"allowed: resnext weights fetch {entry.name} --accept-licence"
        )


def check_reach(entry: WeightsEntry) -> None:
    """Say within a second what a person without a connection can do.

    For programs that load much before they fetch. A server that only does not answer yet gets a
    warning, and is waited for when the file is fetched.

    Raises:
        DownloadError: There is no connection, or none is wanted.
    """
    if is_there(entry):
        return
    if _is_offline():
        raise DownloadError(
            f"{entry.name}: is not fetched, since HF_HUB_OFFLINE is set. {by_hand(entry)}"
        )
    silence = reach(contacted_address(entry))
    if silence is not None and silence.is_final:
        raise DownloadError(f"{entry.name}: cannot be reached ({silence.reason}). {by_hand(entry)}")
    if silence is not None:
        _LOG.warning("%s: %s yet. %s", entry.name, silence.reason, by_hand(entry))


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in _SET


def contacted_address(entry: WeightsEntry) -> str:
    """Return the address whose server is asked first."""
    if not entry.address.startswith(HUB):
        return entry.address
    from huggingface_hub.constants import ENDPOINT

    return ENDPOINT


def _fetch(entry: WeightsEntry, dest: Path, progress: Progress | None) -> Path:
    checksum = checksum_of(entry)
    if entry.address.startswith(HUB):
        return _fetch_from_hub(entry)
    if _is_offline():
        raise DownloadError(f"{entry.address}: is not fetched, since HF_HUB_OFFLINE is set")
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
    """Tell whether an entry's file is on this machine: in its place, or in the Hub's cache."""
    if cached_file(entry).exists():
        return True
    repository, _, filename = entry.address.removeprefix(HUB).rpartition("/")
    if not entry.address.startswith(HUB):
        return False
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    return any(folder.glob(f"snapshots/*/{filename}"))


def by_hand(entry: WeightsEntry) -> str:
    """Say what a person without a connection can do."""
    checksum = checksum_of(entry)
    digest = f", {checksum.algorithm} {checksum.digits}" if checksum is not None else ""
    if checksum is not None and checksum.algorithm == "sha256" and len(checksum.digits) < 64:
        digest += "..."
    inside = (
        f", unpack it and put {entry.filename}" if entry.address.endswith(".zip") else " and put it"
    )
    return (
        f"Without a connection, get {web_address(entry)} (about {_size_mb(entry)} MB{digest}) "
        f"elsewhere{inside} at {cached_file(entry)}"
    )


def _size_mb(entry: WeightsEntry) -> int:
    """Estimate the size of an entry's file, which publishers do not state, in 10^6 bytes."""
    config = parse_name(entry.network).replace(num_classes=entry.num_classes)
    return round(_FLOAT_BYTES * count(config).parameters / 1e6)


def web_address(entry: WeightsEntry) -> str:
    """Return the address that a browser can open."""
    if not entry.address.startswith(HUB):
        return entry.address
    repository, _, filename = entry.address.removeprefix(HUB).rpartition("/")
    return f"https://huggingface.co/{repository}/resolve/main/{filename}"


def checksum_of(entry: WeightsEntry) -> Checksum | None:
    """Return the strongest checksum that was published."""
    if entry.sha256:
        return Checksum("sha256", entry.sha256)
    return Checksum("sha1", entry.sha1) if entry.sha1 else None


def _fetch_from_hub(entry: WeightsEntry) -> Path:
    """Fetch through huggingface_hub, which resumes, checks and keeps its own cache."""
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
            "XDG_CACHE_HOME to a folder that can hold it"
        ) from None
