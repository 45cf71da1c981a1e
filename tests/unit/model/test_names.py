"""Names are read and written in one grammar, and a wrong one is answered with good ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.names import config_from, list_models, name_of, parse_name


@pytest.mark.parametrize(
    ("name", "stem", "stages", "cardinality", "width"),
    [
        ("resnext50_32x4d", "imagenet", (3, 4, 6, 3), 32, 4),
        ("resnext101_64x4d", "imagenet", (3, 4, 23, 3), 64, 4),
        ("resnet101_1x100d", "imagenet", (3, 4, 23, 3), 1, 100),
        ("resnet152", "imagenet", (3, 8, 36, 3), 1, 64),
        ("resnet200", "imagenet", (3, 24, 36, 3), 1, 64),
        ("resnext26_32x4d", "imagenet", (2, 2, 2, 2), 32, 4),
        ("resnext29_16x64d", "cifar", (3, 3, 3), 16, 64),
        ("resnext29_16x64d_cifar", "cifar", (3, 3, 3), 16, 64),
        ("resnext101_8x64d_cifar", "cifar", (11, 11, 11), 8, 64),
        ("resnet164", "cifar", (18, 18, 18), 1, 64),
        ("resnext_2-2-2-2_8x4d", "imagenet", (2, 2, 2, 2), 8, 4),
        ("resnext_1-1-1_8x8d_cifar", "cifar", (1, 1, 1), 8, 8),
        ("resnext_5_3x7d", "imagenet", (5,), 3, 7),
        (" ResNeXt50_32x4D ", "imagenet", (3, 4, 6, 3), 32, 4),
    ],
)
def test_a_name_gives_stem_stages_and_template(
    name: str, stem: str, stages: tuple[int, ...], cardinality: int, width: int
) -> None:
    config = parse_name(name)
    assert isinstance(config, ResNeXtConfig)
    assert (config.stem, config.blocks_per_stage) == (stem, stages)
    assert (config.cardinality, config.bottleneck_width) == (cardinality, width)
    assert config.block == "bottleneck"
    assert config.num_classes == (1000 if stem == "imagenet" else 10)


@pytest.mark.parametrize(("name", "stages"), [("resnet18", (2,) * 4), ("resnet34", (3, 4, 6, 3))])
def test_the_shallow_resnets_have_basic_blocks(name: str, stages: tuple[int, ...]) -> None:
    assert parse_name(name) == ResNeXtConfig(
        blocks_per_stage=stages, block="basic", cardinality=1, bottleneck_width=64
    )


@pytest.mark.parametrize("name", list_models())
def test_listed_names_are_canonical(name: str) -> None:
    assert name_of(parse_name(name)) == name


@given(
    st.sampled_from(["imagenet", "cifar"]),
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.integers(1, 128),
    st.integers(1, 128),
    st.booleans(),
)
def test_a_config_survives_being_written_as_a_name(
    stem: str, stages: list[int], cardinality: int, width: int, basic: bool
) -> None:
    config = ResNeXtConfig().replace(
        stem=stem,
        blocks_per_stage=tuple(stages),
        cardinality=1 if basic else cardinality,
        bottleneck_width=width,
        block="basic" if basic else "bottleneck",
        num_classes=1000 if stem == "imagenet" else 10,
    )
    assert parse_name(name_of(config)) == config


@given(st.integers(1, 30), st.sampled_from(["", "_cifar"]))
def test_cifar_depths_are_9n_plus_2(num_blocks: int, suffix: str) -> None:
    depth = 9 * num_blocks + 2
    if depth in (101, 200):
        suffix = "_cifar"
    config = parse_name(f"resnext{depth}_8x64d{suffix}")
    assert isinstance(config, ResNeXtConfig)
    assert config.blocks_per_stage == (num_blocks,) * 3
    assert config.depth == depth


@pytest.mark.parametrize(
    ("short", "family"), [("vgg16", "vgg16_bn"), ("vgg19", "vgg19_bn"), ("vgg19_bn", "vgg19_bn")]
)
def test_vgg_means_the_one_with_bn(short: str, family: str) -> None:
    config = parse_name(short)
    assert isinstance(config, BaselineConfig)
    assert config.family == name_of(config) == family


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnxt50_32x4d", r"similar valid names are resnext50_32x4d"),
        ("resnext50", r"needs cardinality and width; .*resnext50_"),
        ("resnet50_32x4d", r"a ResNet has cardinality 1; use 'resnext50_32x4d'"),
        ("resnext51_32x4d", r"depth 51 is neither one of 14, 18, .* nor 9n\+2"),
        ("resnext50_32x4d_cifar", r"written as _3-4-6-3_\.\.\._cifar"),
        ("resnet18_cifar", r"written as _2-2-2-2_\.\.\._basic_cifar"),
        ("resnext2_8x64d", r"depth 2 is neither"),
        ("resnext_2-0-2_8x4d", r"no network has this name"),
        ("resnet50_basic", r"_basic belongs to an explicit list of stages"),
        ("vgg16_nb", r"similar valid names are vgg16_bn"),
        ("inception", r"inception_v3"),
        ("", r"no network has this name"),
        ("swin_t", r"Names are resnext<depth>_<C>x<d>d"),
    ],
)
def test_a_wrong_name_is_answered_with_the_reason_and_good_names(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_name(name)
    assert repr(name) in str(caught.value)
    assert "Names are" in str(caught.value)


def test_two_layer_blocks_with_cardinality_are_refused_with_the_papers_reason() -> None:
    with pytest.raises(ConfigError, match="only a wider dense block"):
        parse_name("resnext18_32x4d")


def test_overrides_change_a_named_config() -> None:
    config = config_from("resnext29_8x64d", num_classes=100, form="a")
    assert isinstance(config, ResNeXtConfig)
    assert (config.num_classes, config.form, config.template) == (100, "a", "8x64d")
    assert config_from(config) is config
