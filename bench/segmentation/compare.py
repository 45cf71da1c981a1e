"""mIoU after the same steps and crops: `resnext train` against a plain loop around the peers.

Each row is one training: a head, a precision, a seed, a program. Rows are added to a file; those
it has are not run again, so that the comparison can be ended and continued. Ours runs with the
settings of the recipe but for the network, the length and `keep=last`.

    python -m bench.segmentation.compare FOLDER ROWS --epochs 10 --seeds 0 1 2
    python -m bench.segmentation.compare FOLDER ROWS --table

FOLDER holds train/, val/ and test/ of images and masks (camvid-240).
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

from bench.paired import add_row, read_rows, run_python, write_pairs
from bench.segmentation import plain_loop
from bench.segmentation.networks import HEADS, OUR_NAME, OUTPUT_STRIDE, Head, library_of

_OURS, _PEER = "resnext", "peer"


def fill(folder: Path, file: Path, heads: list[Head], given: argparse.Namespace) -> None:
    """Run what is missing, seed by seed."""
    done = {_key(row) for row in read_rows(file)}
    cases = itertools.product(given.seeds, given.precisions, heads, (_OURS, _PEER))
    for seed, precision, head, program in cases:
        row: dict[str, Any] = {
            "head": head,
            "precision": precision,
            "seed": seed,
            "program": program,
            "epochs": given.epochs,
        }
        if _key(row) in done:
            continue
        run = ours if program == _OURS else peer
        row |= run(folder, head, given.epochs, seed, precision)
        add_row(file, row)


def ours(folder: Path, head: Head, epochs: int, seed: int, precision: str) -> dict[str, float]:
    """Train and evaluate with the command."""
    settings = [
        f"data.ignore_value={plain_loop.IGNORED}",
        "data.workers=0",
        f"runtime.precision={precision}",
        "runtime.threads=1",
        "keep=last",
    ]
    if head == "deeplabv3":
        settings.append(f"model.backbone.output_stride={OUTPUT_STRIDE}")
    with tempfile.TemporaryDirectory() as work:
        run = Path(work) / "run"
        words = ["train", "--data", f"masks:{folder}", "--model", OUR_NAME, "--head", head]
        words += ["--image-size", str(plain_loop.CROP_PX), "--epochs", str(epochs)]
        words += ["--batch-size", str(plain_loop.BATCH_SIZE), "--seed", str(seed)]
        words += ["--out", str(run), "--quiet", "--json", "--set", *settings]
        run_python("-m", "resnext", *words)
        figures = {}
        for split in ("val", "test"):
            text = run_python("-m", "resnext", "evaluate", str(run), "--split", split, "--json")
            figures[f"{split}_miou"] = json.loads(text)["mean_iou"]
    return figures


def peer(folder: Path, head: Head, epochs: int, seed: int, precision: str) -> dict[str, float]:
    """Train and evaluate with the plain loop."""
    words = ["-m", "bench.segmentation.plain_loop", str(folder), "--head", head]
    words += ["--epochs", str(epochs), "--seed", str(seed)]
    if precision == "bf16":
        words.append("--bf16")
    text = run_python(*words)
    return dict(json.loads(text))


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("head", "precision", "seed", "program", "epochs"))


def table(rows: list[dict[str, Any]]) -> str:
    """Write the mean mIoU of both programs and the interval of their difference in Markdown."""
    lines = [
        "| head, precision | peer | n | ours, mIoU % | peer, mIoU % | difference, 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    for head, precision in dict.fromkeys((row["head"], row["precision"]) for row in rows):
        case = [row for row in rows if (row["head"], row["precision"]) == (head, precision)]
        if cells := write_pairs(case, (_OURS, _PEER), "test_miou"):
            lines.append(f"| {head}, {precision} | {library_of(head)} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--precisions", nargs="+", default=["fp32"], choices=["fp32", "bf16"])
    parser.add_argument("--heads", nargs="+", default=list(HEADS), choices=HEADS)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if not given.table:
        fill(given.folder, given.rows, given.heads, given)
    print(table(read_rows(given.rows)))


if __name__ == "__main__":
    main()
