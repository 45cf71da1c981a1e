"""The authors' trees of modules against our networks: the same logits."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch7_interpreter import children_of, run_tree
from torch7_network import CIFAR, made_network, made_tree, saved_and_read
from torch7_writer import Instance

from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.names import parse_name
from resnext.weights.families.torch7 import from_torch7

IMAGENET = ResNeXtConfig(
    stem_width=16,
    blocks_per_stage=(2, 1, 2, 1),
    stage_widths=(32, 64, 96, 128),
    cardinality=4,
    num_classes=7,
)
BASIC = CIFAR.replace(block="basic", cardinality=1, bottleneck_width=16, stem_width=16)

NETWORKS = {
    f"{stem} {form} {shortcut}": config.replace(form=form, shortcut=shortcut)
    for stem, config in (("imagenet", IMAGENET), ("cifar", CIFAR))
    for form in ("b", "c")
    for shortcut in "ABC"
    # Their type A doubles the channels, and can do nothing else.
    if stem == "cifar" or shortcut != "A"
}
NETWORKS |= {
    "basic A": BASIC.replace(shortcut="A"),
    "basic B": BASIC,
    "resnet": IMAGENET.replace(cardinality=1, bottleneck_width=8),
}


def images(config: ResNeXtConfig) -> torch.Tensor:
    side = 64 if config.stem == "imagenet" else 16
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def assert_same_logits(config: ResNeXtConfig, root: Any, tree: Any) -> torch.Tensor:
    """Load what the mapping gives, strictly, and compare with the interpreted tree."""
    mapped = create_model(config.replace(form="c"))
    mapped.load_state_dict(from_torch7(root))
    logits: torch.Tensor = mapped.eval()(images(config))
    torch.testing.assert_close(logits, run_tree(tree, images(config)), rtol=1e-5, atol=1e-5)
    return logits


@pytest.mark.slow
@pytest.mark.parametrize("config", NETWORKS.values(), ids=list(NETWORKS))
def test_a_mapped_network_gives_the_logits_of_the_tree_and_of_its_origin(
    tmp_path: Path, config: ResNeXtConfig
) -> None:
    root = saved_and_read(tmp_path, made_tree(config))
    logits = assert_same_logits(config, root, root)
    with torch.no_grad():
        origin = made_network(config)(images(config))
    torch.testing.assert_close(logits, origin, rtol=1e-5, atol=1e-5)


def test_form_c_comes_back_bit_for_bit(tmp_path: Path) -> None:
    model = made_network(CIFAR)
    state = from_torch7(saved_and_read(tmp_path, made_tree(CIFAR)))
    assert list(state) == list(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(state[name], tensor), name
        assert state[name].dtype == tensor.dtype


def test_old_matrices_biases_and_inverse_deviations_are_understood(tmp_path: Path) -> None:
    config = NETWORKS["resnet"]
    tree = made_tree(config, is_old=True)
    root = saved_and_read(tmp_path, tree, long_bytes=4)
    assert_same_logits(config, root, root)


def test_another_eps_is_put_into_the_variance(tmp_path: Path) -> None:
    tree = made_tree(CIFAR)
    tree.fields["modules"][1].fields["eps"] = 0.3
    root = saved_and_read(tmp_path, tree)
    assert_same_logits(CIFAR, root, root)


@pytest.mark.parametrize("on_gpu", [False, True], ids=["cpu", "cuda"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64], ids=str)
def test_other_types_become_float32(tmp_path: Path, dtype: torch.dtype, on_gpu: bool) -> None:
    tree = made_tree(CIFAR, dtype=dtype)
    root = saved_and_read(tmp_path, tree, on_gpu=on_gpu)
    state = from_torch7(root)
    assert {tensor.dtype for tensor in state.values()} == {torch.float32, torch.int64}
    assert_same_logits(CIFAR, root, root)


def test_flattened_parameters_are_taken_apart(tmp_path: Path) -> None:
    """As `getParameters` leaves them: views of one storage."""
    tree = made_tree(CIFAR)
    root = saved_and_read(tmp_path, flattened(tree))
    state = from_torch7(root)
    assert len({tensor.data_ptr() for tensor in state.values()}) == len(state)
    assert_same_logits(CIFAR, root, root)


def flattened(tree: Instance) -> Instance:
    owners = [
        (module.fields, name)
        for module in walked(tree)
        for name in ("weight", "bias")
        if name in module.fields
    ]
    whole = torch.cat([fields[name].flatten() for fields, name in owners])
    first = 0
    for fields, name in owners:
        shape = fields[name].shape
        fields[name] = whole[first : first + shape.numel()].view(shape)
        first += shape.numel()
    return tree


def walked(module: Instance) -> list[Instance]:
    children = module.fields.get("modules", [])
    return [module, *(found for child in children for found in walked(child))]


def test_wrappers_of_a_checkpoint_are_taken_off(tmp_path: Path) -> None:
    network = made_tree(CIFAR)
    fields = {"modules": [network], "gpuAssignments": [1, 2]}
    parallel = Instance("nn.DataParallelTable", fields, version=3, before=([1, 2],))
    for tree in ({"epoch": 3, "model": network}, parallel, {"model": parallel}):
        root = saved_and_read(tmp_path, tree)
        assert_same_logits(CIFAR, root, saved_and_read(tmp_path, network))


def test_a_resnext_29_of_the_authors_has_three_stages(tmp_path: Path) -> None:
    """As trained on CIFAR, at a smaller width."""
    config = parse_name("resnext29_4x4d")
    assert isinstance(config, ResNeXtConfig)
    root = saved_and_read(tmp_path, made_tree(config))
    assert len(children_of(root.fields)) == 9  # conv, BN, ReLU, 3 stages, pool, view, linear
    assert_same_logits(config, root, root)
