"""The output of `resnext data`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from resnext.data.sets.imagenet.check import Findings, SetProblem
    from resnext.data.sets.imagenet.class_file import ClassRow
    from resnext.data.sets.imagenet.prepare import ArchiveChecksum

_NUM_SHOWN = 10


def show_findings(
    root: Path, findings: Findings, *, as_json: bool, checksums: Sequence[ArchiveChecksum] = ()
) -> int:
    """Print what a check found.

    Args:
        root: The folder that was checked.
        findings: The findings.
        as_json: Print everything as JSON, instead of the first findings of each kind as text.
        checksums: Those of the archives that were unpacked.

    Returns:
        The exit status: 0 without problems, 1 otherwise.
    """
    if as_json:
        facts = {
            "folder": str(root),
            "complete": not findings.problems,
            **asdict(findings),
            "checksums": [
                {
                    "archive": str(checksum.archive),
                    "found": checksum.found,
                    "published": checksum.published,
                }
                for checksum in checksums
            ],
        }
        print(json.dumps(facts, indent=2))
    else:
        for checksum in checksums:
            if checksum.agrees:
                print(f"{checksum.archive}: MD5 is the official archive's")
        _print_lines(root, findings)
    return 1 if findings.problems else 0


def show_classes(out: Path, rows: Sequence[ClassRow], *, as_json: bool) -> None:
    """Print where a class list or a tree was written, and its counts."""
    num_own = sum(row.source == "imagenet1k" for row in rows)
    num_images = sum(row.num_images for row in rows)
    num_others = len(rows) - num_own
    if as_json:
        facts = {"out": str(out), "num_imagenet1k": num_own, "num_others": num_others}
        print(json.dumps({**facts, "num_images": num_images}))
        return
    print(
        f"wrote {out}: {len(rows):,} classes, {num_own:,} of ImageNet-1K and {num_others:,} "
        f"others; {num_images:,} training images"
    )


def _print_lines(root: Path, findings: Findings) -> None:
    for split, num in findings.num_images.items():
        print(f"{split}: {num:,} images in {findings.num_classes[split]:,} classes")
    groups: dict[tuple[str, str], list[SetProblem]] = {}
    for problem in findings.problems:
        groups.setdefault((problem.split, problem.kind), []).append(problem)
    for (split, kind), problems in groups.items():
        print(f"{split}, {kind} ({len(problems):,}):")
        for problem in problems[:_NUM_SHOWN]:
            print(printable(f"  {problem.name}: {problem.detail}"))
        if len(problems) > _NUM_SHOWN:
            print(f"  and {len(problems) - _NUM_SHOWN:,} more; use --json to list all")
    if not findings.problems:
        print(f"{root} is complete")
    elif any(problem.kind == "flat images" for problem in findings.problems):
        print(f"sort them: resnext data imagenet --prepare {root} --devkit DEVKIT")
