import pytest
import torch

from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.runs.runtime import Runtime
from resnext.training.sync_norm import share_norm

CPU = torch.device("cpu")
TINY = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1,),
    cardinality=2,
    bottleneck_width=4,
    stage_widths=(16,),
    stem_width=8,
)


def test_one_process_has_the_whole_batch_already() -> None:
    model = create_model(TINY)
    assert share_norm(model, Runtime(CPU, torch.float32)) is model
    assert not any(isinstance(layer, torch.nn.SyncBatchNorm) for layer in model.modules())


def test_processes_without_gpus_are_told() -> None:
    with pytest.raises(ConfigError, match="on GPUs, not on cpu"):
        share_norm(create_model(TINY), Runtime(CPU, torch.float32, rank=0, world_size=2))


def test_every_norm_is_shared_and_the_weights_keep_their_names() -> None:
    model = create_model(TINY)
    names = list(model.state_dict())
    cuda = Runtime(torch.device("cuda", 0), torch.float32, rank=0, world_size=2)
    shared = share_norm(model, cuda)  # converting needs no GPU, only training does
    assert list(shared.state_dict()) == names
    norms = [layer for layer in shared.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert norms == []
    assert sum(isinstance(layer, torch.nn.SyncBatchNorm) for layer in shared.modules()) == 5
