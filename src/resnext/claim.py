"""Folder claims: locks that work across processes, machines and users.

Claims of a folder are numbered files that are never removed. A claim is taken by creating the next
number once the previous one is released or its holder is gone; only one process can create it, so
taking over from a dead process is race-free. The holder touches its file every few seconds; it has
lost the claim if a higher number exists.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from resnext.untrusted.parse import parse_json, read_text
from resnext.untrusted.text import printable

_PREFIX, _RELEASED = "claim-", ".released"
REMOVED = ".removed"
_SECONDS_BETWEEN_BEATS = 5.0
SECONDS_UNTIL_STALE = 90.0  # a shared disk may show a touch a minute late
_MAX_CLAIM_BYTES = 4096
_MAX_PID = 2**31


@dataclass(frozen=True)
class Holder:
    """The holder of a claim.

    Attributes:
        host: Name of the machine.
        pid: Process there.
        system: Boot and process namespace, which distinguish containers and reboots; empty if
            unknown.
        started: Start of the process in system ticks, which detects a reused process number.
        since: Time it took the claim, by its own clock; empty if unknown.
    """

    host: str
    pid: int
    system: str
    started: str
    since: str = ""

    def __str__(self) -> str:
        since = f" since {self.since}" if self.since else ""
        return f"process {self.pid} on {printable(self.host + since)}"

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this system, so that its state can be checked."""
        return self.system == _system() != ""


UNKNOWN = Holder("another machine", 0, "", "")
"""Holder of a claim that is being written or was just released."""


class Claim:
    """A claim that this process holds until `release`."""

    def __init__(self, folder: Path, number: int, on_lost: Callable[[], None]) -> None:
        self._folder, self._number, self._on_lost = folder, number, on_lost
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Release the folder."""
        self._end_beating()
        _file(self._folder, self._number, _RELEASED).touch()

    def remove_folder(self) -> None:
        """Remove the folder with its content, which also releases it.

        It is renamed first, so that no process claims a folder that is being removed.
        """
        self._end_beating()
        aside = self._folder.with_name(f"{self._folder.name}.{os.getpid()}{REMOVED}")
        with contextlib.suppress(OSError):
            if self.is_held():
                self._folder.replace(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def is_held(self) -> bool:
        """Return whether no other process has taken over."""
        return _last_number(self._folder) == self._number

    def _end_beating(self) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_BEATS):
            with contextlib.suppress(OSError):  # a shared disk may be away for a while
                if not self.is_held():
                    self._on_lost()
                    return
                os.utime(_file(self._folder, self._number))


def take_claim(folder: Path, on_lost: Callable[[], None]) -> Claim | Holder:
    """Claim a folder.

    Args:
        folder: The folder, which exists.
        on_lost: Called from a thread if another process has taken over, which only happens after
            this process was suspended for long.

    Returns:
        The claim, or its current holder.

    Raises:
        OSError: The folder is missing or cannot be written.
    """
    last = _last_number(folder)  # once: whoever is faster from here on wins the next number
    holder = _holder_of(folder, last)
    if holder is not None:
        return holder
    path = _file(folder, last + 1)
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return _holder_of(folder, last + 1) or UNKNOWN
    try:
        with file:
            file.write(json.dumps(asdict(_myself())))
    except OSError:  # a full disk
        path.unlink(missing_ok=True)
        raise
    return Claim(folder, last + 1, on_lost)


def find_holder(folder: Path) -> Holder | None:
    """Return the current holder of a folder."""
    return _holder_of(folder, _last_number(folder))


def last_beat(folder: Path) -> tuple[int, float]:
    """Return the number of the newest claim and its last update, which show a live holder."""
    try:
        number = _last_number(folder)
        return number, _file(folder, number).stat().st_mtime
    except FileNotFoundError:
        return 0, 0.0


def _holder_of(folder: Path, number: int) -> Holder | None:
    """Return the holder of a numbered claim; None if it was released or its holder is gone."""
    path = _file(folder, number)
    if _file(folder, number, _RELEASED).exists():
        return None
    try:
        holder = _read_holder(path)
        beaten = path.stat().st_mtime
    except FileNotFoundError:
        return None  # never claimed
    if holder.is_here:
        return None if _is_gone(holder) else holder
    return holder if _disk_time(folder) - beaten < SECONDS_UNTIL_STALE else None


def _read_holder(path: Path) -> Holder:
    """Read a claim; if it is being written or damaged, the holder is unknown."""
    try:
        values = parse_json(read_text(path, _MAX_CLAIM_BYTES))
        known = {field.name: values[field.name] for field in fields(Holder) if field.name in values}
        holder = Holder(**known)
    except (ValueError, TypeError):
        return UNKNOWN
    texts = (holder.host, holder.system, holder.started, holder.since)
    is_whole = type(holder.pid) is int and all(isinstance(text, str) for text in texts)
    return holder if is_whole and 0 <= holder.pid < _MAX_PID else UNKNOWN


def _file(folder: Path, number: int, suffix: str = "") -> Path:
    return folder / f"{_PREFIX}{number:06}{suffix}"


def _last_number(folder: Path) -> int:
    names = (entry.name for entry in os.scandir(folder) if entry.name.startswith(_PREFIX))
    plain = (name.removesuffix(_RELEASED).removeprefix(_PREFIX) for name in names)
    return max((int(name) for name in plain if _is_number(name)), default=0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _myself() -> Holder:
    pid = os.getpid()
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return Holder(socket.gethostname(), pid, _system(), _start_of(pid), since)


def _system() -> str:
    """Identify the running system and its process namespace, on Linux."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""  # then only the beats count


def _is_gone(holder: Holder) -> bool:
    """Return whether a process of this system has ended."""
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another person's, which may hide when it started
    return _start_of(holder.pid) not in (holder.started, "")


def _start_of(pid: int) -> str:
    """Return when a process started, `ended` for a zombie, empty if it is hidden."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()  # the command's name may hold anything
    return "ended" if fields[0] == "Z" else fields[19]


def _disk_time(folder: Path) -> float:
    """Return the time of the file system's clock, which may be another machine's.

    Without write permission, this machine's clock is used.
    """
    probe = folder / f"clock-{os.getpid()}-{time.monotonic_ns()}"
    try:
        probe.touch()
    except OSError:
        return time.time()
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink()
