"""A study of tiny trials on the digits, and what its tests look at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STUDY = """\
name: tiny
space:
  kind: list
  networks:
  - {name: resnext_1-1_2x4d_cifar, stem_width: 8, stage_widths: [16, 32]}
  - {name: resnet_1-1_1x8d_cifar, stem_width: 8, stage_widths: [16, 32]}
data: [digits]
recipe: fast
set: {schedule.epochs: 2, data.num_train: 200}
seeds: [0, 1]
baseline: resnet_1-1_1x8d_cifar
"""
_TIMING = ("seconds", "images_per_s")


def write_study(folder: Path, **changes: str) -> Path:
    """Write the study's file, some of its lines changed."""
    lines = STUDY
    for name, value in changes.items():
        kept = [line for line in lines.splitlines() if not line.startswith(f"{name}:")]
        lines = "\n".join([*kept, f"{name}: {value}", ""])
    file = folder / "tiny.yaml"
    file.write_text(lines)
    return file


def start(file: Path, root: Path, *options: str) -> subprocess.Popen[str]:
    """Start `resnext study run` in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "resnext", "study", "run", str(file), "--root", str(root), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(child: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process and return its status and output."""
    output, _ = child.communicate(timeout=300)
    return child.returncode, output


def figures(root: Path) -> dict[str, tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Return log and result of each trial, without what depends on the clock."""
    found = {}
    for folder in sorted((root / "trials").iterdir()):
        lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
        log = [_without_timing(json.loads(line)) for line in lines]
        found[folder.name] = (
            log,
            _without_timing(json.loads((folder / "result.json").read_text())),
        )
    return found


def attempts(root: Path) -> list[str]:
    """Return the reasons of all attempts that did not finish."""
    lines = [
        line
        for file in (root / "trials").glob("*/attempts.jsonl")
        for line in file.read_text().splitlines()
    ]
    return [json.loads(line)["reason"] for line in lines]


def wait_until(condition: Callable[[], Any], child: subprocess.Popen[str]) -> None:
    """Wait for something to happen while a process runs."""
    end = time.monotonic() + 120
    while not condition():
        assert child.poll() is None, child.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


def trial_processes(root: Path) -> list[int]:
    """Return the processes that train trials below a root."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"resnext.studies.trial_process" in words and str(root).encode() in b" ".join(words):
            found.append(int(folder.name))
    return found


def _without_timing(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in _TIMING}
