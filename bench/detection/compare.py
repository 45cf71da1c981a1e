"""AP after the same number of images: `resnext train` against torchvision's RetinaNet.

Each row is one training: a set, a seed, a program. Rows are added to a file; those it has are not
run again. Ours runs with the settings of the recipe but for the image size, the length and
`keep=last`; torchvision's with those of its reference loop. Both start from the same classifier.

    resnext train --data tiny-imagenet-10 --model resnext_1-1-1-1_16x4d --epochs 12 --out RUN
    python -m bench.detection.compare coco:bccd_coco voc:raccoon ROWS --backbone RUN
    python -m bench.detection.compare ROWS --table
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

from bench.detection.plain_loop import BATCH_SIZE, IMAGE_PX
from bench.paired import add_row, read_rows, run_python, write_pairs

_OURS, _PEER = "resnext", "torchvision"
_MODEL = "resnext_1-1-1-1_16x4d"
_MEASURES = {"ap50": "AP50", "ap": "AP"}


def fill(file: Path, given: argparse.Namespace) -> None:
    """Run what is missing, seed by seed."""
    done = {_key(row) for row in read_rows(file)}
    for seed, address, program in itertools.product(given.seeds, given.data, (_OURS, _PEER)):
        name = Path(address.partition(":")[2]).name
        row = {"set": name, "seed": seed, "program": program, "epochs": given.epochs}
        if _key(row) in done:
            continue
        run = ours if program == _OURS else peer
        add_row(file, row | run(address, given.backbone, given.epochs, seed))


def ours(address: str, backbone: Path, epochs: int, seed: int) -> dict[str, Any]:
    """Train and evaluate with the command."""
    settings = ["data.workers=0", "runtime.precision=fp32", "runtime.threads=1", "keep=last"]
    with tempfile.TemporaryDirectory() as work:
        run = str(Path(work) / "run")
        words = ["train", "--data", address, "--model", _MODEL, "--weights", str(backbone)]
        words += ["--image-size", str(IMAGE_PX), "--batch-size", str(BATCH_SIZE)]
        words += ["--epochs", str(epochs), "--seed", str(seed), "--out", run, "--quiet", "--json"]
        run_python("-m", "resnext", *words, "--set", *settings)
        figures = json.loads(run_python("-m", "resnext", "evaluate", run, "--json"))
    return {name: figures[name] for name in _MEASURES}


def peer(address: str, backbone: Path, epochs: int, seed: int) -> dict[str, Any]:
    """Train and evaluate with the plain loop."""
    words = [address, "--backbone", str(backbone), "--epochs", str(epochs), "--seed", str(seed)]
    return dict(json.loads(run_python("-m", "bench.detection.plain_loop", *words)))


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("set", "seed", "program", "epochs"))


def table(rows: list[dict[str, Any]]) -> str:
    """Write the means of both programs and the interval of their difference in Markdown."""
    lines = [
        "| set | measure | n | ours, % | torchvision, % | difference, 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    for name, measure in itertools.product(dict.fromkeys(row["set"] for row in rows), _MEASURES):
        of_set = [row for row in rows if row["set"] == name]
        if cells := write_pairs(of_set, (_OURS, _PEER), measure):
            lines.append(f"| {name} | {_MEASURES[measure]} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", help="addresses such as coco:FOLDER")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--backbone", type=Path)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if not given.table:
        fill(given.rows, given)
    print(table(read_rows(given.rows)))


if __name__ == "__main__":
    main()
