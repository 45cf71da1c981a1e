"""What an exported file says of itself: the network, its card, and what it takes."""

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
Input = Literal["pixels", "image", "normalised"]
Precision = Literal["fp32", "bf16", "int8"]
Arithmetic = Literal["fp32", "bf16"]
"""The precisions that can be chosen when a file is opened."""
RuntimeName = Literal["onnxruntime", "openvino", "torch"]

RUNTIME_OF: dict[Format, RuntimeName] = {
    "onnx": "onnxruntime",
    "openvino": "openvino",
    "pt2": "torch",
    "torchscript": "torch",
}
"""What opens a file unless something else is asked for; see `open_exported`."""

KEY = "resnext"
"""Name under which a file keeps its description."""

UNSEALED = "sha256:" + 64 * "0"
"""Stands in a description for the checksum, until `resnext.runtimes.seal` puts it there."""

SEALED: tuple[Format, ...] = ("onnx", "openvino")
"""Formats that need a checksum; the others are zip archives, whose entries have their own."""

_PARTS = {"config", "card", "spec", "checksum"}


class ExportSpec(Settings):
    """What an exported network takes and how it computes.

    Attributes:
        format: Kind of file.
        input: `pixels`: uint8 b x h x w x c, resized and cropped already; `image`: uint8
            1 x h x w x c of any size, resized and cropped inside; `normalised`: float32
            b x c x h x w, with mean and standard deviation taken care of by the caller.
            Networks for pixels take images as they are, of any size, where others take crops.
        size_px: Side of the crop that the network sees.
        dynamic_size: Crops of other sizes are taken as well.
        precision: Type of the arithmetic. int8 is in the graph; that of bf16 is that of fp32, and
            how it is opened decides.
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
    """What `describe` wrote.

    Attributes:
        config: The network's architecture.
        card: Its classes, and how it wants its images.
        spec: What its graph takes.
        checksum: Of the file; empty where it holds none, as in a zip archive, which has its own.
    """

    config: ModelConfig
    card: ModelCard
    spec: ExportSpec
    checksum: str


def describe(config: ModelConfig, card: ModelCard, spec: ExportSpec) -> str:
    """Write the description that goes into an exported file, as JSON."""
    parts = {"config": config, "card": card, "spec": spec}
    described: dict[str, Any] = {name: part.model_dump(mode="json") for name, part in parts.items()}
    if spec.format in SEALED:
        described["checksum"] = UNSEALED
    return json.dumps(described)


def read_description(path: Path, text: str | None) -> Description:
    """Read what `describe` wrote.

    Args:
        path: The file, for messages.
        text: The description found in it, if any.

    Raises:
        CheckpointError: There is none, or it is not one of this version.
    """
    if text is None:
        raise CheckpointError(
            f"{path}: was not written by `resnext export`: it does not say its classes and how "
            "to prepare images; export the network anew from its run or weight file"
        )
    try:
        parts = parse_json(text)
        if not isinstance(parts, dict) or not parts.keys() <= _PARTS:
            raise ValueError("it has parts that are not known")
        with accept_missing():  # the graph needs no code of the network's parts
            config = config_from(parts["config"])
        spec = ExportSpec(**parts["spec"])
        card = card_from(parts["card"], config)
        card_from({**parts["card"], "image_size_px": spec.size_px}, config)  # bounds that size, too
        return Description(config, card, spec, str(parts.get("checksum", "")))
    except (LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: its description is not one of this version ({reason(error)}); was the file "
            "edited, or written by a newer version of resnext?"
        ) from None
