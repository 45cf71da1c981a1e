"""Measures the memory for a data set of millions of files: index, epoch order and workers.

The folders are real, but a replacement for `os.scandir` lists their files: 14 million real files
would use up a disk's inodes. All files have the content of one JPEG. Each part runs in its own
process, so that its peak is measured separately; the second part reads the first's listing from
the cache. With `--real`, empty files are written instead, and listing them is timed.

    python bench/listing.py [--files 14000000] [--classes 1000] [--workers 4] [--batches 400]
    python bench/listing.py --real --files 1000000
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_BATCH_SIZE = 64
_SIZE_PX = 32


@dataclass(frozen=True)
class Entry:
    """An entry as yielded by scandir."""

    name: str
    folder: bool = False

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """As os.DirEntry's."""
        return self.folder and follow_symlinks in (True, False)

    def is_file(self) -> bool:
        """As os.DirEntry's."""
        return not self.folder


def stand_in(root: Path, arguments: argparse.Namespace) -> None:
    """Make scandir list files that do not exist, named like ImageNet's."""
    per_class, real = arguments.files // arguments.classes, os.scandir

    @contextmanager
    def scan(folder: Any) -> Iterator[Iterator[Any]]:
        path = Path(folder)
        if path.parent != root:
            with real(folder) as entries:
                yield iter(entries)
        else:
            yield (Entry(f"{path.name}_{number}.JPEG") for number in range(per_class))

    os.scandir = scan  # type: ignore[assignment]


def memory_mib(kind: str, process: int | None = None) -> float:
    """Read a value from /proc: VmHWM, RssAnon or RssFile from status, or Pss* from the maps."""
    file = "smaps_rollup" if kind.startswith("Pss") else "status"
    for line in Path(f"/proc/{process or 'self'}/{file}").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no {kind} in {file}: Linux only")


def make_folders(root: Path, arguments: argparse.Namespace) -> None:
    per_class = arguments.files // arguments.classes
    for number in range(arguments.classes):
        folder = root / f"n{number:08}"
        folder.mkdir(parents=True)
        if arguments.real:
            for file in range(per_class):
                (folder / f"n{number:08}_{file}.JPEG").touch()


def measure_index(root: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """List the folder and generate the order of an epoch."""
    import torch

    from resnext.data.random import epoch_order
    from resnext.data.sets.folders import list_classes

    torch.set_num_threads(1)
    if not arguments.real:
        stand_in(root, arguments)
    base = memory_mib("VmHWM")
    start = time.perf_counter()
    _, files = list_classes(root)
    seconds = time.perf_counter() - start
    listed = memory_mib("VmHWM")
    order = epoch_order(len(files), 1, 0)
    return {
        "files": len(files),
        "listing_s": round(seconds, 2),
        "before_mib": round(base),
        "peak_listed_mib": round(listed),
        "peak_with_order_mib": round(memory_mib("VmHWM")),
        "anonymous_now_mib": round(memory_mib("RssAnon")),
        "mapped_now_mib": round(memory_mib("RssFile")),
        "order_mib": round(order.nbytes / 2**20),
    }


def measure_workers(root: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Read some batches from the loader, and measure the workers' memory meanwhile."""
    import torch

    from resnext.data import file_split
    from resnext.data.augment.config import AugmentConfig
    from resnext.data.loading.config import TrainLoaderConfig
    from resnext.data.loading.train_loader import TrainLoader
    from resnext.data.sets.folders import list_classes
    from resnext.data.split import DataInfo

    torch.set_num_threads(1)
    stand_in(root, arguments)
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG")
    setattr(file_split, "read_file", lambda _: buffer.getvalue())  # noqa: B010 - not its own name
    classes, files = list_classes(root)
    info = DataInfo("listing", classes, 3, _SIZE_PX, (0.5,) * 3, (0.25,) * 3)
    config = TrainLoaderConfig(
        augment=AugmentConfig(crop="resized", flip=True),
        batch_size=_BATCH_SIZE,
        seed=1,
        device=torch.device("cpu"),
        workers=arguments.workers,
    )
    loader = TrainLoader(files, info, config)
    workers: list[int] = []
    rows: dict[int, dict[str, list[int]]] = {}
    for number, _ in enumerate(loader.epoch(0)):
        if not workers:
            children = f"/proc/self/task/{os.getpid()}/children"
            workers = [int(child) for child in Path(children).read_text().split()]
        if number % (arguments.batches // 4) == 0:
            rows[number * _BATCH_SIZE] = {
                kind: [round(memory_mib(kind, worker)) for worker in workers]
                for kind in ("Pss", "Pss_Anon", "Pss_File")
            }
        if number == arguments.batches:
            break
    return {
        "workers_mib_after_images": rows,
        "main_peak_mib": round(memory_mib("VmHWM")),
        "main_anonymous_mib": round(memory_mib("RssAnon")),
    }


PARTS = {"first": measure_index, "cached": measure_index, "workers": measure_workers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=14_000_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part](arguments.root, arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "photos"
        make_folders(root, arguments)
        time.sleep(3)  # a folder that has just changed is not cached
        environment = {**os.environ, "XDG_CACHE_HOME": f"{folder}/cache"}
        for part in PARTS:
            if part == "workers" and arguments.real:
                continue  # empty files cannot be decoded
            command = [sys.executable, __file__, *sys.argv[1:], "--part", part, "--root", str(root)]
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
            print(part, done.stdout.decode().strip(), flush=True)


if __name__ == "__main__":
    main()
