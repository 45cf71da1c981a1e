"""Networks as if trained: nothing in them has a value that would hide a mistake."""

import torch
from hypothesis import strategies as st
from torch import nn

from resnext.model.config import ResNeXtConfig
from resnext.model.network import ResNeXt

State = dict[str, torch.Tensor]


def trained_like(config: ResNeXtConfig, seed: int = 0) -> ResNeXt:
    """Build a network in double precision and evaluation mode."""
    torch.manual_seed(seed)
    model = ResNeXt(config).double().eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.5)
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    nn.init.normal_(model.fc.bias)
    return model


def rebuild(config: ResNeXtConfig, state: State) -> ResNeXt:
    """Build the network that a state dict must fit exactly."""
    model = ResNeXt(config).double().eval()
    model.load_state_dict(state)
    return model


def copy_of(state: State) -> State:
    return {name: tensor.clone() for name, tensor in state.items()}


def assert_same_tensors(got: State, expected: State) -> None:
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(got[name], tensor), name


def assert_same_logits(got: torch.Tensor, expected: torch.Tensor) -> None:
    """Hold the largest difference against 1e-12 of the largest logit."""
    assert expected.std() > 1e-3 * expected.abs().max(), "the logits are trivially equal"
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12 * expected.abs().max().item())


@st.composite
def small_configs(draw: st.DrawFn) -> ResNeXtConfig:
    """Draw small bottleneck networks of every kind; a second stage has stride 2."""
    stages = draw(st.sampled_from([(1,), (1, 1), (2, 1), (1, 2)]))
    return ResNeXtConfig(
        stem=draw(st.sampled_from(["cifar", "imagenet"])),
        blocks_per_stage=stages,
        stage_widths=(12, 20)[: len(stages)],
        stem_width=8,
        cardinality=draw(st.integers(1, 6)),
        bottleneck_width=draw(st.integers(1, 6)),
        form=draw(st.sampled_from(["a", "b", "c"])),
        shortcut=draw(st.sampled_from(["A", "B", "C", "none"])),
        preactivation=draw(st.booleans()),
        ndim=draw(st.integers(1, 3)),
        in_channels=draw(st.integers(1, 4)),
        num_classes=5,
    )
