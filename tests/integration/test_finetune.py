"""Fine-tuning: a new head, frozen stages, the weights' own normalisation."""

from pathlib import Path

import pytest
import torch
from runs import finish, small_run
from safetensors.torch import load_file
from tiny_config import TINY

import resnext
from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard
from resnext.model.names import name_of
from resnext.runs.config import TrainConfig
from resnext.runs.folder import open_run
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train
from resnext.weights.own_file import read_weights, save_weights


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of a network for three other classes, with a normalisation of their own."""
    torch.manual_seed(3)
    config = TINY.replace(num_classes=3, in_channels=1)
    card = ModelCard(data="shapes", classes=("a", "b", "c"), mean=(0.25,), std=(0.5,))
    path = tmp_path / "weights.safetensors"
    save_weights(path, resnext.create_model(config), config, card)
    return path


def _finetune(tmp_path: Path, **changes: object) -> tuple[Path, TrainConfig]:
    run = tmp_path / "run"
    finish(small_run(**changes), run)
    return run, open_run(run)


def test_frozen_stages_stay_as_loaded_and_the_rest_learns(tmp_path: Path, weights: Path) -> None:
    run, config = _finetune(tmp_path, weights=weights, freeze_until=1)
    before, after = load_file(weights), load_file(run / "best.safetensors")
    frozen = {name for name in before if name.startswith(("conv1.", "bn1.", "layer1."))}
    assert frozen
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert not torch.equal(before["layer2.0.conv1.weight"], after["layer2.0.conv1.weight"])
    assert after["fc.weight"].shape[0] == config.model.num_classes == 10


def test_images_are_normalised_as_the_weights_expect(tmp_path: Path, weights: Path) -> None:
    run, config = _finetune(tmp_path, weights=weights)
    assert (config.data.mean, config.data.std) == ((0.25,), (0.5,))
    card = read_weights(run / "best.safetensors")[2]
    assert (card.mean, card.std) == ((0.25,), (0.5,))


def test_a_normalisation_that_is_given_wins_over_that_of_the_weights(
    tmp_path: Path, weights: Path
) -> None:
    data = small_run().data.replace(mean=(0.1,))
    run, config = _finetune(tmp_path, weights=weights, data=data)
    assert (config.data.mean, config.data.std) == ((0.1,), (0.5,))
    assert read_weights(run / "best.safetensors")[2].mean == (0.1,)


def test_a_head_for_the_same_classes_is_kept(tmp_path: Path) -> None:
    first = tmp_path / "first"
    finish(small_run(), first)
    second = tmp_path / "second"
    finish(small_run(weights=first, freeze_until=2, freeze_norm=True, optim={"lr": 1e-9}), second)
    before, after = (load_file(run / "best.safetensors") for run in (first, second))
    torch.testing.assert_close(after["fc.weight"], before["fc.weight"], rtol=0, atol=1e-6)


def test_weights_of_another_network_are_refused(tmp_path: Path, weights: Path) -> None:
    config = small_run(weights=weights, model=TINY.replace(cardinality=4))
    with pytest.raises(CheckpointError, match=rf"They fit --model {name_of(TINY)} --set model.st"):
        train(config, RunTarget(out=tmp_path / "run"), Display("quiet"))
    assert not (tmp_path / "run").exists()


def test_weights_of_another_library_without_a_head_are_a_start(tmp_path: Path) -> None:
    torch.manual_seed(3)
    state = resnext.create_model(TINY.replace(in_channels=1)).state_dict()
    backbone = {f"module.{n}": t for n, t in state.items() if not n.startswith("fc.")}
    torch.save({"state_dict": backbone, "epoch": 7}, tmp_path / "other.pth")
    run, config = _finetune(tmp_path, weights=tmp_path / "other.pth", freeze_until=2)
    after = load_file(run / "best.safetensors")
    assert torch.equal(after["layer2.0.conv1.weight"], state["layer2.0.conv1.weight"])
    assert config.data.mean == (0.5,)


def test_more_frozen_stages_than_there_are_is_refused(tmp_path: Path, weights: Path) -> None:
    config = small_run(weights=weights, freeze_until=3)
    with pytest.raises(ConfigError, match="the network has 2 stages"):
        train(config, RunTarget(out=tmp_path / "run"), Display("quiet"))


def test_weights_for_other_channels_are_refused_by_name(tmp_path: Path) -> None:
    config = TINY.replace(in_channels=3)
    path = tmp_path / "colour.safetensors"
    save_weights(path, resnext.create_model(config), config, ModelCard())
    with pytest.raises(ConfigError, match=r"images of 3 channel\(s\), those of digits have 1"):
        train(small_run(weights=path), RunTarget(out=tmp_path / "run"), Display("quiet"))
    assert not (tmp_path / "run").exists()
