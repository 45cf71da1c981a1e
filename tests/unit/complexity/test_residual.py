"""The counts by formula, held against what random networks really execute.

FlopCounterMode counts convolutions and linear layers of the executed graph; hooks see the
layers; a dispatch mode sees the maps; a run that frees each map behind its last use shows
how much memory is held.
"""

import random
import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from effort import Effort
from execution import kept_bytes, peak_bytes, run_layers
from torch import fx, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.multiprocessing import reductions
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

import resnext
from resnext.complexity.cost import LayerCost
from resnext.model.config import ResNeXtConfig

StorageWeakRef: Any = reductions.StorageWeakRef  # torch leaves it untyped


def random_config(draw: random.Random) -> ResNeXtConfig:
    stages = tuple(draw.randint(1, 2) for _ in range(draw.randint(1, 3)))
    basic = draw.random() < 0.2
    first = draw.choice([16, 24])
    return ResNeXtConfig(
        stem=draw.choice(["imagenet", "cifar"]),
        blocks_per_stage=stages,
        cardinality=1 if basic else draw.choice([1, 2, 3, 4]),
        bottleneck_width=draw.choice([1, 2, 4, 5, 8]),
        stage_widths=tuple(first * 2**stage for stage in range(len(stages))),
        stem_width=draw.choice([8, 16]),
        block="basic" if basic else "bottleneck",
        form="c" if basic else draw.choice(["a", "b", "c"]),
        shortcut=draw.choice(["A", "B", "C", "none"]),
        preactivation=draw.random() < 0.4,
        ndim=draw.choice([1, 2, 2, 3]),
        in_channels=draw.choice([1, 3]),
        num_classes=draw.choice([2, 10]),
    )


def random_case(draw: random.Random) -> tuple[ResNeXtConfig, tuple[int, ...]]:
    config = random_config(draw)
    return config, tuple(draw.randint(7, 20) for _ in range(config.ndim))


def build(config: ResNeXtConfig, sides: tuple[int, ...]) -> tuple[nn.Module, torch.Tensor]:
    """Return the network in evaluation mode and one image, both without data."""
    with torch.device("meta"):
        model = resnext.create_model(config).eval()
        return model, torch.empty(1, config.in_channels, *sides)


def rows_of_paths(layers: list[LayerCost]) -> dict[str, LayerCost]:
    """Join the layers of all paths of a block, as the counted rows do."""
    rows: dict[str, LayerCost] = {}
    for layer in layers:
        name = re.sub(r"\.paths\.\d+\.", ".paths.*.", layer.name)
        first = rows.get(name, replace(layer, name=name, count=0))
        rows[name] = replace(first, count=first.count + 1)
    return {
        name: replace(
            row,
            parameters=row.count * row.parameters,
            macs=row.count * row.macs,
            activations=row.count * row.activations,
        )
        for name, row in rows.items()
    }


@pytest.mark.slow
def test_random_networks_cost_what_their_execution_costs(effort: Effort) -> None:
    draw = random.Random(0)
    for _ in range(effort.num_networks):
        config, sides = random_case(draw)
        cost = resnext.count(config, sides)
        model, image = build(config, sides)
        with FlopCounterMode(display=False) as flops:
            model(image)
        # FlopCounterMode leaves out the classifier's bias, one multiply-add a class
        assert 2 * (cost.macs - config.num_classes) == flops.get_total_flops(), config
        assert cost.parameters == sum(p.numel() for p in model.parameters()), config
        assert list(cost.layers) == list(rows_of_paths(run_layers(model, image)).values()), config


@pytest.mark.slow
def test_random_networks_hold_and_keep_the_maps_that_are_counted(effort: Effort) -> None:
    draw = random.Random(1)
    for _ in range(effort.num_networks):
        config, sides = random_case(draw)
        cost = resnext.count(config, sides)
        model, image = build(config, sides)
        assert peak_bytes(model, image) == cost.peak_activation_bytes, (config, sides)
        pair = torch.empty(2, *image.shape[1:], device="meta")
        assert kept_bytes(model.train(), pair) == cost.training_activation_bytes, (config, sides)


def test_layer_names_and_parameters_are_those_of_the_state_dict() -> None:
    draw = random.Random(2)
    for _ in range(20):
        config, sides = random_case(draw)
        config = config.replace(form="c")
        model, _ = build(config, sides)
        owners: dict[str, int] = {}
        for name, parameter in model.named_parameters():
            owner = name.rpartition(".")[0]
            owners[owner] = owners.get(owner, 0) + parameter.numel()
        counted = {layer.name: layer.parameters for layer in resnext.count(config, sides).layers}
        assert counted == owners, config


