"""The service as people start it, in a process of its own, and a network whose answers are known.

The network is written without PyTorch: its logits are the mean colour of an image, so that the
class of an image of one colour can be told in advance.
"""

from __future__ import annotations

import io
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

import httpx
import onnx
from onnx import TensorProto, helper
from PIL import Image

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.runtimes.seal import seal
from resnext.runtimes.spec import KEY, ExportSpec, describe

START = "import sys; from resnext.cli.serve import main; sys.exit(main(sys.argv[1:]))"
_ADDRESS = re.compile(r"serving .* on (http://\S+)")
COLOURS = ("red", "green", "blue")
SIDE = 32


def write_colours(path: Path, classes: Sequence[str] = COLOURS) -> Path:
    """Write a network that names the strongest colour of an image.

    Args:
        path: Where; replaced at once, as a careful deployment would.
        classes: What red, green and blue are called.
    """
    config = ResNeXtConfig(
        stem="cifar",
        blocks_per_stage=(1,),
        stage_widths=(16,),
        stem_width=8,
        cardinality=2,
        in_channels=3,
        num_classes=3,
    )
    card = ModelCard(classes=tuple(classes), image_size_px=SIDE, resize_px=None)
    spec = ExportSpec(format="onnx", input="pixels", size_px=SIDE, opset=18)
    nodes = [
        helper.make_node("Cast", ["pixels"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["logits"]),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
        helper.make_tensor("scale", TensorProto.FLOAT, [], [1 / 25.5]),
    ]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["b", SIDE, SIDE, 3])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", 3])
    graph = helper.make_graph(nodes, "colours", [pixels], [logits], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {KEY: describe(config, card, spec)})
    staged = path.with_suffix(".part")
    onnx.save(model, staged)
    seal(staged)
    staged.replace(path)
    return path


def colour_image(index: int, form: str = "PNG") -> bytes:
    """Return a file whose class is `COLOURS[index]`."""
    file = io.BytesIO()
    colour = tuple(220 if channel == index else 20 for channel in range(3))
    Image.new("RGB", (SIDE + 8, SIDE + 8), colour).save(file, form)
    return file.getvalue()


def _limit_descriptors(most: int | None) -> None:
    if most is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class ServiceProcess:
    """`resnext serve` in a process of its own; leaving the `with` block ends it.

    Attributes:
        url: Where it listens.
        process: The process.
    """

    def __init__(
        self,
        model: Path,
        *options: str,
        env: dict[str, str] | None = None,
        descriptors: int | None = None,
        setup: str = "",
    ) -> None:
        """Start it and wait until it listens.

        Args:
            model: The network.
            options: Of the command; `--with-page` leaves out `--no-page`.
            env: Variables to add.
            descriptors: Files that it may open.
            setup: Python that its process runs first, such as to replace a function.
        """
        words = [word for word in (*options, "--no-page") if word != "--with-page"]
        if "--with-page" in options:
            words.remove("--no-page")
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{setup}\n{START}", str(model), "--port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (env or {}),
            preexec_fn=partial(_limit_descriptors, descriptors),
        )
        self._said: list[str] = []
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.url = self._wait_for_address()

    def _wait_for_address(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._said.append(line)
            if found := _ADDRESS.search(line):
                url = found[1]
                with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
                    client.get(f"{url}/readyz")
                threading.Thread(target=self._read_errors, daemon=True).start()
                return url
        raise AssertionError(f"not started: {''.join(self._said)}{self.log}")

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        self._lines.extend(iter(self.process.stdout.readline, ""))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self._said.extend(iter(self.process.stderr.readline, ""))

    @property
    def log(self) -> str:
        """What it wrote to standard output so far."""
        return "".join(self._lines)

    @property
    def said(self) -> str:
        """What it wrote to standard error so far."""
        return "".join(self._said)

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, timeout_s: float = 60) -> int:
        """Ask it to end, and return its status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        status = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, if the test did not."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                self._reader.join(10)
                stream.close()
