"""Trees of modules that are none of the authors' networks, or damaged: refused with the place."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch7_network import CIFAR, made_tree, saved_and_read, sequential
from torch7_writer import Instance

from resnext.errors import CheckpointError
from resnext.weights.families.torch7 import from_torch7


def block_of(tree: Instance, stage: int, index: int = 0) -> Instance:
    stages = [m for m in tree.fields["modules"] if m.class_name == "nn.Sequential"]
    block: Instance = stages[stage].fields["modules"][index]
    return block


def branch_of(tree: Instance, stage: int, index: int = 0) -> list[Instance]:
    both = block_of(tree, stage, index).fields["modules"][0].fields["modules"]
    layers: list[Instance] = both[0].fields["modules"]
    return layers


def test_an_unknown_module_is_named_with_its_place(tmp_path: Path) -> None:
    tree = made_tree(CIFAR)
    branch_of(tree, stage=1)[2] = Instance("nn.Tanh")
    with pytest.raises(CheckpointError, match=r"module 5\.1\.1\.1\.3 \('nn\.Tanh'\).*ReLU"):
        from_torch7(saved_and_read(tmp_path, tree))


def test_a_stride_elsewhere_than_ours_is_refused(tmp_path: Path) -> None:
    """The first ResNets stride in the 1x1: the same shapes, another function."""
    tree = made_tree(CIFAR)
    branch = branch_of(tree, stage=1)
    for layer, stride in ((0, 2), (3, 1)):
        branch[layer].fields |= {"dW": stride, "dH": stride}
    with pytest.raises(CheckpointError, match=r"module 5\.1\.1\.1\.1 .*dW is 2, but must be 1"):
        from_torch7(saved_and_read(tmp_path, tree))


def test_preactivation_is_refused(tmp_path: Path) -> None:
    tree = made_tree(CIFAR)
    branch = branch_of(tree, stage=0)
    branch[:] = [branch[1], branch[2], branch[0], *branch[4:6], branch[3], branch[7], branch[6]]
    with pytest.raises(CheckpointError, match=r"BatchNormalization.*Convolution.*expected"):
        from_torch7(saved_and_read(tmp_path, tree))


def test_modules_behind_the_classifier_are_refused(tmp_path: Path) -> None:
    tree = made_tree(CIFAR)
    tree.fields["modules"].append(Instance("nn.LogSoftMax"))
    with pytest.raises(CheckpointError, match=r"module 10 \('nn\.LogSoftMax'\)"):
        from_torch7(saved_and_read(tmp_path, tree))


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"epoch": 90, "modelFile": "model_90.t7"}, "'epoch', 'modelFile' but no network"),
        ({"model": 3}, "table of 'model'"),
        ("text", "contains str"),
        (Instance("nn.gModule"), "'nn.gModule'"),
        (Instance("nn.Sequential"), "table of modules is missing"),
        (sequential(), "ends where SpatialConvolution"),
        (Instance("nn.Sequential", {"modules": {1: "x"}}), "no module 1"),
        (Instance("nn.DataParallelTable", {"modules": []}), "ends where Sequential"),
    ],
)
def test_files_without_a_network_say_what_they_hold(tmp_path: Path, tree: Any, words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        from_torch7(saved_and_read(tmp_path, tree))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"weight": torch.zeros(3)}, r"weight is a tensor \(3,\)"),
        ({"weight": "none"}, "weight is 'none'"),
        ({"nOutputPlane": torch.zeros(2)}, r"nOutputPlane is a tensor \(2,\)"),
        ({"kH": torch.zeros(2)}, "kH is a tensor"),
        ({"groups": 0}, "groups is 0"),
        ({"kW": 5}, "kernel 5"),
    ],
)
def test_a_convolution_with_wrong_fields_is_refused(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    tree = made_tree(CIFAR)
    tree.fields["modules"][0].fields |= fields
    with pytest.raises(CheckpointError, match=words):
        from_torch7(saved_and_read(tmp_path, tree))


def nested(depth: int) -> dict[int, Any]:
    """Build a table that holds its inner one twice, level after level: 2^depth in all."""
    table: dict[int, Any] = {1: 1.0}
    for _ in range(depth):
        table = {1: table, 2: table}
    return table


@pytest.mark.parametrize("name", ["kW", "nInputPlane", "weight"])
def test_a_table_of_tables_in_a_field_is_not_written_out(tmp_path: Path, name: str) -> None:
    tree = made_tree(CIFAR)
    tree.fields["modules"][0].fields[name] = nested(200)
    with pytest.raises(CheckpointError, match=f"{name} is a dict"):
        from_torch7(saved_and_read(tmp_path, tree))


def test_paths_of_different_widths_are_refused(tmp_path: Path) -> None:
    config = CIFAR.replace(form="b")
    tree = made_tree(config)
    wider = made_tree(config.replace(bottleneck_width=4))
    paths = branch_of(tree, stage=0)[0].fields["modules"]
    paths[1] = branch_of(wider, stage=0)[0].fields["modules"][1]
    with pytest.raises(CheckpointError, match="different shapes"):
        from_torch7(saved_and_read(tmp_path, tree))


def test_a_layer_repeated_by_reference_cannot_multiply_memory(tmp_path: Path) -> None:
    tree = made_tree(CIFAR)
    stage = tree.fields["modules"][4].fields["modules"]
    stage[1:] = [stage[1]] * 2_000
    with pytest.raises(CheckpointError, match="share weights"):
        from_torch7(saved_and_read(tmp_path, tree))
