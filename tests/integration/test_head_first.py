"""The classifier learns first: the rest stays as loaded, and a resumed run is in the same phase."""

import signal
from pathlib import Path

import pytest
import torch
from runs import assert_same_bits, finish_in_two, largest_difference, small_run
from safetensors.torch import load_file
from test_distributed import FROZEN
from tiny_config import TINY

import resnext
from resnext.model.card import ModelCard
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run
from resnext.training.display import Display
from resnext.training.interrupt import Interrupted, StopRequest
from resnext.training.target import RunTarget
from resnext.training.train import train
from resnext.weights.own_file import save_weights

HEAD_STEPS = 14  # of 48: in the second of four epochs
SCHEDULE = ScheduleConfig(kind="cosine", epochs=4, warmup=0.1, head_first=0.3)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    config = TINY.replace(num_classes=3, in_channels=1)
    path = tmp_path / "weights.safetensors"
    card = ModelCard(mean=(0.25,), std=(0.5,))
    save_weights(path, resnext.create_model(config), config, card)
    return path


def _settings(weights: Path, kind: str) -> TrainConfig:
    return small_run(
        weights=weights,
        schedule=SCHEDULE,
        optim=OptimConfig(kind=kind, lr=0.01, lr_batch_size=128, layer_decay=0.7, clip_norm=1.0),
        ema_decay=0.9,
    )


def _train(config: TrainConfig, run: Path, stop_at: int | None = None) -> None:
    """Train to the end, or until so many steps are done."""

    def agreed(_self: StopRequest, total_steps: int) -> int:
        return signal.SIGTERM if total_steps == stop_at else 0

    target = RunTarget(resume=run) if run.exists() else RunTarget(out=run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StopRequest, "agreed", agreed)
        try:
            train(config, target, Display("quiet"))
        except Interrupted:
            assert stop_at is not None
        else:
            assert stop_at is None


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_a_run_stopped_in_either_phase_ends_with_the_bits_of_one_that_was_not(
    tmp_path: Path, weights: Path, kind: str
) -> None:
    config = _settings(weights, kind)
    _train(config, tmp_path / "whole")
    run = tmp_path / "run"
    _train(config, run, stop_at=5)
    for stop_at in (HEAD_STEPS, HEAD_STEPS + 3, None):
        _train(open_run(run), run, stop_at)
    assert_same_bits(run, tmp_path / "whole")


def test_all_but_the_classifier_stays_as_loaded_in_the_first_phase(
    tmp_path: Path, weights: Path
) -> None:
    run = tmp_path / "run"
    _train(_settings(weights, "adamw"), run, stop_at=HEAD_STEPS)
    before, after = load_file(weights), load_file(run / "last.safetensors")
    body = [name for name in before if not name.startswith("fc.")]
    assert any("running_mean" in name for name in body)
    for copy in ("model", "ema"):
        assert all(torch.equal(after[f"{copy}.{name}"], before[name]) for name in body)
    assert float(after["adam_step.conv1.weight"]) == 0
    assert float(after["adam_step.fc.weight"]) == HEAD_STEPS
    _train(open_run(run), run)
    trained = load_file(run / "last.safetensors")
    assert not torch.equal(trained["model.conv1.weight"], before["conv1.weight"])
    assert not torch.equal(trained["model.bn1.running_mean"], before["bn1.running_mean"])


def test_two_ranks_and_one_enter_the_second_phase_together(tmp_path: Path, weights: Path) -> None:
    config = FROZEN.replace(model=TINY, weights=weights, schedule=SCHEDULE)
    _train(config, tmp_path / "one")
    finish_in_two(config, tmp_path / "two")
    assert largest_difference(tmp_path / "one", tmp_path / "two") < 1e-6
