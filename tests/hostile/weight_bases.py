"""One small whole file of each format that the program reads as a network."""

from __future__ import annotations

import contextlib
import unittest.mock
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from resnext.export.export import spec_of, write_file
from resnext.export.options import ExportOptions
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.spec import Format
from resnext.weights.own_file import save_weights

SIZE_PX = 8
_CONFIG = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1, 1),
    cardinality=2,
    bottleneck_width=2,
    stage_widths=(4, 8),
    stem_width=4,
    num_classes=3,
)


@dataclass(frozen=True)
class Base:
    """A whole file, perhaps with others beside it.

    Attributes:
        names: Its name and theirs.
        write: Writes them into a folder.
    """

    names: tuple[str, ...]
    write: Callable[[Path], None]


def network() -> TrainedNetwork:
    """Build the network of every file but those of Torch7, whose stages are fixed."""
    torch.manual_seed(0)
    card = ModelCard(classes=("ant", "bee", "cat"), image_size_px=SIZE_PX, resize_px=SIZE_PX)
    return TrainedNetwork(create_model(_CONFIG).eval(), _CONFIG, card)


def _ours(folder: Path) -> None:
    made = network()
    save_weights(folder / "net.safetensors", made.module, made.config, made.card)


def _ours_without_checksum(folder: Path) -> None:
    made = network()
    texts = {"config": made.config.model_dump_json(), "card": made.card.model_dump_json()}
    metadata = {"format": "resnext-weights-1", **texts}
    save_file(made.module.state_dict(), folder / "net.safetensors", metadata)


def _foreign(folder: Path) -> None:
    save_file(network().module.state_dict(), folder / "net.safetensors", {"format": "pt"})


def _torch(folder: Path, *, is_zip: bool) -> None:
    saved = {"epoch": 3, "state_dict": network().module.state_dict(), "optimizer": {"lr": 0.1}}
    torch.save(saved, folder / "net.pth", _use_new_zipfile_serialization=is_zip)


def _pycls(folder: Path) -> None:
    from peers import Shape, pycls_network

    shape = Shape(blocks=(1, 1), widths=(4, 8), num_classes=3)
    saved = {"epoch": 3, "model_state": pycls_network(shape).state_dict()}
    torch.save(saved, folder / "net.pyth")


def _torch7(folder: Path) -> None:
    from torch7_network import made_tree
    from torch7_writer import save_torch7

    save_torch7(folder / "net.t7", made_tree(_CONFIG))


def _exported(folder: Path, name: str, kind: Format) -> None:
    made = network()
    spec = spec_of(made, ExportOptions(to=kind))
    write_file(made, folder / name, spec)


def _without_checksum(folder: Path, name: str, kind: Format) -> None:
    """Write a file as older versions did, and as an attacker can: nothing detects its changes."""
    with unittest.mock.patch("resnext.runtimes.spec.SEALED", ()), _no_seal():
        _exported(folder, name, kind)


@contextlib.contextmanager
def _no_seal() -> Iterator[None]:
    with (
        unittest.mock.patch("resnext.export.write_onnx.seal"),
        unittest.mock.patch("resnext.export.write.seal"),
    ):
        yield


def _export(name: str, kind: Format) -> Any:
    return lambda folder: _exported(folder, name, kind)


BASES = {
    "safetensors": Base(("net.safetensors",), _ours),
    "safetensors, no checksum": Base(("net.safetensors",), _ours_without_checksum),
    "safetensors, foreign": Base(("net.safetensors",), _foreign),
    "pth": Base(("net.pth",), lambda folder: _torch(folder, is_zip=True)),
    "pth, legacy": Base(("net.pth",), lambda folder: _torch(folder, is_zip=False)),
    "pyth of pycls": Base(("net.pyth",), _pycls),
    "t7": Base(("net.t7",), _torch7),
    "onnx": Base(("net.onnx",), _export("net.onnx", "onnx")),
    "onnx, no checksum": Base(
        ("net.onnx",), lambda folder: _without_checksum(folder, "net.onnx", "onnx")
    ),
    "openvino": Base(("net.xml", "net.bin"), _export("net.xml", "openvino")),
    "openvino, no checksum": Base(
        ("net.xml", "net.bin"), lambda folder: _without_checksum(folder, "net.xml", "openvino")
    ),
    "pt2": Base(("net.pt2",), _export("net.pt2", "pt2")),
    "torchscript": Base(("net.torchscript",), _export("net.torchscript", "torchscript")),
}