class HeldMaps(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Measures the bytes of the maps whose memory has not been freed, after each operation."""

    def __init__(self, image: torch.Tensor, foreign: set[int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._sizes = {StorageWeakRef(image.untyped_storage()): image.untyped_storage().nbytes()}
        self._foreign = foreign
        self.peak: int = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(outputs):
            storage = tensor.untyped_storage()
            # neither parameters, nor BN's statistics, nor the positions of a pool's maxima
            if tensor.ndim > 1 and tensor.is_floating_point() and self._is_ours(storage):
                self._sizes[StorageWeakRef(storage)] = storage.nbytes()
        self._sizes = {ref: size for ref, size in self._sizes.items() if not ref.expired()}
        self.peak = max(self.peak, sum(self._sizes.values()))
        return outputs

    def _is_ours(self, storage: torch.UntypedStorage) -> bool:
        return storage.data_ptr() not in self._foreign


def measured_peak(config: ResNeXtConfig, sides: tuple[int, ...]) -> int:
    """Run a network on real data, freeing each map behind its last use, as the graph says."""
    model = resnext.create_model(config).eval()
    image = torch.zeros(1, config.in_channels, *sides)
    with torch.no_grad():
        graph = make_fx(model)(image)
        foreign = {tensor.untyped_storage().data_ptr() for tensor in graph.state_dict().values()}
        runner = fx.Interpreter(graph)  # drops each value behind its last use
        maps = HeldMaps(image, foreign)
        with maps:
            runner.run(image)
    return maps.peak


MEMORY_CASES: dict[str, tuple[ResNeXtConfig, tuple[int, ...]]] = {
    "resnext26_32x4d": (ResNeXtConfig(blocks_per_stage=(2, 2, 2, 2)), (64, 64)),
    "form_a": (ResNeXtConfig(blocks_per_stage=(1, 1), cardinality=4, form="a"), (32, 48)),
    "form_b": (ResNeXtConfig(blocks_per_stage=(1, 1), cardinality=4, form="b"), (32, 48)),
    "basic": (ResNeXtConfig(blocks_per_stage=(2, 2), cardinality=1, block="basic"), (32, 32)),
    "zero_padded": (ResNeXtConfig(blocks_per_stage=(2, 2), shortcut="A"), (32, 32)),
    "all_projected": (ResNeXtConfig(blocks_per_stage=(2, 2), shortcut="C"), (32, 32)),
    "no_shortcut": (ResNeXtConfig(blocks_per_stage=(2, 2), shortcut="none"), (32, 32)),
    "preactivation": (ResNeXtConfig(blocks_per_stage=(2, 2), preactivation=True), (32, 32)),
    "cifar": (ResNeXtConfig(stem="cifar", blocks_per_stage=(1, 1, 1)), (32, 32)),
    "volume": (ResNeXtConfig(blocks_per_stage=(1, 1), ndim=3), (16, 16, 16)),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", MEMORY_CASES)
def test_the_peak_is_the_memory_that_a_run_on_data_holds(case: str) -> None:
    config, sides = MEMORY_CASES[case]
    assert measured_peak(config, sides) == resnext.count(config, sides).peak_activation_bytes


def test_the_peak_of_resnext_50_is_that_of_a_first_stage_block() -> None:
    # bn3 runs: its input and output, the shortcut's 256 channels, and the image
    maps = 3 * 256 * 56 * 56 + 3 * 224 * 224
    assert resnext.count("resnext50_32x4d").peak_activation_bytes == 4 * maps


def test_training_keeps_what_the_backward_pass_of_each_layer_reads() -> None:
    config = ResNeXtConfig(
        stem="cifar",
        blocks_per_stage=(1,),
        cardinality=2,
        bottleneck_width=4,
        stem_width=16,
        stage_widths=(16,),
    )
    cost = resnext.count(config, 8)
    stem = 3 + 16 + 16  # the image; conv1's output; what ReLU leaves
    block = 4 * 8 + 16 + 16  # two convolutions and their ReLUs; conv3's output; the sum
    assert cost.training_activation_bytes == 4 * ((stem + block) * 8 * 8 + 16)  # and fc's input
