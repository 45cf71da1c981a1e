"""What a step sums up and draws, and what a run says when it cannot be written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tasks import classifier
from torch import nn

from resnext.data.loading.batch import Batch
from resnext.errors import RunError
from resnext.runs.config import TrainConfig
from resnext.runs.folder import explain_write_errors
from resnext.runs.runtime import Runtime
from resnext.training.optimizer import build_optimizer
from resnext.training.step import TrainStep, seed_step


def _draw(rank: int, seed: int, step: int) -> float:
    seed_step(Runtime(torch.device("cpu"), torch.float32, rank, 2), seed, step)
    return float(torch.rand(()))


def test_a_step_draws_the_same_whenever_it_is_done() -> None:
    first = _draw(0, 0, 7)
    torch.rand(100)
    assert _draw(0, 0, 7) == first


def test_steps_processes_and_seeds_draw_differently() -> None:
    assert len({_draw(*place) for place in ((0, 0, 7), (0, 0, 8), (0, 1, 7), (1, 0, 7))}) == 4


def test_a_step_returns_the_losses_and_mistakes_of_its_images_whatever_the_parts() -> None:
    torch.manual_seed(0)
    images_bchw, targets_b = torch.randn(12, 1, 4, 4), torch.randint(0, 3, (12,))
    for accumulate in (1, 3):
        model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
        logits_bk = model(images_bchw).detach()
        loss_sum = nn.functional.cross_entropy(logits_bk, targets_b, reduction="sum")
        num_wrong = sum(
            int(max(range(3), key=row.__getitem__) != label)
            for row, label in zip(logits_bk.tolist(), targets_b.tolist(), strict=True)
        )
        config = TrainConfig(batch_size=12, accumulate=accumulate)
        optimizer = build_optimizer(model, config.optim)
        train_step = TrainStep(
            config,
            Runtime(torch.device("cpu"), torch.float32),
            model,
            optimizer,
            None,
            classifier(3),
        )
        batch = Batch(images_bchw, targets_b, torch.arange(12), global_size=12)
        sums = train_step.run(batch, 0.1)
        assert 0 < num_wrong < 12
        assert sums.tolist() == pytest.approx([float(loss_sum), num_wrong], rel=1e-5)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_parts_of_a_step_weigh_the_classes_as_the_whole_does(mixed: bool) -> None:
    torch.manual_seed(0)
    images_bchw, targets_b = torch.randn(13, 1, 2, 2), torch.randint(0, 3, (13,))
    mixing = (torch.randint(0, 3, (13,)), torch.rand(13)) if mixed else (None, None)
    batch = Batch(images_bchw, targets_b, torch.arange(13), 13, *mixing)
    weights_k = torch.tensor([0.2, 1.0, 4.0])
    ends = []
    for accumulate, class_weights_k in ((1, weights_k), (4, weights_k), (1, None)):
        config = TrainConfig(batch_size=16, accumulate=accumulate, label_smoothing=0.1)
        train_step = _train_step(torch.float32, config, class_weights_k)
        train_step.run(batch, 0.1)
        ends.append(torch.cat([p.detach().flatten() for p in train_step.model.parameters()]))
    assert torch.allclose(ends[0], ends[1], atol=1e-7)
    assert not torch.allclose(ends[0], ends[2], atol=1e-4)


@pytest.mark.usefixtures("_unset_memory_is_nan")
def test_a_first_step_that_overflows_in_fp16_leaves_no_trace() -> None:
    torch.manual_seed(0)
    images_bchw, targets_b = torch.randn(4, 1, 2, 2), torch.tensor([0, 1, 2, 0])
    batch = Batch(images_bchw, targets_b, torch.arange(4), global_size=4)
    overflowing = Batch(1e4 * images_bchw, targets_b, torch.arange(4), global_size=4)
    train_steps = [_train_step(torch.float16) for _ in range(2)]
    plain, hit = ([p.detach() for p in train_step.model.parameters()] for train_step in train_steps)
    start = [p.clone() for p in hit]

    train_steps[1].run(overflowing, 0.1)
    assert all(torch.equal(p, first) for p, first in zip(hit, start, strict=True))
    train_steps[0].scaler.load_state_dict(train_steps[1].scaler.state_dict())
    for train_step in train_steps:
        train_step.run(batch, 0.1)
    assert not torch.equal(plain[0], start[0])
    assert all(torch.equal(a, b) for a, b in zip(plain, hit, strict=True))


def _train_step(
    dtype: torch.dtype,
    config: TrainConfig | None = None,
    class_weights_k: torch.Tensor | None = None,
) -> TrainStep:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    config = config or TrainConfig()
    optimizer = build_optimizer(model, config.optim)
    runtime = Runtime(torch.device("cpu"), dtype)
    task = classifier(3, config.label_smoothing, class_weights_k)
    return TrainStep(config, runtime, model, optimizer, None, task)


@pytest.fixture
def _unset_memory_is_nan() -> Iterator[None]:
    assert torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]  # untyped
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def test_a_full_disk_is_one_message_that_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    expected = r"No space left.*No checkpoint.*Free disk space, then resume with: .*--resume"
    with pytest.raises(RunError, match=expected), explain_write_errors(tmp_path):
        raise OSError(28, "No space left on device")


def test_other_errors_of_the_system_are_not_explained_away(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), explain_write_errors(tmp_path):
        raise ConnectionResetError(104, "Connection reset by peer")
