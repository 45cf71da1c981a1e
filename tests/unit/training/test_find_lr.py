"""What a range test tries and what it suggests, on losses whose best rate is known."""

import math
from pathlib import Path

import pytest
import torch
from made_videos import write_squares

from resnext.api.train_settings import build_config
from resnext.cli.train import Train
from resnext.data.sets.parse import parse_data
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.recipes.video import video
from resnext.runs.config import OptimConfig, RuntimeConfig, TrainConfig
from resnext.training.find_lr import (
    NUM_STEPS,
    find_lr,
    is_diverging,
    judge_losses,
    rates_to_try,
    smooth,
)
from resnext.training.schedule import peak_lr
from resnext.weights.own_file import save_weights

RATES = rates_to_try(OptimConfig(), 256)


def lowest_at(lr: float, explodes_at: float = math.inf) -> list[float]:
    """Return losses that fall from 2.3 to 1.3 at one rate and rise again, until they explode."""
    losses = [2.3 - math.exp(-(math.log10(rate / lr) ** 2)) for rate in RATES]
    return [100.0 if rate >= explodes_at else s for rate, s in zip(RATES, losses, strict=True)]


@pytest.mark.parametrize("lr", [1e-2, 0.1, 1.0])
def test_the_rate_with_the_lowest_loss_is_suggested(lr: float) -> None:
    noise = torch.randn(NUM_STEPS, generator=torch.Generator().manual_seed(0)).tolist()
    noisy = [a + 0.02 * b for a, b in zip(lowest_at(lr), noise, strict=True)]
    suggestion = judge_losses(RATES, noisy).suggestion
    assert suggestion == pytest.approx(lr, rel=0.4)
    assert float(f"{suggestion:.2g}") == suggestion


def test_an_explosion_does_not_lower_the_suggestion() -> None:
    calm, wild = (judge_losses(RATES, lowest_at(0.1, at)) for at in (math.inf, 0.2))
    assert calm.suggestion is not None
    assert wild.suggestion is not None
    assert wild.suggestion > 0.5 * calm.suggestion


def test_the_test_ends_where_the_loss_explodes() -> None:
    losses = lowest_at(0.01, explodes_at=1.0)
    ends = next(k for k in range(1, NUM_STEPS) if is_diverging(losses[:k]))
    assert 1.0 <= RATES[ends - 1] < 2.0
    assert judge_losses(RATES[:ends], losses[:ends]).has_diverged


def test_a_loss_that_is_no_number_ends_the_test_and_is_left_out() -> None:
    losses = [*lowest_at(0.01)[:80], math.nan]
    assert is_diverging(losses)
    test = judge_losses(RATES[:81], losses)
    assert test.has_diverged
    assert len(test.lrs) == len(test.losses) == len(test.smoothed) == 80
    assert test.suggestion == pytest.approx(0.01, rel=0.3)


@pytest.mark.parametrize(
    "losses",
    [[2.3] * NUM_STEPS, [math.nan], [2.3, math.inf], [2.3 + 0.01 * k for k in range(NUM_STEPS)]],
)
def test_nothing_is_suggested_where_the_loss_never_falls(losses: list[float]) -> None:
    assert judge_losses(RATES[: len(losses)], losses).suggestion is None


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize(("batch_size", "lr_batch_size"), [(32, 256), (256, 32), (64, 64)])
def test_rates_are_counted_as_the_setting_counts_them(
    kind: str, batch_size: int, lr_batch_size: int
) -> None:
    optim = OptimConfig(kind=kind, lr_batch_size=lr_batch_size)
    rates = rates_to_try(optim, batch_size)
    assert len(rates) == NUM_STEPS
    used = [peak_lr(optim.replace(lr=rate), batch_size) for rate in (rates[0], rates[-1])]
    assert used == pytest.approx([1e-5, 10.0] if kind == "sgd" else [1e-6, 1.0])


def test_smoothing_moves_no_fall() -> None:
    step = [2.0] * 50 + [1.0] * 50
    smoothed = smooth(step)
    assert smoothed[49] + smoothed[50] == pytest.approx(3.0)
    assert smoothed[0] == pytest.approx(2.0)


def digits_config(**changes: object) -> TrainConfig:
    """Return settings of a tiny network on the real digits."""
    values: dict[str, object] = {
        "data": "digits",
        "model": "resnext_1-1_2x4d_cifar",
        "batch_size": 32,
        "device": "cpu",
        "threads": 1,
    }
    return build_config(Train(**{**values, **changes}))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["fast", "modern"])
def test_a_rate_is_found_on_real_images_and_nothing_is_written(recipe: str, here: Path) -> None:
    seen: list[int] = []
    test = find_lr(digits_config(recipe=recipe, set=("class_weights=3=2",)), seen.append)
    assert test.suggestion is not None
    assert test.lrs[0] < test.suggestion < test.lrs[-1]
    assert len(seen) <= NUM_STEPS
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_accumulated_parts_give_the_losses_of_the_whole_batch() -> None:
    # frozen statistics: BN would take those of each part
    config = digits_config(set=("freeze_norm=true", "runtime.precision=fp32"))
    whole, parts = find_lr(config), find_lr(config.replace(accumulate=2))
    assert parts.losses[:40] == pytest.approx(whole.losses[:40], rel=1e-3)


@pytest.mark.slow
def test_weights_of_images_are_inflated_for_videos_as_in_training(tmp_path: Path) -> None:
    pytest.importorskip("av")
    data = parse_data(f"video:{write_squares(tmp_path / 'data', 2, 2, num_frames=8)}")
    small = ResNeXtConfig(blocks_per_stage=(1,), cardinality=2, bottleneck_width=2, num_classes=2)
    small = small.replace(stage_widths=(8,), stem_width=4)
    save_weights(tmp_path / "w.safetensors", create_model(small), small, ModelCard())
    config = video(small.replace(ndim=3), data.replace(image_size_px=16, frames=4), 4)
    config = config.replace(weights=tmp_path / "w.safetensors", runtime=RuntimeConfig(device="cpu"))
    assert len(find_lr(config).lrs) > 1
