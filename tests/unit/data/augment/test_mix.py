from __future__ import annotations

import numpy as np
import pytest
import torch

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.mix import PairMix, apply_mix, box_mask, draw_mix, is_mixing

KEY = (0, 0, 0)


def blend(*kept: float) -> PairMix:
    num = len(kept)
    return PairMix(np.array(kept), np.zeros((num, 4), dtype=np.int64), np.zeros(num, dtype=bool))


def test_mixup_blends_the_two_images_of_a_pair_by_lambda() -> None:
    images = torch.randn(4, 3, 5, 5)
    labels = torch.tensor([7, 8, 9, 6])
    mixed, other, kept = apply_mix(images, labels, blend(0.75, 0.5))
    torch.testing.assert_close(mixed[0], 0.75 * images[0] + 0.25 * images[1])
    torch.testing.assert_close(mixed[1], 0.75 * images[1] + 0.25 * images[0])
    torch.testing.assert_close(mixed[2], 0.5 * images[2] + 0.5 * images[3])
    assert other.tolist() == [8, 7, 6, 9]
    assert kept.tolist() == [0.75, 0.75, 0.5, 0.5]


def test_an_odd_last_image_stays_as_it_is() -> None:
    images = torch.randn(3, 1, 2, 2)
    mixed, other, kept = apply_mix(images, torch.tensor([1, 2, 3]), blend(0.3))
    assert torch.equal(mixed[2], images[2])
    assert other.tolist() == [2, 1, 3]
    assert float(kept[2]) == 1.0


def test_cutmix_swaps_a_rectangle_and_counts_its_pixels() -> None:
    config = AugmentConfig(cutmix=1.0)
    num = 50
    mix = draw_mix(config, KEY, num, 10)
    assert mix.is_cut_p.all()
    images = torch.arange(2 * num, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 10, 10)
    mixed, _, kept = apply_mix(images, torch.arange(2 * num), mix)
    for row in range(2 * num):
        is_own = mixed[row, 0] == row
        assert bool((is_own | (mixed[row, 0] == row ^ 1)).all())
        assert float(is_own.float().mean()) == pytest.approx(float(kept[row]), abs=1e-6)
        pair = row // 2
        top, bottom, left, right = mix.boxes_p4[pair]
        assert bool((~is_own[top:bottom, left:right]).all())


def test_cutmix_boxes_are_squares_of_the_area_that_lambda_leaves() -> None:
    side = 1000
    mix = draw_mix(AugmentConfig(cutmix=1.0), KEY, 50_000, side)
    top, bottom, left, right = mix.boxes_p4.T
    inside = (top > 0) & (bottom < side) & (left > 0) & (right < side)
    # The image is a square; rounding moves an edge by a pixel.
    assert np.abs((bottom - top) - (right - left))[inside].max() <= 1
    # A side s around an even centre keeps s - s^2 / 4 within the image on average. The
    # share s^2 is even on 0..1 for alpha 1, so the mean area is E[(s - s^2 / 4)^2].
    mean_area = 1 / 2 - (2 / 5) / 2 + (1 / 3) / 16
    assert 1 - mix.kept_p.mean() == pytest.approx(mean_area, abs=0.005)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_lambdas_have_the_moments_of_the_beta_distribution(alpha: float) -> None:
    kept = draw_mix(AugmentConfig(mixup=alpha), KEY, 50_000, 32).kept_p
    assert kept.mean() == pytest.approx(0.5, abs=0.01)
    assert kept.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.03)


def test_with_both_on_about_every_second_pair_takes_either() -> None:
    is_cut = draw_mix(AugmentConfig(mixup=0.2, cutmix=1.0), KEY, 10_000, 32).is_cut_p
    assert is_cut.mean() == pytest.approx(0.5, abs=0.03)


def test_mixing_differs_by_seed_epoch_and_step_and_repeats() -> None:
    config = AugmentConfig(mixup=0.2)
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    draws = [tuple(draw_mix(config, key, 8, 32).kept_p) for key in keys]
    assert len(set(draws)) == 4
    assert draws[2] == tuple(draw_mix(config, keys[2], 8, 32).kept_p)


def test_it_is_known_whether_anything_is_mixed() -> None:
    assert not is_mixing(AugmentConfig())
    assert is_mixing(AugmentConfig(mixup=0.1))
    assert is_mixing(AugmentConfig(cutmix=0.1))


def test_a_box_mask_is_true_inside_only() -> None:
    mask = box_mask(torch.tensor([[1, 3, 0, 2], [0, 0, 0, 0]]), 4, 3)
    assert mask[0].int().tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert not mask[1].any()
