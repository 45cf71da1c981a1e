"""Compares JPEG decoders: Pillow, torchvision, OpenCV and simplejpeg.

Each decodes the same files from memory to an RGB array, alternately, at full size and, if
supported, at half size. The result is Pillow's CPU time over the decoder's, as the median of the
rounds. Decoders that are not installed are left out.

python -m bench.decode FOLDER [--images 32] [--rounds 15]
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from resnext.machine import cpu_name
from resnext.turns import take_turns

Decoder = Callable[[bytes], Any]
_PACKAGES = {
    "pillow": "pillow",
    "simplejpeg": "simplejpeg",
    "cv2": "opencv-python-headless",
    "torchvision": "torchvision",
}


def pillow(factor: int) -> Decoder:
    def decode(data: bytes) -> Any:
        image = Image.open(io.BytesIO(data))
        image.draft(None, (image.width // factor, image.height // factor))
        return np.array(image.convert("RGB"))

    return decode


def simplejpeg(factor: int) -> Decoder:
    package = importlib.import_module("simplejpeg")

    def decode(data: bytes) -> Any:
        height, width = package.decode_jpeg_header(data)[:2]
        return package.decode_jpeg(
            data, min_height=-(-height // factor), min_width=-(-width // factor)
        )

    return decode


def opencv(factor: int) -> Decoder:
    package = importlib.import_module("cv2")
    package.setNumThreads(1)
    flag = package.IMREAD_COLOR if factor == 1 else package.IMREAD_REDUCED_COLOR_2

    def decode(data: bytes) -> Any:
        pixels = package.imdecode(np.frombuffer(data, np.uint8), flag)
        return package.cvtColor(pixels, package.COLOR_BGR2RGB)

    return decode


def torchvision(factor: int) -> Decoder:
    if factor != 1:
        raise ImportError("torchvision has no coarser scales")
    package = importlib.import_module("torchvision.io")

    def decode(data: bytes) -> Any:
        values = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        return package.decode_jpeg(values, mode=package.ImageReadMode.RGB)

    return decode


def measure(folder: Path, num_images: int, rounds: int) -> dict[str, Any]:
    """Time all decoders that are installed at full and at half size."""
    torch.set_num_threads(1)
    paths = sorted(folder.rglob("*.jpg"))
    paths = paths[:: max(1, len(paths) // num_images)][:num_images]
    files = [path.read_bytes() for path in paths]
    names: list[str] = []
    actions: list[Callable[[], Any]] = []
    for factor, size in ((1, "full"), (2, "half")):
        for make in (pillow, simplejpeg, opencv, torchvision):
            try:
                decode = make(factor)
            except ImportError:
                continue
            names.append(f"{make.__name__}, {size}")
            actions.append(partial(_decode_all, decode, files))
    times = take_turns(actions, rounds, warm_up=1, clock=time.process_time)
    return {
        "over_pillow_full": {
            name: round(statistics.median(a / b for a, b in zip(times[0], t, strict=True)), 2)
            for name, t in zip(names, times, strict=True)
        },
        "ms_per_image": {
            name: round(1e3 * statistics.median(t) / len(files), 2)
            for name, t in zip(names, times, strict=True)
        },
        "images": len(files),
        "kib_per_image": round(sum(map(len, files)) / len(files) / 1024),
        "rounds": rounds,
        "versions": _versions(),
        "machine": f"{cpu_name()}, one core",
    }


def _decode_all(decode: Decoder, files: list[bytes]) -> None:
    for data in files:
        decode(data)


def _versions() -> dict[str, str]:
    found = {}
    for module, package in _PACKAGES.items():
        try:
            found[package] = version(package)
        except ImportError:
            found[module] = "not installed"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # torchvision calls its decoders deprecated
    print(json.dumps(measure(options.folder, options.images, options.rounds), indent=2))


if __name__ == "__main__":
    main()
