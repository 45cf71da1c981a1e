"""Whatever names weights leads to the same network: a run, a file, the catalogue, the Hub."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet18

import resnext
from resnext.class_lists import class_names, readable
from resnext.errors import CheckpointError, ConfigError, DownloadError
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights import source
from resnext.weights.catalogue import find_entry
from resnext.weights.fetch import cached_file
from resnext.weights.hub_file import NoSuchHubFileError, connection_error, hub_file
from resnext.weights.own_file import save_weights
from resnext.weights.source import open_weights

SMALL = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=2, num_classes=4
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def put_in_cache(
    name: str, state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Place a file as a person without a connection would; its checksum is not the published."""
    place = cached_file(find_entry(name))
    place.parent.mkdir(parents=True)
    torch.save(state, place)
    monkeypatch.setattr("resnext.weights.fetch.checksum_of", lambda _: None)


def test_our_own_file_keeps_config_and_card(tmp_path: Path) -> None:
    model = create_model(SMALL)
    card = ModelCard(classes=("a", "b", "c", "d"), image_size_px=20, interpolation="bicubic")
    save_weights(tmp_path / "w.safetensors", model, SMALL, card)
    weights = open_weights(tmp_path / "w.safetensors")
    assert (weights.config, weights.card, weights.family) == (SMALL, card, "resnext")


def test_a_catalogue_entry_brings_its_preprocessing_classes_and_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    theirs = resnet18().eval()
    put_in_cache("resnet18.imagenet1k_v1", theirs.state_dict(), monkeypatch)
    model = resnext.load("resnet18.imagenet1k_v1")
    entry, card = find_entry("resnet18.imagenet1k_v1"), model.card
    assert (card.image_size_px, card.resize_px) == (entry.image_size_px, entry.resize_px)
    assert (card.mean, card.std, card.interpolation) == (
        entry.mean,
        entry.std,
        entry.interpolation,
    )
    assert card.licence == "BSD-3-Clause"
    assert card.source == "resnet18.imagenet1k_v1"
    assert card.metrics == {"published_top1_error": entry.top1_error}
    assert readable(card.classes[0]) == "tench"
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(images), theirs(images), rtol=0, atol=1e-5)


