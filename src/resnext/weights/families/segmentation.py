"""Weight files of other libraries' segmentation networks.

Such a file is loaded completely or refused, because the head is the network's purpose.

Source: torchvision/models/segmentation/_utils.py, fcn.py and deeplabv3.py;
segmentation_models_pytorch/decoders/unet and fpn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from resnext.errors import CheckpointError
from resnext.model.choices import DECODERS, Head
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.create import create_model
from resnext.model.names import name_of
from resnext.untrusted.text import printable
from resnext.weights.entry import Family
from resnext.weights.families.extra import is_counter
from resnext.weights.families.recognise import Recognised, add_batch_counts
from resnext.weights.infer import infer_config
from resnext.weights.own_file import check_state, misfit

State = Mapping[str, torch.Tensor]

_TRAINED_STRIDE = 8  # torchvision's; the tensors do not show it


@dataclass(frozen=True)
class _Library:
    """A library's names for the parts of a network.

    Attributes:
        name: The library.
        parts: Its names of the parts with ours.
        last: Our name of the last convolution's weight, with one row for each class.
    """

    name: Family
    parts: dict[str, str]
    last: dict[Head, str]

    @property
    def stem(self) -> str:
        """Its name of the first convolution's weight."""
        return f"{next(iter(self.parts))}.conv1.weight"


_PLAIN = {"backbone": "backbone", "classifier": "classifier", "aux_classifier": "aux_classifier"}
_LIBRARIES = (
    _Library(
        "torchvision",
        _PLAIN,
        {"fcn": "classifier.4.weight", "deeplabv3": "classifier.4.weight"},
    ),
    _Library(
        "segmentation_models_pytorch",
        {
            "encoder": "backbone",
            "decoder": "classifier.decoder",
            "segmentation_head": "classifier.head",
        },
        {"unet": "classifier.head.0.weight", "fpn": "classifier.head.0.weight"},
    ),
)
_SIGNS: dict[Head, re.Pattern[str]] = {
    "deeplabv3": re.compile(r"classifier\.0\.(convs|project)\..*"),
    "fcn": re.compile(r"classifier\.[04]\.weight"),
    "unet": re.compile(r"classifier\.decoder\.blocks\.\d+\.conv.*"),
    "fpn": re.compile(r"classifier\.decoder\.(p\d|seg_blocks)\..*"),
}


def recognise_segmenter(state: State) -> tuple[Recognised, SegmenterConfig] | None:
    """Recognise a segmentation network, and infer its architecture.

    Args:
        state: Tensors by name as in the file, with any prefix.

    Returns:
        The tensors under our names and the network that they fit exactly; None if the names
        match no such network.

    Raises:
        CheckpointError: It is nearly such a network; the message says what differs.
    """
    for library in _LIBRARIES:
        for prefix in _prefixes(state, library.stem):
            ours = _rename(state, prefix, library)
            for head in library.last:
                if _has_head(ours, head):
                    config = _infer(ours, head, library)
                    return _recognised(state, ours, prefix, library, config), config
    return None


def _prefixes(state: State, stem: str) -> Iterable[str]:
    """Return the prefixes of the first convolution's name."""
    found = (key for key in state if key == stem or key.endswith(f".{stem}"))
    return [key.removesuffix(stem) for key in found]


def _rename(state: State, prefix: str, library: _Library) -> dict[str, torch.Tensor]:
    """Rename the tensors below a prefix to our names; unknown parts keep their names."""
    ours: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        name = key.removeprefix(prefix)
        is_batch_count = name.endswith(".num_batches_tracked")
        if not key.startswith(prefix) or (is_counter(name, tensor) and not is_batch_count):
            continue
        part, _, rest = name.partition(".")
        tensor = tensor.float() if tensor.is_floating_point() else tensor
        ours[f"{library.parts[part]}.{rest}" if part in library.parts else name] = tensor
    return add_batch_counts(ours)


def _has_head(ours: State, head: Head) -> bool:
    """Return whether a head outputs maps; a classifier's layers are linear or 1x1."""
    shapes = [tensor.shape for name, tensor in ours.items() if _SIGNS[head].fullmatch(name)]
    kernels = [shape[2:] for shape in shapes if len(shape) == 4]
    return bool(kernels) and (len(kernels) > 1 or max(kernels[0]) > 1)


def _infer(ours: State, head: Head, library: _Library) -> SegmenterConfig:
    """Infer the architecture from names and shapes."""
    inside = "backbone."
    body = {
        name.removeprefix(inside): value for name, value in ours.items() if name.startswith(inside)
    }
    backbone = infer_config(body)
    last = library.last[head]
    if last not in ours or ours[last].ndim != 4:
        raise CheckpointError(
            f"it is nearly {head} over {name_of(backbone)}, but lacks the last convolution of its "
            f"head ({last}), which gives the number of classes; save the whole state dict"
        )
    if backbone.shortcut == "A":
        raise CheckpointError(
            f"it is nearly {head} over {name_of(backbone)}, but its blocks have no projections; "
            f"{library.name}'s networks have them"
        )
    dilated = _TRAINED_STRIDE if head not in DECODERS and backbone.stem == "imagenet" else None
    return SegmenterConfig(
        family=head,
        backbone=backbone.replace(num_classes=0, output_stride=dilated),
        num_classes=len(ours[last]),
        aux_head=any(name.startswith("aux_classifier.") for name in ours),
    )


def _recognised(
    state: State,
    ours: dict[str, torch.Tensor],
    prefix: str,
    library: _Library,
    config: SegmenterConfig,
) -> Recognised:
    check_state(config, ours)
    with torch.device("meta"):
        wanted = create_model(config).state_dict()
    if complaint := misfit(wanted, ours):
        raise CheckpointError(
            f"its shapes are closest to {name_of(config)}, but do not fit it: {complaint}. The "
            f"whole network must be {library.name}'s, including the head"
        )
    others = [key for key in state if not key.startswith(prefix)]
    notes = (f"left out, not part of the network: {_some(others)}",) if others else ()
    return Recognised(library.name, ours, left_over=(), names={}, notes=notes)


def assumed_of_segmenter(config: SegmenterConfig) -> list[str]:
    """List the assumptions about a network that is only described by its tensors."""
    backbone: ResNeXtConfig = config.backbone
    stride = backbone.output_stride
    dilation = "no dilation" if stride is None else f"dilation to an output stride of {stride}"
    return [dilation, "the stride of a block in its 3x3", "ReLU"]


def _some(keys: list[str]) -> str:
    shown = ", ".join(printable(key[:60]) for key in keys[:3])
    return f"{shown} and {len(keys) - 3} more" if len(keys) > 3 else shown
