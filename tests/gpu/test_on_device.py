"""What holds on a CPU holds on a GPU. RESNEXT_TEST_DEVICE=cpu tries the tests without one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from runs import assert_same_bits, small_run
from tasks import classifier
from tiny_config import TINY
from torch import nn

from resnext.data.loading.batch import Batch
from resnext.model.choices import Form
from resnext.model.config import ResNeXtConfig
from resnext.model.convert import convert_form
from resnext.model.network import ResNeXt
from resnext.runs.config import OptimConfig, Precision, RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run
from resnext.runs.runtime import Runtime
from resnext.training.display import Display
from resnext.training.optimizer import build_optimizer
from resnext.training.snapshot import Snapshot
from resnext.training.step import TrainStep
from resnext.training.target import RunTarget
from resnext.training.train import train

NAME = os.environ.get("RESNEXT_TEST_DEVICE", "cuda")
DEVICE = torch.device(NAME)
FORMS: tuple[Form, ...] = ("a", "b", "c")
CONFIG = ResNeXtConfig(
    blocks_per_stage=(1, 1),
    cardinality=4,
    bottleneck_width=8,
    stage_widths=(64, 128),
    stem_width=16,
    num_classes=10,
)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        NAME == "cuda" and not torch.cuda.is_available(), reason="there is no CUDA device"
    ),
]


@pytest.fixture(autouse=True)
def _full_fp32() -> Iterator[None]:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32
    cudnn.allow_tf32, matmul.allow_tf32 = False, False
    yield
    cudnn.allow_tf32, matmul.allow_tf32 = before


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_three_forms_agree(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    grouped = ResNeXt(CONFIG).eval()
    images_bchw = torch.randn(4, 3, 64, 64)
    with torch.inference_mode():
        expected_bk = grouped(images_bchw)
        for form in FORMS:
            network = ResNeXt(CONFIG.replace(form=form)).eval()
            network.load_state_dict(convert_form(grouped.state_dict(), CONFIG, form))
            network.to(DEVICE).to(memory_format=layout)
            found_bk = network(images_bchw.to(DEVICE, memory_format=layout)).cpu()
            torch.testing.assert_close(found_bk, expected_bk, rtol=1e-4, atol=1e-4)


def test_a_step_in_fp32_gives_the_weights_of_the_cpu() -> None:
    images_bchw, targets_b = torch.randn(8, 3, 64, 64), torch.arange(8) % 10
    ends = []
    for device in (torch.device("cpu"), DEVICE):
        torch.manual_seed(0)
        network = ResNeXt(CONFIG).to(device)
        step = _step(network, device, torch.float32)
        step.run(_batch(images_bchw, targets_b, device), 0.1)
        ends.append(torch.cat([p.detach().cpu().flatten() for p in network.parameters()]))
    torch.testing.assert_close(ends[1], ends[0], rtol=1e-3, atol=1e-4)


def test_fp16_skips_the_step_that_overflows_and_goes_on() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 10)).to(DEVICE)
    step = _step(network, DEVICE, torch.float16)
    start = [p.clone() for p in network.parameters()]
    good = _batch(torch.randn(8, 3, 2, 2), torch.arange(8), DEVICE)
    step.run(_batch(torch.full((8, 3, 2, 2), 6e4), torch.arange(8), DEVICE), 0.1)
    assert all(torch.equal(p, first) for p, first in zip(network.parameters(), start, strict=True))
    step.run(good, 0.1)
    assert not torch.equal(next(network.parameters()), start[0])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_snapshot_holds_the_bits_of_its_moment(layout: torch.memory_format) -> None:
    weight = torch.randn(8, 4, 3, 3).to(DEVICE).contiguous(memory_format=layout)
    half = torch.randn(5, dtype=torch.float16, device=DEVICE)
    expected = {"weight": weight.cpu().clone(), "half": half.cpu().clone()}
    copies = Snapshot().take({"weight": weight, "half": half})
    weight.zero_()
    half.zero_()
    assert {name: copy.is_pinned() for name, copy in copies.items()} == dict.fromkeys(
        expected, DEVICE.type == "cuda"
    )
    assert all(torch.equal(copies[name], expected[name]) for name in expected)


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])  # the latter pools
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_that_goes_on_has_the_bits_of_one_that_was_not_interrupted(
    tmp_path: Path, precision: Precision, stem: str
) -> None:
    whole = _run(precision, epochs=2)
    assert whole.runtime.deterministic  # no other setting promises the same bits
    whole = whole.replace(model=TINY.replace(stem=stem))
    train(whole, RunTarget(out=tmp_path / "whole"), Display("quiet"))
    with pytest.raises(_StopError):
        train(whole, RunTarget(out=tmp_path / "cut"), _StopAfter(1))
    train(open_run(tmp_path / "cut"), RunTarget(resume=tmp_path / "cut"), Display("quiet"))
    assert_same_bits(tmp_path / "cut", tmp_path / "whole")


class _StopError(Exception):
    """The test ends a run."""


class _StopAfter(Display):
    """Ends the run when so many epochs are complete, as a crash would."""

    def __init__(self, epochs: int) -> None:
        super().__init__("quiet")
        self._left = epochs

    def epoch(self, *, epoch: str, train_loss: float, loss: float, measured: str) -> None:
        super().epoch(epoch=epoch, train_loss=train_loss, loss=loss, measured=measured)
        self._left -= 1
        if not self._left:
            raise _StopError


def _run(precision: Precision, epochs: int) -> TrainConfig:
    return small_run(
        runtime=RuntimeConfig(device=NAME, precision=precision),
        schedule=ScheduleConfig(kind="cosine", epochs=epochs),
        optim=OptimConfig(lr=0.05, lr_batch_size=128),
        ema_decay=0.9,
    )


def _step(network: nn.Module, device: torch.device, dtype: torch.dtype) -> TrainStep:
    config = TrainConfig()
    optimizer = build_optimizer(network, config.optim)
    return TrainStep(config, Runtime(device, dtype), network, optimizer, None, classifier(10))


def _batch(images_bchw: torch.Tensor, targets_b: torch.Tensor, device: torch.device) -> Batch:
    numbers_b = torch.arange(len(targets_b), device=device)
    return Batch(images_bchw.to(device), targets_b.to(device), numbers_b, len(targets_b))
