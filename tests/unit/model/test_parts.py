"""Registered parts in configs, names, modules and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from own_parts import page_files
from torch import nn

import resnext
from resnext import plugins
from resnext.errors import CheckpointError, ConfigError, PluginError
from resnext.model import registry
from resnext.model.blocks import GroupedBottleneck
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.config import config_from as config_of_file
from resnext.model.names import config_from, name_of, parse_name
from resnext.model.parts import BlockPart
from resnext.model.registry import accept_missing, register
from resnext.weights.own_file import read_weights, save_weights

__all__ = ["page_files"]


@pytest.fixture(autouse=True)
def _load(page_files: Path) -> None:
    resnext.load_plugin(page_files / "se.py")
    resnext.load_plugin(page_files / "parts.py")


def se(name: str = "resnext_1-1_2x4d_cifar_se", **changes: Any) -> ResNeXtConfig:
    config = config_from(name, **changes)
    assert isinstance(config, ResNeXtConfig)
    return config


@pytest.mark.parametrize(
    "name",
    [
        "resnext50_32x4d_se",
        "resnet101_averaged",
        "resnext29_8x64d_se_deep_averaged",
        "resnext101_32x4d_cifar_deep",
        "resnext_2-1-2-2_8x4d_se",
        "resnext_2-2_8x4d_cifar_averaged",
    ],
)
def test_a_name_with_parts_is_read_and_written(name: str) -> None:
    config = parse_name(name)
    assert name_of(config) == name
    assert {part.name for part in config.parts} == {  # type: ignore[union-attr]
        word for word in name.split("_") if word in ("se", "deep", "averaged")
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("resnext50_32x4d_sf", "nothing is registered as 'sf'.*--plugin"),
        ("resnet18_se", "depth 18 is for blocks with 2 layers, and 'se' has 3"),
        ("resnet_2-2_basic_se", "_basic and _se are both a block"),
        ("resnet50_se_se", "'se' and 'se' are both a block"),
    ],
)
def test_a_name_that_no_part_makes_good_is_refused(name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_name(name)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"block": "sf"}, "block='sf': no block is registered as 'sf'; accepted are bottleneck, "),
        ({"stem": "se"}, "no stem is registered as 'se'; accepted are imagenet, cifar, deep"),
        ({"block": {"name": "se", "ratio": 4}}, "'se': ratio: no such setting"),
        ({"block": {"name": "se", "reduction": 0}}, "'se': reduction=0: .* greater"),
        ({"block": {"reduction": 4}}, "give bottleneck, basic, se, or a group of settings"),
        ({"block": 3}, "give bottleneck, basic, se, or a group of settings"),
        ({"form": "a"}, "form='a': .* 'se' has one, so use form='c'"),
    ],
)
def test_wrong_settings_are_explained(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        se(**changes)


def test_a_config_is_the_same_after_json_and_keeps_all_settings_of_a_part() -> None:
    config = se(block={"name": "se", "reduction": 4}, stem="deep")
    assert json.loads(config.model_dump_json(exclude_defaults=True)).keys() >= {"block", "stem"}
    stored = json.loads(config.model_dump_json())
    assert stored["block"] == {"name": "se", "plugin": "se.py", "reduction": 4}
    assert stored["stem"] == {"name": "deep", "plugin": "parts.py"}
    assert config_of_file(stored) == config
    assert hash(config_of_file(stored)) == hash(config)


def test_networks_without_parts_are_stored_as_before() -> None:
    assert config_from("resnext50_32x4d").model_dump()["block"] == "bottleneck"


def test_a_part_may_choose_depth_and_widths() -> None:
    @register("thin")
    class Thin(BlockPart):
        num_layers = 2
        first_width = 32

        def build(self, *_: Any) -> Any: ...

        def count(self, *_: Any) -> Any: ...

    config = se("resnet18_thin")
    assert (config.depth, config.stage_widths) == (18, (32, 64, 128, 256))
    assert name_of(config) == "resnet18_thin"


def test_a_network_with_parts_has_the_strides_and_maps_that_it_says() -> None:
    model = resnext.create_model(se("resnext_1-1_2x4d_cifar_se_deep_averaged", stem_width=8))
    maps = model.features(torch.zeros(1, 3, 9, 9))
    assert [tuple(x.shape[2:]) for x in maps.values()] == [(5, 5), (3, 3)]
    assert model.feature_info.reduction() == [2, 2, 4]  # of the stem, and of each stage


def test_zero_initialisation_makes_a_registered_block_its_shortcut() -> None:
    model = resnext.create_model(se(zero_init_residual=True))
    assert not model.layer1[0].bn3.weight.any()  # type: ignore[union-attr,index]


def test_every_value_is_drawn_from_the_seed() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(resnext.create_model(se()).state_dict())
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name
        assert tensor.isfinite().all(), name


def test_a_value_that_nothing_draws_is_refused() -> None:
    class Scaled(GroupedBottleneck):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.scale = nn.Parameter(torch.ones(1))

    @register("scaled")
    class ScaledPart(BlockPart):
        def build(self, *arguments: Any) -> Scaled:
            return Scaled(*arguments)

        def count(self, *_: Any) -> Any: ...

    with pytest.raises(ConfigError, match=r"Scaled has scale but no reset_parameters"):
        resnext.create_model("resnext_1_2x4d_cifar_scaled")


def test_layers_that_only_parts_have_are_drawn_too() -> None:
    class Extra(GroupedBottleneck):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.extra = nn.Conv2d(4, 4, 1)
            self.group = nn.GroupNorm(2, 4)
            self.mix = nn.Linear(4, 4, bias=False)

    @register("extra")
    class ExtraPart(BlockPart):
        def build(self, *arguments: Any) -> Extra:
            return Extra(*arguments)

        def count(self, *_: Any) -> Any: ...

    torch.manual_seed(0)
    state = resnext.create_model("resnext_1_2x4d_cifar_extra").state_dict()
    assert not state["layer1.0.extra.bias"].any()
    assert state["layer1.0.group.weight"].eq(1).all()
    limit = 1 / 4**0.5
    assert 0 < state["layer1.0.mix.weight"].abs().max() <= limit


def test_weights_come_back_with_their_part(tmp_path: Path) -> None:
    config = se(block={"name": "se", "reduction": 4})
    model = resnext.create_model(config)
    save_weights(tmp_path / "w.safetensors", model, config, ModelCard())
    loaded = resnext.load(tmp_path / "w.safetensors")
    image = torch.rand(1, 3, 16, 16)
    assert loaded.config == config
    assert torch.equal(loaded(image), model.eval()(image))


def test_a_file_of_a_missing_plugin_is_refused_and_imports_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = se()
    (tmp_path / "se.py").write_text("raise SystemExit('imported')")
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(plugins, "_loaded", {})
    save_weights(tmp_path / "w.safetensors", resnext.create_model(config), config, ModelCard())
    monkeypatch.setattr(registry, "_parts", {})
    with pytest.raises(
        CheckpointError, match=r"block 'se' of plugin 'se.py', which is not registered"
    ):
        read_weights(tmp_path / "w.safetensors")


def test_an_exported_network_is_described_without_its_plugin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = json.loads(se("resnext_1-1_2x4d_se_deep_averaged").model_dump_json())
    monkeypatch.setattr(registry, "_parts", {})
    with accept_missing():
        config = config_of_file(stored)
    assert json.loads(config.model_dump_json()) == stored
    assert name_of(config) == "resnext_1-1_2x4d_se_deep_averaged"
    with pytest.raises(PluginError, match="'deep' is not registered"):
        resnext.create_model(config)


@pytest.mark.parametrize("name", ["SE", "s_e", "basic", "4x4d", "", "none", "x" * 31])
def test_a_name_that_cannot_be_told_from_others_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="give a letter followed by"):
        register(name)


def test_two_parts_cannot_have_one_name_nor_settings_of_our_names() -> None:
    class Other(BlockPart):
        size: int = 1

    with pytest.raises(ConfigError, match="registered twice"):
        register("se")(Other)  # type: ignore[type-abstract]

    with pytest.warns(UserWarning, match="shadows"):

        class Named(BlockPart):
            name: str = "x"  # type: ignore[misc]

    with pytest.raises(ConfigError, match="rename its setting 'name'"):
        register("named")(Named)  # type: ignore[type-abstract]
    with pytest.raises(ConfigError, match="is not a part"):
        register("module")(nn.Module)  # type: ignore[type-var]
