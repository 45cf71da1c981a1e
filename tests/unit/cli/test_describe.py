"""`resnext describe`: the paper's table, and the figures as JSON."""

import json

import pytest

import resnext
from resnext.cli.describe import main
from resnext.errors import ConfigError


def test_the_table_is_drawn_as_the_paper_draws_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnext50_32x4d", "--compare", "resnet50"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for row in ("3x3, 128, C=32 │ x3", "3x3, 64 │ x3", "3x3, 1024, C=32 │ x3", "conv5 7x7"):
        assert row in text
    assert "25,028,904 25,557,032" in text
    assert "4,230,480,872 4,089,185,256" in text


def test_json_carries_the_same_names_as_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnext29_8x64d", "--num-classes", "100", "--compare", "resnet29", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    cost = resnext.count(resnext.ResNeXtConfig(**figures["config"]), 32)
    assert figures["config"]["num_classes"] == 100
    for name in ("parameters", "macs", "activations", "peak_activation_bytes"):
        assert figures[name] == getattr(cost, name)
    assert sum(layer["macs"] for layer in figures["layers"]) == figures["macs"]
    assert [other["name"] for other in figures["comparisons"]] == ["resnet29"]


def test_the_input_may_be_a_side_or_sides_or_a_shape(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = []
    for text in ("64", "64x64", "3x64x64"):
        assert main(["resnet26", "--input", text, "--json"]) == 0
        sizes.append(json.loads(capsys.readouterr().out)["macs"])
    assert len(set(sizes)) == 1
    with pytest.raises(ConfigError, match="write 224, 320x320 or 3x224x224"):
        main(["resnet26", "--input", "big"])


def test_a_baseline_stands_beside_a_resnext(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnext50_32x4d", "--compare", "vgg16_bn", "--form", "b"]) == 0
    assert "138,365,992" in capsys.readouterr().out


def test_known_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.split() == resnext.list_models()


def test_no_name_is_a_mistake_with_a_remedy() -> None:
    with pytest.raises(ConfigError, match="name a network, such as resnext50_32x4d"):
        main([])