def test_a_hub_folder_is_described_by_its_config(tmp_path: Path) -> None:
    save_file(create_model("resnet18").state_dict(), tmp_path / "model.safetensors")
    config = {
        "architecture": "resnet18",
        "num_classes": 1000,
        "pretrained_cfg": {
            "input_size": [3, 224, 224],
            "test_input_size": [3, 288, 288],
            "crop_pct": 0.95,
            "test_crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.25, 0.25, 0.25],
            "license": "apache-2.0",
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    card = open_weights(tmp_path).card
    assert (card.image_size_px, card.resize_px, card.interpolation) == (288, 288, "bicubic")
    assert (card.mean, card.std) == ((0.5,) * 3, (0.25,) * 3)
    assert card.licence == "apache-2.0"
    assert card.classes == class_names("imagenet1k")


def test_a_broken_hub_config_is_named(tmp_path: Path) -> None:
    save_file(create_model("resnet18").state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("[1, 2")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        open_weights(tmp_path)


def test_a_repository_is_opened_with_the_config_beside_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    torch.save(create_model("resnet18", num_classes=5).state_dict(), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps({"label_names": list("abcde")}))
    asked = []

    def fake(repository: str, filename: str, revision: str | None = None) -> Path:
        asked.append((repository, filename, revision))
        if not (folder / filename).exists():
            raise NoSuchHubFileError(filename)
        return folder / filename

    monkeypatch.setattr(source, "hub_file", fake)
    weights = open_weights("hf-hub:someone/network@v2")
    assert asked[0] == ("someone/network", "model.safetensors", "v2")
    assert weights.card.classes == tuple("abcde")
    assert weights.card.source == "someone/network"


def test_a_repository_of_the_catalogue_is_the_catalogues_entry() -> None:
    place = cached_file(find_entry("resnet18.a1_in1k"))
    place.parent.mkdir(parents=True)
    save_file(create_model("resnet18").state_dict(), place)
    assert open_weights("timm/resnet18.a1_in1k").card.source == "resnet18.a1_in1k"


def test_a_downloaded_file_is_recognised_by_name_and_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / find_entry("resnet18.imagenet1k_v1").filename
    torch.save(create_model("resnet18").state_dict(), path)
    assert open_weights(path).card.source == ""  # the name alone proves nothing
    monkeypatch.setattr("resnext.weights.entry_card.matches", lambda *_: True)
    assert open_weights(path).card.source == "resnet18.imagenet1k_v1"


def test_classes_of_an_entry_are_dropped_where_the_file_has_another_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = create_model("resnet18", num_classes=7).state_dict()
    put_in_cache("resnet18.imagenet1k_v1", state, monkeypatch)
    weights = open_weights("resnet18.imagenet1k_v1")
    assert (weights.config.num_classes, weights.card.classes) == (7, ())


def test_the_file_of_an_entry_must_hold_the_entrys_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in_cache("resnet18.imagenet1k_v1", create_model("resnet34").state_dict(), monkeypatch)
    with pytest.raises(CheckpointError, match=r"contains resnet34, but resnet18\.imagenet1k_v1 is"):
        open_weights("resnet18.imagenet1k_v1")


def test_a_backbone_opens_but_does_not_predict(tmp_path: Path) -> None:
    state = create_model("resnet18").state_dict()
    del state["fc.weight"], state["fc.bias"]
    torch.save(state, tmp_path / "w.pth")
    assert not open_weights(tmp_path / "w.pth").has_head
    with pytest.raises(CheckpointError, match=r"no classifier.*resnext train"):
        resnext.load(tmp_path / "w.pth")


@pytest.mark.slow
def test_a_misfit_lists_what_is_wrong_and_the_nearest_network(tmp_path: Path) -> None:
    state = create_model("resnext50_32x4d").state_dict()
    del state["layer3.2.bn1.weight"]
    state["layer2.1.conv1.weight"] = state["layer2.1.conv1.weight"][:100]
    state["layer1.0.se.fc1.weight"] = torch.zeros(3)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(CheckpointError) as caught:
        open_weights(tmp_path / "w.pth")
    message = str(caught.value)
    assert "resnext50_32x4d" in message
    assert "missing: layer3.2.bn1.weight" in message
    assert "extra: layer1.0.se.fc1.weight" in message
    assert "layer2.1.conv1.weight is 100x512x1x1 instead of 256x512x1x1" in message


def test_names_that_lead_nowhere_say_what_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"similar names are resnext50_32x4d\."):
        open_weights("resnext50_32x4d.a9")
    with pytest.raises(ConfigError, match=r"no such file or folder here; no published weights"):
        open_weights("nowhere")
    with pytest.raises(CheckpointError, match="no such file or folder"):
        open_weights("nothing.pth")
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="no such file or folder"):
        open_weights("runs/demo")
    with pytest.raises(ConfigError, match="OWNER/NAME"):
        open_weights("hf-hub:nonsense")


def test_a_repository_that_cannot_be_reached_is_a_download_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="cannot be reached"):
        open_weights("someone/network")


def test_the_case_of_a_name_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_cache("resnet18.imagenet1k_v1", create_model("resnet18").state_dict(), monkeypatch)
    assert open_weights("ResNet18.ImageNet1K_V1").card.source == "resnet18.imagenet1k_v1"


def test_a_guess_is_told_as_a_guess(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.save(create_model(SMALL).state_dict(), tmp_path / "w.pth")
    weights = open_weights(tmp_path / "w.pth")
    assert "neither classes nor preprocessing" in caplog.text
    assert "short side resized to" in caplog.text
    assert "mean (0.485, 0.456, 0.406)" in caplog.text
    assert not weights.is_described
    assert (weights.card.image_size_px, weights.card.resize_px) == (32, None)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "x", ignore_errors=True)
    (tmp_path / "x").mkdir()
    with pytest.raises(CheckpointError, match=r"best\.safetensors"):
        open_weights(tmp_path / "x")


def test_a_repository_name_that_the_hub_refuses_is_told() -> None:
    with pytest.raises(DownloadError, match="me/my--network"):
        hub_file("me/my--network", "model.safetensors")


def test_a_connection_that_breaks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(connection_error()):  # type: ignore[misc]  # of the installed version
        def __init__(self) -> None:
            Exception.__init__(self)

    def break_off(*_: object, **__: object) -> None:
        raise Broken

    monkeypatch.setattr("huggingface_hub.hf_hub_download", break_off)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", break_off)
    with pytest.raises(
        DownloadError, match=r"me/network: the download of model\.safetensors was .*Broken"
    ):
        hub_file("me/network", "model.safetensors")
