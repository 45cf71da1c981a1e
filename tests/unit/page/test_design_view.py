import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.complexity.count import count
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from
from resnext.page.block_drawing import draw_block
from resnext.page.config_file import config_text
from resnext.page.design_view import describe_form, show
from resnext.page.network_drawing import draw_network
from resnext.page.settings_form import Entered, known_names, named_network
from resnext.page.svg import TIMES
from resnext.runs.folder import read_config

SVG = "{http://www.w3.org/2000/svg}"


def network(name: str, **changes: object) -> ResNeXtConfig:
    return named_network(name).replace(**changes)


def texts(svg: str) -> list[str]:
    return [
        (element.text or "").replace(TIMES, "x")
        for element in ElementTree.fromstring(svg).iter(f"{SVG}text")
    ]


def boxes(svg: str) -> int:
    return sum(r.get("class") == "box" for r in ElementTree.fromstring(svg).iter(f"{SVG}rect"))


def alter(entered: Entered, **changes: object) -> Entered:
    return dataclasses.replace(entered, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", known_names())
def test_what_is_shown_of_a_network_is_entered_as_the_same_network(name: str) -> None:
    config = named_network(name)
    entered = Entered.of(config)
    assert entered.network() == config
    assert Entered(*entered.values()) == entered


@settings(deadline=None, max_examples=25)
@given(
    stages=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    cardinality=st.integers(1, 64),
    width=st.integers(1, 64),
    form=st.sampled_from("abc"),
    stem=st.sampled_from(["imagenet", "cifar"]),
    size=st.integers(1, 300),
)
def test_the_totals_shown_are_the_counted_ones(
    stages: list[int], cardinality: int, width: int, form: str, stem: str, size: int
) -> None:
    config = ResNeXtConfig(
        blocks_per_stage=tuple(stages),
        cardinality=cardinality,
        bottleneck_width=width,
        form=form,
        stem=stem,
    )
    (view,), table = show([Entered.of(config, size)])
    cost = count(config, size)
    for figure in (cost.parameters, cost.macs, cost.activations):
        assert f">{figure:,}<" in view.details
        assert f"<td>{figure:,}</td>" in table


def test_the_paper_s_first_table_stands_side_by_side() -> None:
    _, table = show([Entered.of(network("resnet50")), Entered.of(network("resnext50_32x4d"))])
    for cell in (
        "25,557,032",
        "25,028,904",
        "4,089,185,256",
        "4,230,480,872",
        "C=32",
        "56x56",
        "softmax",
    ):
        assert cell in table.replace(TIMES, "x")
    assert table.count('class="bracket"') == 2 * 4
    assert table.replace(TIMES, "x").count("<span>x6</span>") == 2  # the six blocks of conv4


def test_figure_3_is_drawn_in_its_three_forms() -> None:
    a, b, c = (draw_block(network("resnext50_32x4d", form=form), "x") for form in "abc")
    assert texts(a).count("256, 1x1, 4") == texts(a).count("4, 1x1, 256") == 3
    assert "32 paths" in texts(a)
    assert boxes(a) == 9
    assert texts(b).count("4, 3x3, 4") == 3
    assert "concatenate" in texts(b)
    assert "128, 1x1, 256" in texts(b)
    assert boxes(b) == 7
    assert [t for t in texts(c) if "x" in t] == [
        "256, 1x1, 128",
        "128, 3x3, 128, groups = 32",
        "128, 1x1, 256",
    ]


def test_the_forms_are_explained_where_they_are_chosen() -> None:
    a, b, c = (describe_form(network("resnext50_32x4d", form=form)) for form in "abc")
    assert "32 paths" in a
    assert "summed" in a
    assert "concatenated" in b
    assert "32 groups" in c
    for form, text in (("a", a), ("b", b), ("c", c)):
        (view,), _ = show([Entered.of(network("resnext50_32x4d", form=form))])
        assert f"<p>{text}</p>" in view.block
    assert "One path" in describe_form(network("resnet50"))
    assert describe_form(network("resnet18")) == ""


def test_networks_that_differ_in_their_form_alone_are_called_the_same_function() -> None:
    a, c, wider = (
        Entered.of(network(name, form=form))
        for name, form in (("resnext50_32x4d", "a"), ("resnext50_32x4d", "c"), ("resnet50", "c"))
    )
    assert "A (a) and B (c) compute the same function" in show([a, c])[1]
    for others in ([a, a], [a, wider], [c, wider], [a], [a, alter(c, num_classes=7)]):
        assert "same function" not in show(others)[1]


def test_few_paths_are_all_drawn() -> None:
    svg = draw_block(network("resnext50_2x40d", form="a"), "x")
    assert boxes(svg) == 2 * 3
    assert not any("paths" in text for text in texts(svg))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "identity"),
        ({"shortcut": "C"}, "projection"),
        ({"shortcut": "none"}, "no shortcut"),
        ({"blocks_per_stage": (1,), "shortcut": "A"}, "zero-padded"),
    ],
)
def test_the_shortcut_is_drawn_as_it_is(changes: dict[str, object], told: str) -> None:
    svg = draw_block(network("resnext50_32x4d", **changes), "x")
    told = {"projection": "projected"}.get(told, told)
    assert any(told in text for text in texts(svg))
    assert (">+<" in svg) == (told != "no shortcut")


