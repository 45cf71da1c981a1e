"""What an exported file says of itself: the network, its card, and what it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from resnext import __version__
from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig
from resnext.settings import Settings

Format = Literal["onnx", "openvino", "pt2", "torchscript"]
Input = Literal["pixels", "image", "normalised"]
Precision = Literal["fp32", "int8"]

KEY = "resnext"
"""Name under which a file keeps its description."""

_CONFIGS: TypeAdapter[ModelConfig] = TypeAdapter(ModelConfig)


class ExportSpec(Settings):
    """What an exported network takes and how it computes.

    Attributes:
        format: Kind of file.
        input: `pixels`: uint8 b x h x w x c, resized and cropped already; `image`: uint8
            1 x h x w x c of any size, resized and cropped inside; `normalised`: float32
            b x c x h x w, with mean and standard deviation taken care of by the caller.
        size_px: Side of the crop that the network sees.
        dynamic_size: Crops of other sizes are taken as well.
        precision: Type of the arithmetic.
        opset: Version of the ONNX operators; None for other formats.
        written_by: Version of this package.
    """

    format: Format
    input: Input = "pixels"
    size_px: int
    dynamic_size: bool = False
    precision: Precision = "fp32"
    opset: int | None = None
    written_by: str = __version__


def describe(config: ModelConfig, card: ModelCard, spec: ExportSpec) -> str:
    """Write the description that goes into an exported file, as JSON."""
    parts = {"config": config, "card": card, "spec": spec}
    return json.dumps({name: part.model_dump(mode="json") for name, part in parts.items()})


def read_description(path: Path, text: str | None) -> tuple[ModelConfig, ModelCard, ExportSpec]:
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
        parts = json.loads(text)
        config = _CONFIGS.validate_python(parts["config"], strict=False)
        return config, ModelCard(**parts["card"]), ExportSpec(**parts["spec"])
    except (KeyError, TypeError, ValueError, ValidationError, ConfigError) as error:
        raise CheckpointError(
            f"{path}: its description is not one of this version ({error}); was the file edited, "
            "or written by a newer version of resnext?"
        ) from None
