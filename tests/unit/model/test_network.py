"""The network: shapes in every dimension, maps of the stages, wrong inputs, tools around it."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.network import ResNeXt

SMALL = ResNeXtConfig(
    stem_width=8,
    blocks_per_stage=(1, 1, 1),
    stage_widths=(16, 24, 32),
    cardinality=4,
    num_classes=5,
).replace(bottleneck_width=2)


@pytest.mark.slow
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("stem", ["imagenet", "cifar"])
@pytest.mark.parametrize("form", ["a", "b", "c"])
def test_networks_of_any_dimension_classify(ndim: int, stem: str, form: str) -> None:
    model = create_model(SMALL, ndim=ndim, stem=stem, form=form, in_channels=2)
    logits = model(torch.randn(3, 2, *[12] * ndim))
    assert logits.shape == (3, 5)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@given(st.lists(st.integers(1, 40), min_size=2, max_size=2), st.sampled_from(["imagenet", "cifar"]))
@settings(max_examples=25, deadline=None)
def test_any_size_survives_in_evaluation(sides: list[int], stem: str) -> None:
    model = create_model(SMALL, stem=stem).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, *sides)).isfinite().all()


@pytest.mark.slow
@given(
    st.sampled_from(["imagenet", "cifar"]),
    st.integers(1, 3),
    st.booleans(),
    st.sets(st.integers(1, 3), min_size=1),
)
@settings(max_examples=30, deadline=None)
def test_feature_maps_have_the_stated_strides_and_channels(
    stem: str, ndim: int, preactivation: bool, stages: set[int]
) -> None:
    model = ResNeXt(SMALL.replace(stem=stem, ndim=ndim, preactivation=preactivation))
    maps = model.features(torch.randn(2, 3, *[32] * ndim), sorted(stages))
    info = model.feature_info
    assert list(maps) == [f"layer{stage}" for stage in sorted(stages)]
    for stage, x in zip(sorted(stages), maps.values(), strict=True):
        assert x.shape == (2, info.channels(stage), *[32 // info.reduction(stage)] * ndim)


def test_the_papers_network_has_the_papers_maps() -> None:
    with torch.device("meta"):
        model = create_model("resnext50_32x4d")
        assert isinstance(model, ResNeXt)
        maps = model.features(torch.empty(1, 3, 224, 224))
    # Table 1: maps of 56, 28, 14 and 7 with 256 to 2048 channels.
    assert [tuple(x.shape[1:]) for x in maps.values()] == [
        (256, 56, 56),
        (512, 28, 28),
        (1024, 14, 14),
        (2048, 7, 7),
    ]
    # Index 0 is the map in front of the pool; the paper's first column halves twice.
    assert model.feature_info.channels() == [64, 256, 512, 1024, 2048]
    assert model.feature_info.reduction() == [2, 4, 8, 16, 32]


@pytest.mark.parametrize("preactivation", [False, True])
def test_the_classifier_reads_the_mean_of_the_last_map(preactivation: bool) -> None:
    model = ResNeXt(SMALL.replace(preactivation=preactivation)).eval()
    x = torch.randn(2, 3, 40, 40)
    last = model.features(x)["layer3"]
    assert (last >= 0).all()
    torch.testing.assert_close(model(x), model.fc(last.mean((2, 3))))


def test_stages_behind_the_last_chosen_one_are_not_computed() -> None:
    model = ResNeXt(SMALL)
    ran = []
    for number in (1, 2, 3):
        layer: Any = model.get_submodule(f"layer{number}")
        layer.register_forward_hook(lambda *_, number=number: ran.append(number))
    model.features(torch.zeros(2, 3, 32, 32), (2,))
    assert ran == [1, 2]


@pytest.mark.parametrize("stages", [(), (0,), (4,), (1, 9)])
def test_a_stage_that_does_not_exist_is_refused(stages: tuple[int, ...]) -> None:
    model = ResNeXt(SMALL)
    with pytest.raises(ConfigError, match="give one or more of 1, 2, 3"):
        model.features(torch.zeros(2, 3, 32, 32), stages)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 1, 32, 32), (1, 3, 32), (1, 32, 32, 3)])
def test_an_input_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="takes batch x 3 channel"):
        ResNeXt(SMALL)(torch.zeros(shape))


def test_the_input_is_never_written_over() -> None:
    for stem in ("imagenet", "cifar"):
        for preactivation in (False, True):
            model = ResNeXt(SMALL.replace(stem=stem, preactivation=preactivation))
            x = torch.randn(2, 3, 16, 16)
            before = x.clone()
            maps = model.features(x)
            copies = {name: tensor.clone() for name, tensor in maps.items()}
            model(x)
            assert torch.equal(x, before)
            assert all(torch.equal(maps[name], copies[name]) for name in maps)


def test_maps_are_not_changed_by_later_stages() -> None:
    model = ResNeXt(SMALL.replace(preactivation=True)).eval()
    x = torch.randn(2, 3, 16, 16)
    alone, together = model.features(x, (1,)), model.features(x)
    assert torch.equal(alone["layer1"], together["layer1"])


@pytest.mark.slow
def test_an_exported_network_takes_batches_of_any_size() -> None:
    model = ResNeXt(SMALL).eval()
    example = torch.randn(2, 3, 32, 32)
    program = torch.export.export(
        model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    x = torch.randn(5, 3, 32, 32)
    torch.testing.assert_close(program.module()(x), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_torch_compile_sees_one_graph() -> None:
    model = ResNeXt(SMALL).double().eval()
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x))


def test_the_memory_layout_does_not_change_the_result() -> None:
    torch.manual_seed(0)
    model = ResNeXt(SMALL.replace(bottleneck_width=4)).double()
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    expected = model(x)
    model.to(memory_format=torch.channels_last)
    got = model(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)
