"""The description in an exported file: network, card and input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from resnext._version import __version__
from resnext.errors import CheckpointError
from resnext.foreign_file import reason
from resnext.model.card import MAX_SIDE_PX, ModelCard, card_from
from resnext.model.config import ModelConfig, config_from
from resnext.model.registry import accept_missing
from resnext.settings import Settings
from resnext.untrusted.parse import parse_json

Format = Literal["onnx", "openvino", "pt2", "torchscript"]
Input = Literal["pixels", "image", "values", "normalised"]
FLOAT_INPUTS: tuple[Input, ...] = ("values", "normalised")
"""Inputs that are float32 with the channels in front; the others are uint8 with them behind."""

Precision = Literal["fp32", "bf16", "int8"]
Arithmetic = Literal["fp32", "bf16"]
"""Precisions that can be chosen when opening a file."""
RuntimeName = Literal["onnxruntime", "openvino", "torch"]

RUNTIME_OF: dict[Format, RuntimeName] = {
    "onnx": "onnxruntime",
    "openvino": "openvino",
    "pt2": "torch",
    "torchscript": "torch",
}
"""Default runtime of each format; see `open_exported`."""

KEY = "resnext"
"""Key of the description in a file."""

UNSEALED = "sha256:" + 64 * "0"
"""Placeholder for the checksum in a description, which `resnext.runtimes.seal` replaces."""

SEALED: tuple[Format, ...] = ("onnx", "openvino")
"""Formats that need a checksum; the others are zip archives, which have checksums."""

_PARTS = {"config", "card", "spec", "checksum"}


class ExportSpec(Settings):
    """The input and precision of an exported network.

    Attributes:
        format: File format.
        input: `pixels`: uint8 b x h x w x c, already resized and cropped; `image`: uint8 1 x h x w
            x c of any size, resized and cropped in the graph; `values`: float32 b x c x the sides
            of signals at the network's size, NaN where there is no value, normalised by channel
            in the graph; `normalised`: float32 b x c x h x w, or b x c x the sides of a signal,
            normalised by the caller. Segmentation networks take whole images of any size where
            others take crops, and so do detectors, which resize them in the graph.
        size_px: Side of the crop that the network sees, or of a signal.
        dynamic_size: Whether crops of other sizes are accepted.
        precision: Precision of the computation. int8 is part of the graph; a bf16 graph equals the
            fp32 graph, and bf16 is chosen when opening it.
        opset: Version of the ONNX operators; None for other formats.
        written_by: Version of this package.
    """

    format: Format
    input: Input = "pixels"
    size_px: Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
    dynamic_size: bool = False
    precision: Precision = "fp32"
    opset: int | None = None
    written_by: str = __version__


class Description(NamedTuple):
    """The content written by `describe`.

    Attributes:
        config: The network's architecture.
        card: Its classes and preprocessing.
        spec: Input of its graph.
        checksum: Checksum of the file; empty if it has none, as in zip archives, which have their
            own.
    """

    config: ModelConfig
    card: ModelCard
    spec: ExportSpec
    checksum: str


def describe(config: ModelConfig, card: ModelCard, spec: ExportSpec) -> str:
    """Return the description of an exported file as JSON."""
    parts = {"config": config, "card": card, "spec": spec}
    described: dict[str, Any] = {name: part.model_dump(mode="json") for name, part in parts.items()}
    if spec.format in SEALED:
        described["checksum"] = UNSEALED
    return json.dumps(described)


def read_description(path: Path, text: str | None) -> Description:
    """Read a description written by `describe`.

    Args:
        path: The file, for messages.
        text: The description found in it, if any.

    Raises:
        CheckpointError: There is none, or it is not of this version.
    """
    if text is None:
        raise CheckpointError(
            f"{path}: was not written by `resnext export`: it contains no classes and "
            "preprocessing; export the network again from its run or weight file"
        )
    try:
        parts = parse_json(text)
        if not isinstance(parts, dict) or not parts.keys() <= _PARTS:
            raise ValueError("it has unknown parts")
        with accept_missing():  # the graph needs no code of the network's parts
            config = config_from(parts["config"])
        spec = ExportSpec(**parts["spec"])
        card = card_from(parts["card"], config)
        card_from({**parts["card"], "image_size_px": spec.size_px}, config)  # bounds that size, too
        return Description(config, card, spec, str(parts.get("checksum", "")))
    except (LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: its description is not of this version ({reason(error)}); the file may "
            "have been edited, or written by a newer version of resnext"
        ) from None
