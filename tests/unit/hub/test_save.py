"""What `save_pretrained` writes opens again, bit for bit, and never replaces by accident."""

import json
from pathlib import Path

import pytest
import torch
from hub_networks import CARD, CIFAR, ODD, made_run, random_network
from torch import nn

import resnext
from resnext.errors import CheckpointError, ConfigError, PublishError
from resnext.hub import save
from resnext.hub.save import save_pretrained
from resnext.model.convert import convert_form
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.weights.catalogue import find_entry
from resnext.weights.fetch import cached_file
from resnext.weights.own_file import save_weights


def assert_same(found: TrainedNetwork, state: dict[str, torch.Tensor]) -> None:
    found_state = found.module.state_dict()
    assert found_state.keys() == state.keys()
    assert all(torch.equal(found_state[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize("config", [ODD, CIFAR, CIFAR.replace(preactivation=True, shortcut="C")])
def test_a_network_comes_back_with_the_same_bits_config_and_card(
    config: resnext.ResNeXtConfig, tmp_path: Path
) -> None:
    model = random_network(config)
    found = resnext.load(save_pretrained(model, tmp_path / "out"))
    assert_same(found, model.module.state_dict())
    assert [found.config, found.card] == [config, CARD]


@pytest.mark.parametrize("form", ["a", "b"])
def test_separate_paths_leave_as_one_grouped_convolution(form: str, tmp_path: Path) -> None:
    model = random_network(ODD.replace(form=form))
    found = resnext.load(save_pretrained(model, tmp_path / "out"))
    assert found.config == ODD
    assert isinstance(model.config, resnext.ResNeXtConfig)
    assert_same(found, convert_form(model.module.state_dict(), model.config, to="c"))


def test_runs_files_and_folders_are_sources_too(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    first = save_pretrained(run, tmp_path / "first")
    second = save_pretrained(str(run / "best.safetensors"), tmp_path / "second")
    third = save_pretrained(first, tmp_path / "third")
    state = resnext.load(run).module.state_dict()
    for folder in (first, second, third):
        assert_same(resnext.load(folder), state)
    assert sorted(path.name for path in first.iterdir()) == sorted(save.FILES)
    assert sorted(path.name for path in second.iterdir()) == sorted(save.FILES[:3])


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(PublishError, match="is not empty"):
        save_pretrained(random_network(CIFAR), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(PublishError, match="is not a folder"):
        save_pretrained(random_network(CIFAR), tmp_path / "out", overwrite=True)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert resnext.load(save_pretrained(random_network(CIFAR), tmp_path / "out")).config == CIFAR


def test_overwriting_replaces_our_files_and_no_others(tmp_path: Path) -> None:
    out = save_pretrained(made_run(tmp_path / "run"), tmp_path / "out")
    (out / ".git").mkdir()
    (out / "notes.txt").write_text("mine")
    save_pretrained(random_network(ODD), out, overwrite=True)
    names = {path.name for path in out.iterdir()}
    assert names == {*save.FILES[:3], ".git", "notes.txt"}  # curves and settings were the run's
    assert resnext.load(out).config == ODD


def test_a_failure_in_the_middle_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(save, "write_card", fail)
    with pytest.raises(PublishError, match="No space left"):
        save_pretrained(random_network(CIFAR), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_another_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Linear has no \.config"):
        save_pretrained(nn.Linear(2, 2), tmp_path / "out")


@pytest.mark.slow
def test_a_wrapped_network_is_refused_rather_than_saved_under_other_names(tmp_path: Path) -> None:
    wrapped = torch.compile(random_network(CIFAR).module)
    with pytest.raises(ConfigError, match=r"before torch\.compile"):
        save_pretrained(wrapped, tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_catalogue_entry_keeps_its_licence_classes_and_published_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("resnext.weights.fetch.checksum_of", lambda _: None)
    place = cached_file(find_entry("resnet18.imagenet1k_v1"))
    place.parent.mkdir(parents=True)
    torch.save(create_model("resnet18").state_dict(), place)
    out = save_pretrained("resnet18.imagenet1k_v1", tmp_path / "out")
    described = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert described["architecture"] == "resnet18"
    assert described["label_names"][0] == "n01440764"  # the tench, ImageNet's first class
    assert described["pretrained_cfg"]["license"] == "BSD-3-Clause"
    text = (out / "README.md").read_text(encoding="utf-8")
    assert "by the publisher of resnet18.imagenet1k_v1; not measured again" in text
    assert "license: bsd-3-clause" in text


def test_a_card_for_other_channels_is_refused(tmp_path: Path) -> None:
    model = random_network(CIFAR.replace(in_channels=1))
    with pytest.raises(ConfigError, match=r"card\.mean.*3 value.*1 channel"):
        save_pretrained(model, tmp_path / "out")


def test_a_card_for_other_classes_is_refused(tmp_path: Path) -> None:
    model = random_network(CIFAR, CARD.replace(classes=("a", "b")))
    with pytest.raises(ConfigError, match=r"2 classes.*7 outputs"):
        save_pretrained(model, tmp_path / "out")


def test_weights_without_a_classifier_are_refused(tmp_path: Path) -> None:
    state = random_network(ODD).module.state_dict()
    state = {k: v for k, v in state.items() if not k.startswith("fc.")}
    torch.save(state, tmp_path / "headless.pth")
    with pytest.raises(CheckpointError, match="no classifier"):
        save_pretrained(tmp_path / "headless.pth", tmp_path / "out")


def test_a_given_licence_takes_the_place_of_the_sources(tmp_path: Path) -> None:
    card = CARD.replace(licence="BSD-3-Clause")
    save_weights(tmp_path / "w.safetensors", random_network(CIFAR).module, CIFAR, card)
    kept = save_pretrained(tmp_path / "w.safetensors", tmp_path / "kept")
    given = save_pretrained(tmp_path / "w.safetensors", tmp_path / "given", licence="MIT")
    assert resnext.load(kept).card.licence == "BSD-3-Clause"
    assert resnext.load(given).card.licence == "MIT"
    assert json.loads((given / "config.json").read_text())["pretrained_cfg"]["license"] == "MIT"


@pytest.mark.parametrize(
    "changes",
    [
        *({"in_channels": channels} for channels in (1, 2, 4, 13)),
        *({"ndim": ndim, "in_channels": channels} for ndim in (1, 3) for channels in (1, 2)),
        *({"form": form, "in_channels": 1} for form in "ab"),
        *({"shortcut": kind, "in_channels": 1, "stem_width": 8} for kind in ("A", "C", "none")),
        {"preactivation": True, "in_channels": 1, "num_classes": 1},
        {"stem": "imagenet", "in_channels": 1, "zero_init_residual": True},
        {"block": "basic", "cardinality": 1, "in_channels": 1, "num_classes": 1000},
    ],
    ids=str,
)
def test_a_new_network_of_any_settings_is_saved_and_comes_back(
    changes: dict[str, object], tmp_path: Path
) -> None:
    config = CIFAR.replace(**changes)
    model = create_model(config)
    found = resnext.load(save_pretrained(model, tmp_path / "out"))
    assert found.config == config.replace(form="c")
    card = found.card
    assert len(card.mean) == len(card.std) == config.in_channels
    assert card.classes == ()  # random weights know none
    images = torch.randn(2, config.in_channels, *(16,) * config.ndim)
    with torch.no_grad():
        expected = model.eval()(images)
        torch.testing.assert_close(found(images), expected, rtol=1e-4, atol=1e-5)
