"""Checks that an exported file computes the same as PyTorch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from resnext.data.prepare.normalise import normalise
from resnext.errors import ExportError
from resnext.inference.parity import Parity, parity_of, pixel_parity
from resnext.model.card import ModelCard
from resnext.model.config import SegmenterConfig
from resnext.runtimes.exported import Exported

TOLERANCE = 1e-4
"""Largest difference of a logit, relative to the largest: sums in another order."""

_TOGETHER = 16


def compare(
    network: nn.Module, exported: Exported, batches: Iterable[torch.Tensor], source: str
) -> Parity:
    """Run the same images through both.

    Args:
        network: The network from which `exported` was written: with preprocessing for input
            `image`, else for normalised images.
        exported: The open file.
        batches: Images, uint8 b x h x w x c, as input for the graph.
        source: The images, in words.
    """
    parts = (part for batch in batches for part in torch.split(batch, _TOGETHER))
    pairs = (
        (_reference(network, exported, part).numpy(), exported.run(_as_taken(exported, part)))
        for part in parts
    )
    if isinstance(exported.config, SegmenterConfig):
        return pixel_parity(pairs, source)
    wanted, found = zip(*pairs, strict=True)
    return parity_of(np.concatenate(wanted), np.concatenate(found), source)


def check_parity(parity: Parity, path: object) -> None:
    """Refuse a file whose results differ.

    Two classes whose logits are closer than the tolerance may swap ranks.

    Raises:
        ExportError: The difference is larger than rounding.
    """
    limit = TOLERANCE * max(parity.largest_logit, 1.0)
    if not parity.largest_difference <= limit:  # also true for NaN
        raise ExportError(
            f"{path}: was not kept: on {parity.num_images} images its logits differ from PyTorch's "
            f"by {parity.largest_difference:.2g}, more than {limit:.2g}, and the best class "
            f"agrees for {parity.top1_agreement:.1f} %; export to another format or opset, and "
            "please report this"
        )


def _reference(network: nn.Module, exported: Exported, images_bhwc: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        if exported.spec.input == "image":
            logits_bk: torch.Tensor = network(images_bhwc)
        else:
            logits_bk = network(_normalised(exported.card, images_bhwc))
    return logits_bk


def _as_taken(
    exported: Exported, images_bhwc: torch.Tensor
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    if exported.spec.input != "normalised":
        return images_bhwc.contiguous().numpy()
    return _normalised(exported.card, images_bhwc).contiguous().numpy()


def _normalised(card: ModelCard, images_bhwc: torch.Tensor) -> torch.Tensor:
    return normalise(images_bhwc.movedim(-1, 1), card.mean, card.std, torch.device("cpu"))
