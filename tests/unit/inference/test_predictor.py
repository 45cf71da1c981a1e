"""One predictor for networks in PyTorch and exported ones."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_networks import tiny

from resnext.errors import ConfigError
from resnext.inference.predictor import Predictor
from resnext.inference.preprocessor import Preprocessor
from resnext.model.config import ResNeXtConfig
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import ExportedModule
from resnext.runtimes.spec import ExportSpec, Input


def pixels(num: int = 3) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return list(generator.integers(0, 256, (num, 16, 16, 3), dtype=np.uint8))


def exported(kind: Input, seen: list[np.ndarray]) -> Exported:
    """Return a stand-in for an exported file, which keeps what it is given."""
    network = tiny()

    def infer(batch: np.ndarray) -> np.ndarray:
        seen.append(batch)
        return np.zeros((len(batch), 5), np.float32)

    spec = ExportSpec(format="onnx", input=kind, size_px=16)
    return Exported(Path("x.onnx"), network.config, network.card, spec, infer)


def test_the_logits_are_those_of_the_network() -> None:
    network = tiny()
    predictor = Predictor(network)
    images = torch.from_numpy(np.stack(pixels())).movedim(-1, 1) / 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (network.card.mean, network.card.std))
    with torch.no_grad():
        expected = network((images - mean) / std)
    torch.testing.assert_close(torch.from_numpy(predictor.logits(pixels())), expected)


@pytest.mark.parametrize("kind", ["pixels", "image"])
def test_an_exported_file_is_given_the_pixels_as_they_are(kind: Input) -> None:
    seen: list[np.ndarray] = []
    network = exported(kind, seen)
    module = TrainedNetwork(ExportedModule(network), network.config, network.card)
    for one in (network, module):  # as it is, and as `load` returns it
        seen.clear()
        Predictor(one).logits(pixels())
        assert [len(batch) for batch in seen] == ([3] if kind == "pixels" else [1, 1, 1])
        assert np.array_equal(np.concatenate(seen), np.stack(pixels()))


def test_a_file_for_normalised_input_is_given_the_numbers_of_a_network_in_pytorch() -> None:
    seen: list[np.ndarray] = []
    Predictor(exported("normalised", seen)).logits(pixels())
    expected = Predictor(tiny()).normalised(np.stack(pixels()))
    assert np.array_equal(seen[0], expected.numpy())


@pytest.mark.parametrize("changes", [{"ndim": 1}, {"ndim": 3}, {"in_channels": 2}])
def test_networks_that_take_no_images_are_refused(changes: dict[str, int]) -> None:
    network = tiny()
    assert isinstance(network.config, ResNeXtConfig)
    with pytest.raises(ConfigError, match=r"2 dimensions and 1 or 3 channels; this one has"):
        Predictor(replace(network, config=network.config.replace(**changes)))


def test_only_a_graph_that_crops_gets_the_whole_image() -> None:
    network = tiny()
    for kind in ("pixels", "image", "normalised"):
        spec = ExportSpec(format="onnx", input=kind, size_px=16)
        assert Preprocessor.of(network.config, network.card, spec).is_whole == (kind == "image")
    assert not Preprocessor.of(network.config, network.card).is_whole


def test_a_service_of_an_exported_file_needs_no_torch() -> None:
    program = (
        "import sys, resnext.serving.model, resnext.serving.service, resnext.inference.files; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
