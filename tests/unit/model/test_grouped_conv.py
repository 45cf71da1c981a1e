"""The merged grouped convolution is the ordinary one, bit layouts and gradients aside."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resnext.model import grouped_conv
from resnext.model.convolution import set_merging
from resnext.model.grouped_conv import groups_to_merge, groups_to_widen, merge_groups
from resnext.model.layers import conv

PLAIN: dict[int, type[nn.Conv1d | nn.Conv2d | nn.Conv3d]] = {
    1: nn.Conv1d,
    2: nn.Conv2d,
    3: nn.Conv3d,
}


@given(
    groups=st.integers(2, 12),
    width=st.integers(1, 9),
    stride=st.integers(1, 2),
    ndim=st.integers(1, 3),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_merging_any_number_of_groups_changes_nothing(
    groups: int, width: int, stride: int, ndim: int, data: st.DataObject
) -> None:
    merge = data.draw(st.sampled_from([m for m in range(1, groups + 1) if groups % m == 0]))
    channels = groups * width
    ours = conv(ndim, channels, channels, 3, stride, groups).double()
    plain = PLAIN[ndim](
        channels, channels, 3, stride=stride, padding=1, groups=groups, bias=False
    ).double()
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, channels, *[5] * ndim, dtype=torch.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouped_conv, "groups_to_merge", lambda *_, **__: merge)
        got = outputs(ours, x)
    for ours_tensor, plain_tensor in zip(got, outputs(plain, x), strict=True):
        torch.testing.assert_close(ours_tensor, plain_tensor, rtol=1e-10, atol=1e-10)


def test_a_merged_weight_is_block_diagonal() -> None:
    weight = torch.arange(1.0, 9.0).reshape(4, 2, 1)  # two groups of two channels, 1 tap
    merged = merge_groups(weight, groups=2, merge=2)
    expected = [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]]
    assert merged[:, :, 0].tolist() == expected


@given(st.integers(1, 200), st.integers(1, 64), st.booleans(), st.booleans())
def test_the_rule_names_a_divisor_of_the_groups(
    groups: int, width: int, channels_last: bool, training: bool
) -> None:
    merge = groups_to_merge(groups, width, channels_last=channels_last, training=training)
    assert groups % merge == 0
    if width >= 8 or width == 1:
        assert merge == 1


def test_a_count_on_the_meta_device_sees_the_grouped_convolution() -> None:
    with torch.device("meta"):
        layer = conv(2, 128, 128, 3, groups=32)
        x = torch.randn(1, 128, 14, 14)
    with FlopCounterMode(display=False) as counter:
        layer(x)
    assert counter.get_total_flops() == 2 * 14 * 14 * 128 * 4 * 9


def test_an_exported_graph_holds_the_grouped_convolution() -> None:
    layer = conv(2, 16, 16, 3, groups=4).eval()
    program = torch.export.export(layer, (torch.randn(1, 16, 8, 8),))
    targets = [node for node in program.graph.nodes if node.op == "call_function"]
    assert [node.args[-1] for node in targets] == [4], "one convolution of four groups"


def test_a_copy_of_a_layer_is_independent_and_equal() -> None:
    layer = conv(2, 8, 8, 3, groups=2)
    twin = copy.deepcopy(layer)
    x = torch.randn(1, 8, 5, 5)
    assert torch.equal(layer(x), twin(x))
    assert twin.weight is not layer.weight


def outputs(layer: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    y = layer(x)
    weight = layer.get_parameter("weight")
    return [y, *torch.autograd.grad(y.sin().sum(), (x, weight))]


@given(st.integers(1, 64), st.integers(1, 7))
def test_widened_groups_have_eight_channels_where_a_divisor_allows(groups: int, width: int) -> None:
    merge = groups_to_widen(groups, width)
    assert groups % merge == 0
    assert merge <= 4
    if groups % 4 == 0 and width in (2, 4):
        assert merge * width == 8


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_network_merges_as_it_is_told(
    channels_last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged: list[int] = []
    plain = merge_groups

    def count(weight: torch.Tensor, groups: int, merge: int) -> torch.Tensor:
        merged.append(merge)
        return plain(weight, groups, merge)

    monkeypatch.setattr(grouped_conv, "merge_groups", count)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    layer = conv(2, 16, 16, 3, 1, 4).to(memory_format=layout)  # four channels a group
    x = torch.randn(2, 16, 8, 8).contiguous(memory_format=layout).requires_grad_()
    expected = {"by_width": [] if channels_last else [2], "always": [2], "never": []}
    results = []
    for merging, merges in expected.items():
        merged.clear()
        set_merging(layer, merging)  # type: ignore[arg-type]  # a key of the dict above
        results.append(layer(x))
        assert merged == merges, merging
    for result in results[1:]:
        torch.testing.assert_close(result, results[0])
