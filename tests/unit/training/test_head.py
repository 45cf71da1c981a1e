"""What a network takes from trained weights: a classifier's body, a segmenter's head."""

from pathlib import Path

import pytest
import torch
from mask_folders import NAMES, tiny_segmenter
from tiny_config import TINY

from resnext.errors import CheckpointError
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig
from resnext.model.create import create_model
from resnext.runs.config import OptimConfig, TrainConfig
from resnext.training.finetune import (
    body_parameters,
    check_pretrained,
    freeze,
    load_pretrained,
    set_train_mode,
)
from resnext.training.optimizer import build_optimizer
from resnext.weights.file import Weights
from resnext.weights.own_file import save_weights
from resnext.weights.source import open_weights


def weights_of(config: ModelConfig, folder: Path, classes: tuple[str, ...] = ()) -> Weights:
    torch.manual_seed(7)
    path = folder / "weights.safetensors"
    save_weights(path, create_model(config), config, ModelCard(classes=classes))
    return open_weights(path)


def test_a_backbone_takes_the_layers_of_a_classifier(tmp_path: Path) -> None:
    weights = weights_of(TINY, tmp_path)
    config = tiny_segmenter()
    check_pretrained(config, weights)
    model = create_model(config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    load_pretrained(model, weights, NAMES)
    for name, tensor in model.state_dict().items():
        body = weights.state.get(name.removeprefix("backbone."))
        wanted = body if name.startswith("backbone.") else before[name]
        assert wanted is not None
        assert torch.equal(tensor, wanted), name


@pytest.mark.parametrize("classes", [NAMES, ("other", "names", "here")])
def test_another_segmenter_gives_all_but_the_rows_of_other_classes(
    tmp_path: Path, classes: tuple[str, ...]
) -> None:
    config = tiny_segmenter()
    weights = weights_of(config, tmp_path, NAMES)
    model = create_model(config)
    load_pretrained(model, weights, classes)
    differing = [n for n, t in model.state_dict().items() if not torch.equal(t, weights.state[n])]
    rows = [f"{head}.4.{kind}" for head in ("classifier", "aux_classifier") for kind in ("weight",)]
    assert [name for name in differing if name.endswith("weight")] == (
        [] if classes == NAMES else rows
    )


@pytest.mark.parametrize("classes", [NAMES, ("other", "names", "here")])
def test_a_second_head_that_the_weights_lack_is_new(
    tmp_path: Path, classes: tuple[str, ...]
) -> None:
    weights = weights_of(tiny_segmenter().replace(aux_head=False), tmp_path, NAMES)
    check_pretrained(tiny_segmenter(), weights)
    load_pretrained(create_model(tiny_segmenter()), weights, classes)


def test_a_second_head_that_the_network_lacks_is_left_out(tmp_path: Path) -> None:
    weights = weights_of(tiny_segmenter(), tmp_path, NAMES)
    check_pretrained(tiny_segmenter().replace(aux_head=False), weights)
    load_pretrained(create_model(tiny_segmenter().replace(aux_head=False)), weights, NAMES)


def test_a_backbone_of_other_widths_does_not_fit(tmp_path: Path) -> None:
    weights = weights_of(TINY.replace(stem_width=16), tmp_path)
    with pytest.raises(CheckpointError, match=r"do not fit fcn_.*backbone\.conv1"):
        check_pretrained(tiny_segmenter(), weights)


def test_frozen_stages_are_those_of_the_backbone() -> None:
    config = TrainConfig(model=tiny_segmenter(), weights=Path("weights"), freeze_until=1)
    model = create_model(config.model)
    freeze(model, config)
    frozen = {n.split(".")[1] for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {"conv1", "bn1", "layer1"}


def test_while_only_the_head_learns_its_norms_do_too() -> None:
    config = TrainConfig(model=tiny_segmenter())
    model = create_model(config.model)
    set_train_mode(model, config, head_only=True)
    assert {name for name, module in model.named_children() if module.training} == {
        "classifier",
        "aux_classifier",
    }
    body = {id(parameter) for parameter in model.get_submodule("backbone").parameters()}
    assert {id(parameter) for parameter in body_parameters(model)} == body


def test_rates_fall_over_the_stages_of_the_backbone() -> None:
    model = create_model(tiny_segmenter())
    optim = OptimConfig(layer_decay=0.5, head_lr_factor=3.0)
    scale_of = {
        id(parameter): group["lr_scale"]
        for group in build_optimizer(model, optim).param_groups
        for parameter in group["params"]
    }
    found = {name: scale_of[id(parameter)] for name, parameter in model.named_parameters()}
    assert found["backbone.conv1.weight"] == 0.5**3
    assert found["backbone.layer1.0.conv1.weight"] == 0.5**2
    assert found["backbone.layer2.0.conv1.weight"] == 0.5
    assert found["classifier.0.weight"] == found["aux_classifier.4.weight"] == 3.0
