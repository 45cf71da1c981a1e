"""Mixup and cutmix: the two images of a pair are blended, or swap a rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from resnext.data.augment.config import AugmentConfig
from resnext.data.random import Draw, derive


@dataclass(frozen=True)
class PairMix:
    """How each pair of a batch is mixed; arrays with one entry per pair.

    Attributes:
        kept_p: Fraction of itself that each image of the pair keeps (lambda).
        boxes_p4: Top, bottom, left, right of the swapped rectangle, for cutmix.
        is_cut_p: Whether the pair swaps a rectangle rather than being blended.
    """

    kept_p: np.ndarray
    boxes_p4: np.ndarray
    is_cut_p: np.ndarray

    def choose(self, pairs: slice) -> PairMix:
        """Return the mixing of some of the pairs."""
        return PairMix(self.kept_p[pairs], self.boxes_p4[pairs], self.is_cut_p[pairs])


def is_mixing(augment: AugmentConfig) -> bool:
    """Return whether images are mixed."""
    return augment.mixup > 0 or augment.cutmix > 0


def draw_mix(
    augment: AugmentConfig, key: tuple[int, int, int], num_pairs: int, side_px: int
) -> PairMix:
    """Draw the mixing of all pairs of a batch, the same in all processes.

    Args:
        augment: The alphas of both beta distributions.
        key: Seed, epoch and step.
        num_pairs: Pairs in the whole batch.
        side_px: Side of the images.

    Source: mixup, H. Zhang et al., arXiv 1710.09412; cutmix, S. Yun et al.,
    arXiv 1905.04899 (its algorithm 1: a rectangle of the image's shape, cut at the edges).
    """
    seed, epoch, step = key
    words = [derive(seed, Draw.MIX, epoch, step, word) for word in range(2)]
    generator = np.random.Generator(np.random.Philox(key=np.array(words, dtype=np.uint64)))
    is_cut_p = generator.random(num_pairs) < (0.5 if augment.mixup > 0 else 1.0)
    if augment.cutmix == 0:
        is_cut_p[:] = False
    blended = _beta(generator, augment.mixup, num_pairs)
    cut = _beta(generator, augment.cutmix, num_pairs)
    boxes_p4 = _boxes(generator.random((2, num_pairs)), np.sqrt(1.0 - cut), side_px)
    top, bottom, left, right = boxes_p4.T
    kept_after_cut = 1.0 - (bottom - top) * (right - left) / side_px**2
    return PairMix(np.where(is_cut_p, kept_after_cut, blended), boxes_p4, is_cut_p)


def apply_mix(
    images_bchw: torch.Tensor, targets_b: torch.Tensor, mix: PairMix
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mix each image with its neighbour: the first with the second, and so on.

    Args:
        images_bchw: Normalised images; an odd last one is unchanged.
        targets_b: Their labels.
        mix: One entry for each pair of these images.

    Returns:
        The mixed images, the neighbours' labels and the fraction of each image's own label.
    """
    num, _, height, width = images_bchw.shape
    device = images_bchw.device
    paired = num - num % 2
    partners_b = torch.arange(num, device=device)
    partners_b[:paired] ^= 1
    kept_b = torch.ones(num)
    kept_b[:paired] = torch.from_numpy(mix.kept_p[: paired // 2]).float().repeat_interleave(2)
    kept_b = kept_b.to(device)
    own_bhw = kept_b[:, None, None].expand(num, height, width).clone()
    cut_b = torch.from_numpy(mix.is_cut_p[: paired // 2]).repeat_interleave(2).nonzero().squeeze(1)
    boxes_b4 = torch.from_numpy(mix.boxes_p4[: paired // 2]).repeat_interleave(2, 0)[cut_b]
    own_bhw[cut_b.to(device)] = (~box_mask(boxes_b4.to(device), height, width)).float()
    mixed = torch.lerp(images_bchw[partners_b], images_bchw, own_bhw.unsqueeze(1))
    return mixed, targets_b[partners_b], kept_b


def box_mask(boxes_b4: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return b x h x w booleans that are true inside each (top, bottom, left, right)."""
    top, bottom, left, right = boxes_b4[:, :, None].unbind(1)
    rows = torch.arange(height, device=boxes_b4.device)
    columns = torch.arange(width, device=boxes_b4.device)
    in_rows = (rows >= top) & (rows < bottom)
    in_columns = (columns >= left) & (columns < right)
    return in_rows[:, :, None] & in_columns[:, None, :]


def _beta(generator: np.random.Generator, alpha: float, num: int) -> np.ndarray:
    return generator.beta(alpha, alpha, num) if alpha > 0 else np.ones(num)


def _boxes(centers_2p: np.ndarray, shares_p: np.ndarray, side_px: int) -> np.ndarray:
    """Return boxes of a share of the side around random centers, cut at the edges."""
    half_p = np.floor(shares_p * side_px) / 2
    edges = []
    for center_p in np.floor(centers_2p * side_px):
        edges += [
            np.clip(np.floor(center_p - half_p), 0, side_px),
            np.clip(np.floor(center_p + half_p), 0, side_px),
        ]
    return np.stack(edges, axis=1).astype(np.int64)
