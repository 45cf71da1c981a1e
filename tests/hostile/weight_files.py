"""Weight files and exported networks, damaged at random: each loads, or is refused in one line."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from counts import Counts
from weight_bases import BASES

MAX_SECONDS = 60.0
"""Of one file; a whole one takes up to a second, where nothing else runs."""

_BATCH = 500
_WORKER = Path(__file__).with_name("weight_worker.py")


def run(kind: str, num_files: int, seed: int) -> Counts:
    """Open damaged files of one format, in processes of their own.

    Args:
        kind: A key of `BASES`.
        num_files: How many.
        seed: The first file's; the others' follow.
    """
    counts = Counts(kind)
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        (folder / "base").mkdir()
        BASES[kind].write(folder / "base")
        left = list(range(seed, seed + num_files))
        while left:
            num_done = _run_batch(kind, folder, left[:_BATCH], counts)
            del left[:num_done]
    return counts


def _run_batch(kind: str, folder: Path, seeds: Sequence[int], counts: Counts) -> int:
    """Open files until the process ends; return how many it opened, that which ended it too."""
    command = [sys.executable, str(_WORKER), kind, str(folder), *map(str, seeds)]
    paths = [str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    # Without a buffer, so that what was read never hides from the selector.
    with subprocess.Popen(command, bufsize=0, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        (whole,) = _lines(process.stdout, 1)
        assert json.loads(whole or "{}").get("whole") == "accepted", f"{kind}: {whole}"
        for num_done, seed in enumerate(seeds, 1):
            lines = _lines(process.stdout, 2)
            if len(lines) < 2:
                ended = process.poll() is not None
                process.kill()
                reason = "ended the process" if ended else f"took over {MAX_SECONDS:.0f} s"
                counts.failures.append(f"seed {seed}: {reason} ({process.wait()})")
                return num_done
            _note(seed, json.loads(lines[1])["outcome"], counts)
    return len(seeds)


def _note(seed: int, outcome: str, counts: Counts) -> None:
    if outcome in ("accepted", "refused"):
        setattr(counts, outcome, getattr(counts, outcome) + 1)
    else:
        counts.failures.append(f"seed {seed}: {outcome}")


def _lines(stream: IO[bytes], num: int) -> list[str]:
    """Read lines; fewer where the process ends or takes too long."""
    found: list[str] = []
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while len(found) < num:
            if not selector.select(MAX_SECONDS):
                break
            line = stream.readline()
            if not line:
                break
            found.append(line.decode())
    return found
