"""A layout that a version of torch made slow is noticed before it is chosen."""

import pytest
import torch
from tiny_config import TINY

from resnext.data.split import DataInfo
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training import settle_speed
from resnext.training.settle_speed import _find
from resnext.training.slow_layout import TOO_SLOW, channels_last_slowdown

OPEN = RuntimeConfig(device="cpu", layout="auto")
INFO = DataInfo("noise", tuple("abcdefghij"), 3, 8, (0.5,) * 3, (0.25,) * 3)
BF16 = torch.bfloat16


@pytest.mark.parametrize(
    ("slowdown", "dtype", "config", "layout"),
    [
        (2 * TOO_SLOW, BF16, TrainConfig(model=TINY, runtime=OPEN), "contiguous"),
        (1.0, BF16, TrainConfig(model=TINY, runtime=OPEN), "channels_last"),
        (2 * TOO_SLOW, torch.float32, TrainConfig(model=TINY, runtime=OPEN), "channels_last"),
        (
            2 * TOO_SLOW,
            BF16,
            TrainConfig(model=TINY.replace(cardinality=1), runtime=OPEN),
            "channels_last",
        ),
    ],
)
def test_a_slow_layout_is_not_taken_from_the_table(
    monkeypatch: pytest.MonkeyPatch,
    slowdown: float,
    dtype: torch.dtype,
    config: TrainConfig,
    layout: str,
) -> None:
    monkeypatch.setattr(settle_speed, "channels_last_slowdown", lambda *_: slowdown)
    runtime = Runtime(torch.device("cpu"), dtype)
    found = _find(config.replace(batch_size=4), INFO, 2, runtime, lambda _: None)
    assert found.choice.layout == layout
    assert ("slow in channels_last" in found.source) == (layout == "contiguous")


def test_both_layouts_are_timed_with_their_gradients() -> None:
    assert 0.0 < channels_last_slowdown(4, torch.float32) < float("inf")


@pytest.mark.bench
@pytest.mark.parametrize("width", [4, 8, 16, 64])
def test_this_version_of_torch_is_not_slow(width: int) -> None:
    assert channels_last_slowdown(width, BF16) < TOO_SLOW
