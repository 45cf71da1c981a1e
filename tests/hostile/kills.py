"""Commands killed with SIGKILL at random moments, then run again to the end.

After each series the command must succeed, its products must be those of an undisturbed run where
they are reproducible, and nothing hidden or partial may remain beside them.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from counts import Counts

_START = "import sys; from resnext.cli.main import main; sys.exit(main(sys.argv[1:]))"
_TIMEOUT_S = 300


@dataclass(frozen=True)
class Command:
    """A command that is killed.

    Attributes:
        verb: What to type after `resnext`, given the folder for its products.
        products: Names that may be in that folder afterwards.
        same: Of those, files that an undisturbed run makes with the same content.
        prepare: Puts what the command needs into a folder, once.
        first_s: The earliest kill: before it, only imports run.
    """

    verb: Callable[[Path, Path], list[str]]
    products: frozenset[str]
    same: frozenset[str] = frozenset()
    prepare: Callable[[Path], None] = field(default=lambda _: None)
    first_s: float = 0.5


def kill_repeatedly(name: str, command: Command, folder: Path, num_kills: int, seed: int) -> Counts:
    """Kill a command several times in one folder, run it to the end, and look at what is there.

    Args:
        name: Of the command, for the table.
        command: What to run.
        folder: An empty folder.
        num_kills: Kills; after every third the command runs to its end.
        seed: Decides when.
    """
    rng, counts = random.Random(seed), Counts(f"kills: {name}")
    given = folder / "given"
    given.mkdir()
    command.prepare(given)
    start = time.monotonic()
    reference = folder / "reference"
    reference.mkdir()
    run_command(command.verb(given, reference))
    seconds = time.monotonic() - start
    expected = _digests(reference, command.same)
    for number in range(num_kills):
        if number % 3 == 0:
            out = folder / f"killed-{number}"
            out.mkdir()
        _kill(command.verb(given, out), rng.uniform(command.first_s, seconds))
        counts.refused += 1
        if number % 3 == 2 or number == num_kills - 1:
            _finish(command, given, out, expected, counts)
    return counts


def _finish(
    command: Command, given: Path, out: Path, expected: dict[str, str], counts: Counts
) -> None:
    try:
        run_command(command.verb(given, out))
    except AssertionError as error:
        counts.failures.append(f"{out.name}: does not finish after the kills: {error}")
        return
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    unexpected = sorted(
        name
        for name in found
        if not any(name == one or name.startswith(f"{one}/") for one in command.products)
    )
    if unexpected:
        counts.failures.append(f"{out.name}: left behind: {unexpected[:5]}")
    differing = sorted(
        name for name, digest in _digests(out, command.same).items() if expected[name] != digest
    )
    if differing or set(_digests(out, command.same)) != set(expected):
        counts.failures.append(f"{out.name}: not as in an undisturbed run: {differing}")
    counts.accepted += 1


def _digests(folder: Path, names: frozenset[str]) -> dict[str, str]:
    return {name: _digest(folder / name) for name in names if (folder / name).exists()}


def _digest(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".safetensors":  # the library writes the header's keys in any order
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.dumps(json.loads(data[8:end]), sort_keys=True)
        data = header.encode() + data[end:]
    return hashlib.sha256(data).hexdigest()


def _start_process(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _START, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def run_command(words: list[str]) -> None:
    """Run a command to its end, which must be a success without a traceback."""
    process = _start_process(words)
    output, _ = process.communicate(timeout=_TIMEOUT_S)
    text = output.decode(errors="replace")
    assert process.returncode == 0, text[-500:]
    assert "Traceback" not in text, text[-2000:]


def _kill(words: list[str], after_s: float) -> None:
    """Start a command and kill it with all of its children."""
    process = _start_process(words)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
