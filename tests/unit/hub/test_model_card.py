"""The model card tells what is known, and names what is not."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hub_networks import CARD, CIFAR, ODD, made_run, random_network, write_evaluation
from huggingface_hub import ModelCard, ModelCardData
from PIL import Image

from resnext.complexity.count import count
from resnext.hub.metadata import metadata_of
from resnext.hub.origin import Origin
from resnext.hub.published import Published
from resnext.hub.save import save_pretrained
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.names import parse_name


class Card(NamedTuple):
    text: str
    data: ModelCardData


def card_of(folder: Path) -> Card:
    card = ModelCard.load(folder / "README.md")
    assert isinstance(card.data, ModelCardData)
    return Card(card.text, card.data)


def test_a_run_shows_config_cost_data_recipe_error_and_curves(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", seed=31, label_smoothing=0.125)
    write_evaluation(run, 12.5)
    out = save_pretrained(run, tmp_path / "out", licence="Apache-2.0")
    card = card_of(out)
    sections = [line[3:] for line in card.text.splitlines() if line.startswith("## ")]
    assert sections == [
        *("Architecture", "Cost", "Data", "Recipe", "Measured error"),
        *("Curves", "How to use", "Limits"),
    ]
    cost = count(CIFAR.replace(in_channels=1), 56)
    for text in (f"{cost.parameters:,}", f"{cost.macs:,}", "| seed | 31 |", "smoothing | 0.125"):
        assert text in card.text
    assert "| letters | val | 80 | 12.50 % | 1.25 % |" in card.text
    assert "crop and mirror of 56 px after a resize to 64" in card.text
    assert "classes, in the order of the outputs: a, b, c, d, e, f, g" in card.text
    with Image.open(out / "curves.png") as picture:
        assert picture.size[0] > picture.size[1] > 200


def test_the_hubs_metadata_hold_licence_library_and_results(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    write_evaluation(run, 12.5)
    data = card_of(save_pretrained(run, tmp_path / "out", licence="Apache-2.0", title="T")).data
    assert (data.license, data.library_name) == ("apache-2.0", "resnext")
    assert data.pipeline_tag == "image-classification"
    assert data.model_name == "T"
    results = {result.metric_name: result for result in data.eval_results or []}
    assert results["Top-1 accuracy"].metric_value == 1 - 0.125
    assert results["Top-5 accuracy"].metric_value == 1 - 0.0125
    assert results["Top-1 accuracy"].dataset_split == "val"


def test_a_network_of_timms_is_filed_under_timm(tmp_path: Path) -> None:
    data = card_of(save_pretrained(random_network(ODD), tmp_path / "out")).data
    assert data.library_name == "timm"
    assert "timm" in (data.tags or [])


@pytest.mark.parametrize(("family", "tag"), [("vgg16_bn", "vgg"), ("inception_v3", "inception")])
def test_a_baseline_is_filed_under_its_own_kind(family: Any, tag: str) -> None:
    published = Published(BaselineConfig(family=family), {}, CARD)
    tags = yaml.safe_load(metadata_of(published, "T", [], Origin()))["tags"]
    assert tag in tags
    assert "resnext" not in tags


def test_a_licence_that_the_hub_does_not_list_is_named(tmp_path: Path) -> None:
    out = save_pretrained(random_network(CIFAR), tmp_path / "out", licence="Zoo-1.0")
    data = card_of(out).data
    assert (data.license, data.license_name) == ("other", "Zoo-1.0")


def test_nothing_is_invented_for_bare_weights(tmp_path: Path) -> None:
    card = card_of(save_pretrained(random_network(CIFAR), tmp_path / "out"))
    assert "## Recipe" not in card.text
    assert "## Measured error" not in card.text
    assert "No error is known" in card.text
    assert "No licence was stated" in card.text
    assert card.data.eval_results is None
    assert card.data.license is None


def test_published_figures_are_told_as_published(tmp_path: Path) -> None:
    card = CARD.replace(source="zoo.a", metrics={"published_top1_error": 21.5})
    text = card_of(save_pretrained(random_network(CIFAR, card), tmp_path / "out")).text
    assert "21.50 % | not known | by the publisher of zoo.a; not measured again" in text


def test_an_evaluation_of_earlier_weights_is_not_told(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    write_evaluation(run, 40.0)  # the weights say 12.5
    text = card_of(save_pretrained(run, tmp_path / "out")).text
    assert "40.00 %" not in text
    assert "| letters | val | not known | 12.50 % |" in text


@pytest.mark.slow
def test_choosing_the_epoch_on_the_validation_images_is_a_limit(tmp_path: Path) -> None:
    chosen = card_of(save_pretrained(made_run(tmp_path / "a"), tmp_path / "out-a"))
    last = card_of(save_pretrained(made_run(tmp_path / "b", keep="last"), tmp_path / "out-b"))
    assert "a little too good" in " ".join(chosen.text.split())
    assert "a little too good" not in " ".join(last.text.split())


def test_the_weights_that_training_started_from_are_named_with_their_licence(
    tmp_path: Path,
) -> None:
    start = Path("resnext101_32x8d.fb_wsl_ig1b_ft_in1k")
    card = card_of(save_pretrained(made_run(tmp_path / "run", weights=start), tmp_path / "out"))
    assert f"started from {start}, which is under CC-BY-NC-4.0" in card.text
    assert card.data.base_model == f"timm/{start}"


@pytest.mark.slow
def test_no_path_of_this_machine_is_published(tmp_path: Path) -> None:
    weights = tmp_path / "elsewhere" / "start.safetensors"
    out = save_pretrained(made_run(tmp_path / "run", weights=weights), tmp_path / "out")
    for name in ("README.md", "config.yaml", "config.json"):
        assert str(tmp_path) not in (out / name).read_text(encoding="utf-8")
    settings = yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8"))
    assert (settings["data"]["root"], settings["weights"]) == ("letters", "start.safetensors")


@pytest.mark.parametrize(
    ("config", "call"),
    [
        (parse_name("resnet18").replace(num_classes=7), "models.resnet18(num_classes=7)"),
        (
            parse_name("resnext14_2x40d").replace(num_classes=7),
            "resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], groups=2, width_per_group=40, "
            "num_classes=7)",
        ),
    ],
)
def test_torchvisions_call_is_shown_where_it_has_the_network(
    config: ResNeXtConfig, call: str, tmp_path: Path
) -> None:
    assert call in card_of(save_pretrained(random_network(config), tmp_path / "out")).text


@pytest.mark.parametrize("config", [ODD, CIFAR])
def test_torchvisions_call_is_not_shown_for_others(config: ResNeXtConfig, tmp_path: Path) -> None:
    text = card_of(save_pretrained(random_network(config), tmp_path / "out")).text
    assert "torchvision" not in text


def test_names_with_markup_stay_in_their_place(tmp_path: Path) -> None:
    card = CARD.replace(classes=("a|b", "<script>", "c`d", *"defg"))
    text = card_of(save_pretrained(random_network(CIFAR, card), tmp_path / "out")).text
    assert "a\\|b, &lt;script&gt;, c\\`d" in text
