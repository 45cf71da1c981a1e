"""Checks that every feature that needs an extra says so, with the command that installs it.

    python deploy/missing_extras.py [--block]

Run it in an environment without extras, or with `--block`, which hides the packages of all extras.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

import resnext
from resnext.benchmark.contestant import Job
from resnext.benchmark.inference import prepare
from resnext.benchmark.worker import reason_of
from resnext.cli.main import main as run_command
from resnext.errors import ConfigError
from resnext.extras import EXTRA_OF, import_for
from resnext.studies.execution.halving import Pruner
from resnext.studies.study import Halving
from resnext.tasks.detection.coco_measure import run_evaluation, truth_of
from resnext.weights.own_file import save_weights


def main() -> int:
    """Run the checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--block", action="store_true", help="hide the packages of all extras")
    if parser.parse_args().block:
        for package in EXTRA_OF:
            sys.modules[package] = None  # type: ignore[assignment]  # an import now fails
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        _write_files()
        for extra, use in USES.items():
            said = _message(use)
            assert f"resnext[{extra}]" in "".join(said.split()), f"{extra}: {said}"
            print(f"without {extra}: {said}")
    return 0


def _write_files() -> None:
    """Write the files that the commands read."""
    network = resnext.create_model("resnext29_1x8d", num_classes=2)
    save_weights("net.safetensors", network, network.config, resnext.ModelCard())
    Image.new("RGB", (32, 32)).save("image.png")
    Path("net.xml").touch()


def _message(use: Callable[[], object]) -> str:
    """Return the message of a feature whose extra is missing."""
    output = io.StringIO()
    with contextlib.redirect_stderr(output):
        try:
            result = use()
        except ConfigError as error:
            return str(error)
    assert result == 2, f"it did not fail: {result}, {output.getvalue()}"
    return output.getvalue().strip().splitlines()[-1]


def _command(*words: str) -> Callable[[], object]:
    return partial(run_command, list(words))


def _time_timm() -> object:
    try:  # as in the process of a contestant
        return prepare(Job("timm", "", "resnet18", 1000, (3, 64, 64), batch=1, threads=1))
    except ModuleNotFoundError as error:
        raise ConfigError(f"benchmark: timm {reason_of(error)}") from None


USES: dict[str, Callable[[], object]] = {
    "audio": lambda: import_for("reading FLAC files", "soundfile"),
    "bench": _time_timm,
    "cluster": _command("study", "run", "table3", "--data", "digits", "--cluster", "local"),
    "detection": lambda: run_evaluation(truth_of([], [], (), []), [], "bbox"),
    "export": _command("export", "net.safetensors", "--out", "net.onnx"),
    "features": _command("features", "net.safetensors", "image.png", "--out", "x.parquet"),
    "halving": lambda: Pruner(Halving()),
    "openvino": _command("predict", "net.xml", "image.png"),
    "segmentation": lambda: resnext.create_model("unet_resnet18"),
    "serve": _command("serve", "net.safetensors"),
    "video": lambda: import_for("reading videos", "av"),
    "volumes": lambda: import_for("reading NIfTI files", "nibabel"),
}
"""A feature of each extra."""


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
