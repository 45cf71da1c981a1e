"""Where the arithmetic runs, and that full precision is full on every GPU."""

from collections.abc import Iterator

import pytest
import torch

from resnext.errors import ConfigError
from resnext.runs.runtime import resolve_device


@pytest.fixture
def _two_gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = True
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.mark.usefixtures("_two_gpus")
@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:1"])
def test_fp32_on_a_gpu_is_not_rounded_to_tf32(name: str) -> None:
    resolve_device(name)
    assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.conv.fp32_precision != "tf32"  # type: ignore[attr-defined]  # untyped


@pytest.mark.usefixtures("_two_gpus")
def test_a_process_takes_the_gpu_of_its_rank_unless_one_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert resolve_device("auto") == torch.device("cuda:1")
    assert resolve_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(ConfigError, match=r"cuda:2.*has 2 GPU"):
        resolve_device("cuda:2")