def test_the_network_is_drawn_with_the_sizes_of_its_maps() -> None:
    config = network("resnext29_8x64d")
    shown = texts(draw_network(config, count(config), "x"))
    assert [text for text in shown if "x" in text and ":" not in text] == [
        "3x32x32",
        "64x32x32",
        "256x32x32",
        "512x16x16",
        "1024x8x8",
    ]
    assert "conv3: 3 blocks" in shown


@pytest.mark.parametrize("name", ["resnext50_32x4d", "resnext29_16x64d", "resnet18"])
def test_the_downloaded_file_is_what_training_reads(name: str, tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text(config_text(network(name)), encoding="utf-8")
    assert read_config(file).model == config_from(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cardinality": None}, "cardinality: the field is empty"),
        ({"cardinality": 0}, "cardinality: 0 is not a whole number from 1"),
        ({"width": 2.5}, "width: 2.5 is not a whole number"),
        ({"width": float("nan")}, "width: nan is not"),
        ({"input_size": 1e9}, "input size: 1,000,000,000 is not"),
        ({"blocks": "3-4-x"}, "write 3-4-6-3"),
        ({"blocks": ""}, "not a list of whole numbers"),
        ({"blocks": "3-0-3"}, "greater than 0"),
        ({"blocks": "400-400"}, "exceed the page limit of 500"),
        ({"blocks": "1-1-1-1-1-1-1-1-1"}, "at most 8 stages"),
        ({"block": "basic"}, "use block=&#x27;bottleneck&#x27; or cardinality=1"),
        ({"form": "d"}, "form=&#x27;d&#x27;"),
    ],
)
def test_a_wrong_setting_is_told_and_the_other_network_stays(
    changes: dict[str, object], message: str
) -> None:
    good = Entered.of(network("resnext50_32x4d"))
    (wrong, right), table = show([alter(good, **changes), good])
    assert message in wrong.details
    assert 'role="alert"' in wrong.details
    assert wrong.block == ""
    assert "25,028,904" in right.details
    assert table.count("25,028,904") == 1


@pytest.mark.parametrize("name", ["", None, "resnext50", "vgg16_bn", "<b>", "resnet_600_1x64d"])
def test_a_name_that_is_none_is_told(name: str | None) -> None:
    accepted = "name|choose a ResNet|page limit of 500"
    with pytest.raises(ConfigError, match=re.compile(accepted)):
        named_network(name)


def test_what_a_person_wrote_is_text_not_markup() -> None:
    good = Entered.of(network("resnext50_32x4d"))
    (wrong,), table = show([alter(good, blocks="<script>alert(1)</script>")])
    assert "<script" not in wrong.details
    assert table == ""


@pytest.mark.parametrize(
    "name",
    [
        "resnet1000000001",
        "resnext1000000001_32x4d",
        "resnext29_1000000000x64d",
        "resnext29_8x1000000000d",
        "resnext_9999999-1_1x1d",
        "resnext_" + "-".join(["1"] * 900) + "_1x1d",
        "resnext_1-1_1x" + "9" * 1900 + "d",
        "resnext50_" + "9" * 80 + "x4d",
        "resnext_500-1_1024x1024d",
        "²",
        "resnext_٣-٣_1x1d",
    ],
)
def test_a_name_of_a_huge_network_or_none_is_refused_before_any_work(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnext.complexity.count.count", None)
    with pytest.raises(ConfigError) as caught:
        named_network(name)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("form", ["a", "b"])
def test_paths_that_are_counted_one_by_one_are_bounded(form: str) -> None:
    wide = dataclasses.replace(Entered.of(network("resnext50_32x4d")), cardinality=1024)
    assert "<h3>" in show([wide])[0][0].details
    (view,), table = show([alter(wide, form=form)])
    assert "16,384 paths in all blocks exceed the page limit of 10,000" in view.details
    assert table == ""
