"""Weight files of torchvision's detectors.

Such a file is loaded completely or refused, because the heads are the network's purpose.

Source: torchvision/models/detection/retinanet.py, faster_rcnn.py, mask_rcnn.py, rpn.py; their
`_load_from_state_dict` lists the names in older files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from resnext.errors import CheckpointError
from resnext.model.config import DetectorConfig
from resnext.model.create import create_model
from resnext.model.detector_config import DetectorHead
from resnext.model.names import name_of
from resnext.untrusted.text import printable
from resnext.weights.families.extra import is_counter
from resnext.weights.families.recognise import Recognised
from resnext.weights.infer import infer_config
from resnext.weights.own_file import check_state, misfit

State = Mapping[str, torch.Tensor]

_BODY = "backbone.body."
_STEM = f"{_BODY}conv1.weight"
_ANCHORS = 9
"""RetinaNet's anchors at each position: three sizes in three shapes."""

_LAST: dict[DetectorHead, str] = {
    "mask_rcnn": "roi_heads.mask_predictor.mask_fcn_logits.weight",
    "faster_rcnn": "roi_heads.box_predictor.cls_score.weight",
    "retinanet": "head.classification_head.cls_logits.weight",
}
"""The layer with one row per class, which identifies a family; the most complete family first."""

_SECOND = re.compile(r"rpn\.head\.conv\.1\.0\.weight|head\.classification_head\.conv\.0\.1\.weight")
"""A layer that only version 2 has."""

_OLD = re.compile(
    r"(?P<pyramid>backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(?P<a>weight|bias)"
    r"|(?P<rpn>rpn\.head\.conv)\.(?P<b>weight|bias)"
    r"|(?P<head>head\.(?:classification|regression)_head\.conv)\.(?P<number>\d+)\.(?P<c>weight|bias)"
    r"|roi_heads\.mask_head\.mask_fcn(?P<mask>\d+)\.(?P<d>weight|bias)"
)
_ZERO_EPSILON = re.compile(r"\w+_resnet50_fpn_coco-(258fb6c6|bf2d0c1e|eeacb38b)")
"""torchvision's first published files, whose networks add no epsilon to the variances."""


def recognise_detector(
    state: State, file_name: str = ""
) -> tuple[Recognised, DetectorConfig] | None:
    """Recognise a detector of torchvision, and infer its architecture.

    Args:
        state: Tensors by name as in the file, with any prefix.
        file_name: Name of the file, which identifies torchvision's first published files.

    Returns:
        The tensors under our names and the network that they fit exactly; None if the names
        match no detector.

    Raises:
        CheckpointError: It is nearly a detector; the message says what differs.
    """
    for key in state:
        if key == _STEM or key.endswith(f".{_STEM}"):
            prefix = key.removesuffix(_STEM)
            ours = _rename(state, prefix)
            for family, last in _LAST.items():
                if last in ours:
                    config = _infer(ours, family, file_name)
                    return _recognised(state, ours, prefix, config), config
    return None


def _rename(state: State, prefix: str) -> dict[str, torch.Tensor]:
    """Rename the tensors below a prefix to torchvision's current names."""
    ours: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        name = key.removeprefix(prefix)
        is_batch_count = name.endswith(".num_batches_tracked")
        if not key.startswith(prefix) or (is_counter(name, tensor) and not is_batch_count):
            continue
        ours[_new_name(name)] = tensor.float() if tensor.is_floating_point() else tensor
    return ours


def _new_name(name: str) -> str:
    match = _OLD.fullmatch(name)
    if match is None:
        return name
    if match["pyramid"]:
        return f"{match['pyramid']}.0.{match['a']}"
    if match["rpn"]:
        return f"{match['rpn']}.0.0.{match['b']}"
    if match["head"]:  # a ReLU followed each convolution
        return f"{match['head']}.{int(match['number']) // 2}.0.{match['c']}"
    return f"roi_heads.mask_head.{int(match['mask']) - 1}.0.{match['d']}"


def _infer(ours: State, family: DetectorHead, file_name: str) -> DetectorConfig:
    """Infer the architecture from names and shapes."""
    body = {name.removeprefix(_BODY): x for name, x in ours.items() if name.startswith(_BODY)}
    backbone = infer_config(body).replace(num_classes=0)
    rows = len(ours[_LAST[family]])
    num_outputs = rows // _ANCHORS if family == "retinanet" else rows
    if num_outputs < 2 or (family == "retinanet" and rows % _ANCHORS):
        raise CheckpointError(
            f"it is nearly {family} over {name_of(backbone)}, but {_LAST[family]} has {rows} rows, "
            f"which is not the number of classes and the background{_times(family)}; only "
            "torchvision's own anchors are known"
        )
    is_frozen = not any(name.endswith(".num_batches_tracked") for name in body)
    is_first_published = is_frozen and _ZERO_EPSILON.match(file_name) is not None
    return DetectorConfig(
        family=family,
        version=2 if any(_SECOND.fullmatch(name) for name in ours) else 1,
        backbone=backbone,
        num_classes=num_outputs - 1,
        frozen_norm=is_frozen,
        norm_epsilon=0.0 if is_first_published else 1e-5,
    )


def _times(family: DetectorHead) -> str:
    return f", times {_ANCHORS} anchors" if family == "retinanet" else ""


def _recognised(
    state: State, ours: dict[str, torch.Tensor], prefix: str, config: DetectorConfig
) -> Recognised:
    check_state(config, ours)
    with torch.device("meta"):
        wanted = create_model(config).state_dict()
    if complaint := misfit(wanted, ours):
        raise CheckpointError(
            f"its shapes are closest to {name_of(config)}, but do not fit it: {complaint}. The "
            "whole network must be torchvision's, including the heads"
        )
    others = [printable(key[:60]) for key in state if not key.startswith(prefix)]
    notes = (f"left out, not part of the network: {', '.join(others[:4])}",) if others else ()
    return Recognised("torchvision", ours, left_over=(), names={}, notes=notes)


def assumed_of_detector(config: DetectorConfig) -> list[str]:
    """List the assumptions about a network that is only described by its tensors."""
    sides = f"images with sides of {config.min_size_px} to {config.max_size_px} pixels"
    frozen = f"{config.norm_epsilon:g} added to the variances of the backbone's frozen BN"
    stride = "the stride of a block in its 3x3"
    return [sides, "torchvision's anchors", stride, *([frozen] if config.frozen_norm else [])]
