"""Checks that an exported file computes the same as PyTorch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from resnext.data.prepare.normalise import normalise
from resnext.errors import ExportError
from resnext.inference.parity import (
    ObjectParity,
    Parity,
    object_parity,
    parity_of,
    pixel_parity,
)
from resnext.model.card import ModelCard
from resnext.model.config import SegmenterConfig
from resnext.model.signal import noun_of
from resnext.runtimes.exported import Array, Exported
from resnext.runtimes.module import graph_input
from resnext.runtimes.spec import ExportSpec
from resnext.tasks.detection.network import found_rows

TOLERANCE = 1e-4
"""Largest difference of a logit, relative to the largest: sums in another order."""

BOX_TOLERANCE_PX = 0.01
"""Largest distance between the boxes of an object."""

_LEAST_AGREEMENT = 99.0  # share of objects that are suppressed in neither or in both, in percent
_TOGETHER = 16


def compare(
    network: nn.Module, exported: Exported, batches: Iterable[torch.Tensor], source: str
) -> Parity:
    """Run the same images through both.

    Args:
        network: The network from which `exported` was written: with preprocessing for input
            `image`, else for normalised images or signals.
        exported: The open file.
        batches: Images, uint8 b x h x w x c, as input for the graph; or normalised signals,
            b x c x the sides.
        source: The images or signals, in words.
    """
    parts = (part for batch in batches for part in torch.split(batch, _TOGETHER))
    pairs = (
        (
            _reference(network, exported, part).numpy(),
            exported.run(as_taken(exported.card, exported.spec, part)),
        )
        for part in parts
    )
    if isinstance(exported.config, SegmenterConfig):
        return pixel_parity(pairs, source)
    wanted, found = zip(*pairs, strict=True)
    noun = noun_of(exported.card.signal)
    return parity_of(np.concatenate(wanted), np.concatenate(found), source, noun)


def check_parity(parity: Parity, path: object) -> None:
    """Refuse a file whose results differ.

    Two classes whose logits are closer than the tolerance may swap ranks.

    Raises:
        ExportError: The difference is larger than rounding.
    """
    if isinstance(parity, ObjectParity):
        _check_objects(parity, path)
        return
    limit = TOLERANCE * max(parity.largest_logit, 1.0)
    if not parity.largest_difference <= limit:  # also true for NaN
        raise ExportError(
            f"{path}: was not kept: on {parity.num_images} {parity.noun} its logits differ from "
            f"PyTorch's by {parity.largest_difference:.2g}, more than {limit:.2g}, and the best "
            f"class agrees for {parity.top1_agreement:.1f} %; export to another format or opset, "
            "and please report this"
        )


def _check_objects(parity: ObjectParity, path: object) -> None:
    is_near = parity.largest_distance_px <= BOX_TOLERANCE_PX
    is_alike = parity.largest_difference <= TOLERANCE
    if not (is_near and is_alike and parity.top1_agreement >= _LEAST_AGREEMENT):
        raise ExportError(
            f"{path}: was not kept: it differs from PyTorch {parity}; accepted are "
            f"{BOX_TOLERANCE_PX:g} px, {TOLERANCE:g} and {_LEAST_AGREEMENT:g} %. Export with "
            "another opset, and please report this"
        )


def compare_objects(
    network: nn.Module, exported: Exported, batches: Iterable[torch.Tensor], source: str
) -> ObjectParity:
    """Show the same images to a detector and to its file.

    Args:
        network: torchvision's network.
        exported: The open file.
        batches: Images, uint8 1 x h x w x c.
        source: The images, in words.
    """
    pairs = ((_objects(network, batch), exported.run(batch.numpy())[0]) for batch in batches)
    used = ((wanted_n6, found_nx[found_nx[:, 4] > 0, :6]) for wanted_n6, found_nx in pairs)
    return object_parity(used, source)


def _objects(network: nn.Module, image_bhwc: torch.Tensor) -> Array:
    with torch.inference_mode():
        (found,) = network([image_bhwc[0].movedim(-1, 0).float().div(255)])
    return found_rows(found)


def as_taken(card: ModelCard, spec: ExportSpec, batch: torch.Tensor) -> Array:
    """Return a batch as a graph takes it.

    Args:
        card: How the network wants its images or signals.
        spec: What its graph takes.
        batch: Images, uint8 b x h x w x c, or normalised signals.
    """
    if card.signal is not None or spec.input == "normalised":
        return graph_input(spec.input, card, _normalised(card, batch))
    return batch.contiguous().numpy()


def _reference(network: nn.Module, exported: Exported, batch: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        if exported.spec.input == "image":
            logits_bk: torch.Tensor = network(batch)
        else:
            logits_bk = network(_normalised(exported.card, batch))
    return logits_bk


def _normalised(card: ModelCard, batch: torch.Tensor) -> torch.Tensor:
    if card.signal is not None:
        return batch
    return normalise(batch.movedim(-1, 1), card.mean, card.std, torch.device("cpu"))
