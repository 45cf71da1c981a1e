"""The architecture is read off names and shapes, for any network that can be built."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.errors import CheckpointError, ConfigError
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.weights.families.recognise import recognise
from resnext.weights.infer import infer_config


@st.composite
def configs(draw: st.DrawFn) -> ResNeXtConfig:
    block = draw(st.sampled_from(["bottleneck", "basic"]))
    stages = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    widths = draw(st.lists(st.integers(1, 6), min_size=len(stages), max_size=len(stages)))
    is_split = block == "bottleneck"
    return ResNeXtConfig(
        stem=draw(st.sampled_from(["imagenet", "cifar"])),
        blocks_per_stage=tuple(stages),
        cardinality=draw(st.integers(2, 5)) if is_split else 1,
        bottleneck_width=draw(st.integers(1, 4)),
        stage_widths=tuple(sorted(widths)),
        stem_width=draw(st.integers(1, 2)),
        block=block,
        form=draw(st.sampled_from(["a", "b", "c"])) if is_split else "c",
        shortcut=draw(st.sampled_from(["A", "B", "C"])) if min(widths) > 1 else "B",
        preactivation=draw(st.booleans()),
        ndim=draw(st.integers(1, 3)),
        in_channels=draw(st.integers(1, 5)),
        num_classes=draw(st.integers(1, 7)),
    )


def state_of(config: ModelConfig) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return dict(create_model(config).state_dict())


@pytest.mark.slow
@given(config=configs())
@settings(max_examples=150, deadline=None)
def test_the_inferred_network_has_exactly_the_tensors_it_was_inferred_from(
    config: ResNeXtConfig,
) -> None:
    state = state_of(config)
    found = infer_config(recognise(state).state)
    again = state_of(found)
    assert {n: t.shape for n, t in again.items()} == {n: t.shape for n, t in state.items()}


@pytest.mark.slow
@given(config=configs())
@settings(max_examples=100, deadline=None)
def test_every_setting_that_shapes_can_tell_is_found(config: ResNeXtConfig) -> None:
    found = infer_config(state_of(config))
    if found.shortcut != config.shortcut:  # the same tensors: the types differ nowhere
        found = found.replace(shortcut=config.shortcut)
    assert found == config


def test_wide_resnets_are_cardinality_1() -> None:
    found = infer_config(state_of(config_from("resnet50_1x128d")))
    assert found.template == "1x128d"


def test_a_stage_that_is_missing_is_named() -> None:
    state = state_of(config_from("resnet18"))
    cut = {name: tensor for name, tensor in state.items() if not name.startswith("layer3.")}
    with pytest.raises(CheckpointError, match="no tensors of stage 3"):
        infer_config(cut)


def test_an_absurd_block_number_builds_nothing() -> None:
    state = state_of(config_from("resnet18"))
    state["layer4.9000.conv1.weight"] = state["layer4.1.conv1.weight"]
    with pytest.raises(CheckpointError, match="block numbers exceed"):
        infer_config(state)


@pytest.mark.parametrize("stage", ["99999999999", "9" * 5000])
def test_an_absurd_stage_number_is_no_name_of_ours(stage: str) -> None:
    state = state_of(config_from("resnet18"))
    state[f"layer{stage}.0.paths.0.conv1.weight"] = state["conv1.weight"]
    assert infer_config(state) == config_from("resnet18")
    found = recognise({name: torch.zeros(tensor.shape) for name, tensor in state.items()})
    assert len(found.left_over) == 1


@pytest.mark.parametrize("name", ["conv1.weight", "layer1.0.conv2.weight"])
@pytest.mark.parametrize("shape", [(), (64,), (64, 64)])
def test_a_convolution_of_too_few_dimensions_is_refused(name: str, shape: tuple[int, ...]) -> None:
    state = state_of(config_from("resnet50"))
    state[name] = torch.empty(shape, device="meta")
    with pytest.raises(CheckpointError, match=f"its {name} has the shape"):
        infer_config(state)


def test_a_stem_of_another_kind_is_refused() -> None:
    state = state_of(config_from("resnet18"))
    state["conv1.weight"] = torch.empty(64, 3, 5, 5, device="meta")
    with pytest.raises(ConfigError, match="3 or 7 wide"):
        infer_config(state)
