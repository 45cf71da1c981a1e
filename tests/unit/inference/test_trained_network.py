"""One way to a trained network: every kind of file comes back as the same typed object."""

from pathlib import Path

import pytest
import torch
from digits_network import CARD, CONFIG, save_network, save_run
from tiny_networks import tiny

import resnext
from resnext.errors import CheckpointError, ConfigError
from resnext.export.export import export_model
from resnext.export.options import ExportOptions
from resnext.inference.load import load
from resnext.model.trained import TrainedNetwork
from resnext.weights.own_file import save_weights


def test_a_run_and_its_weight_file_are_the_same_network(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    images = torch.randn(2, 1, 8, 8)
    first, second = resnext.load(run), resnext.from_pretrained(run / "best.safetensors")
    for network in (first, second):
        assert isinstance(network, TrainedNetwork)
        assert (network.config, network.card) == (CONFIG, CARD)
        assert not network.module.training
    with torch.no_grad():
        assert torch.equal(first(images), second(images))
        assert torch.equal(first(images), first.module(images))


@pytest.mark.parametrize("kind", ["pixels", "normalised"])
def test_an_exported_file_opens_by_the_same_function(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("onnx", reason="the extra `export` is not installed")
    original = tiny()
    export_model(original, tmp_path / "net.onnx", ExportOptions(input=kind))
    opened = load(str(tmp_path / "net.onnx"))
    assert (opened.config, opened.card) == (original.config, original.card)
    levels = torch.randint(0, 256, (2, 3, 16, 16)).float()
    mean, std = (
        torch.tensor(values).view(3, 1, 1) for values in (opened.card.mean, opened.card.std)
    )
    images = (levels / 255 - mean) / std
    with torch.no_grad():
        torch.testing.assert_close(opened(images), original(images), rtol=1e-4, atol=1e-4)


def test_the_padding_of_an_exported_file_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"net\.onnx: is an exported file.*shortcut_padding"):
        load(tmp_path / "net.onnx", shortcut_padding="end")


def test_outputs_without_names_are_numbered(tmp_path: Path) -> None:
    card = CARD.replace(classes=())
    save_weights(
        tmp_path / "w.safetensors", load(save_network(tmp_path / "a")).module, CONFIG, card
    )
    assert load(tmp_path / "w.safetensors").classes == tuple(map(str, range(10)))


def test_a_card_for_other_channels_is_refused(tmp_path: Path) -> None:
    network = tiny()
    card = network.card.replace(mean=(0.5, 0.5))
    save_weights(tmp_path / "w.safetensors", network.module, network.config, card)
    with pytest.raises(CheckpointError, match="its mean has 2 numbers for 3 channels"):
        load(tmp_path / "w.safetensors")


def test_the_card_is_not_hidden_on_the_module(tmp_path: Path) -> None:
    """A card on a module would be lost by whatever copies, wraps or compiles it."""
    module = load(save_network(tmp_path / "digits.safetensors")).module
    assert not hasattr(module, "card")
