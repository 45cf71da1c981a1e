"""The cost of a network as data: by layer, by stage, in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from resnext.complexity.shape import Shape


@dataclass(frozen=True)
class LayerCost:
    """One layer, or the like layers of all paths of a block in forms (a) and (b).

    Attributes:
        name: Path of the module in the state dict; `*` stands for every path.
        kind: conv, norm or linear.
        output: Shape of one layer's output.
        count: Layers that the row stands for; the figures are those of all together.
        parameters: Trainable numbers.
        macs: Multiply-adds on one image.
        activations: Numbers that convolutions and linear layers put out.
    """

    name: str
    kind: str
    output: Shape
    count: int
    parameters: int
    macs: int
    activations: int


@dataclass(frozen=True)
class StageCost:
    """The sums over the stem, one stage, or the head.

    Attributes:
        name: `stem`, `layer1`, ..., `head`.
        output: Shape of the last map.
        parameters: As in `LayerCost`.
        macs: As in `LayerCost`.
        activations: As in `LayerCost`.
    """

    name: str
    output: Shape
    parameters: int
    macs: int
    activations: int


@dataclass(frozen=True)
class Cost:
    """The exact cost of a network on one image.

    Attributes:
        input_size: Channels and sides of the input.
        layers: In the order of execution.
        stages: Stem, stages, head.
        peak_activation_bytes: Inference in float32: the most bytes of maps that exist at
            once when every map lives from the layer that makes it to the last that uses
            it. While a layer runs, that is its input, its output, the block's input where
            the shortcut still needs it, and the image, which is its owner's. Convolution,
            BN, pool and concatenation make a new map; ReLU and the additions work in place.
            Parameters and the kernels' own workspaces are not maps. Compilers free maps
            that early; eager PyTorch held up to a quarter more where measured, since a
            variable of Python keeps its map until its function returns.
        training_activation_bytes: Training in float32: the bytes that the forward pass
            keeps for the backward pass of one image: the inputs of convolutions, BN, pool
            and classifier, the outputs of ReLU, and the positions of the pool's maxima.
        notes: What the figures are for, in sentences, where the input's size does not say it.
    """

    input_size: tuple[int, ...]
    layers: tuple[LayerCost, ...]
    stages: tuple[StageCost, ...]
    peak_activation_bytes: int
    training_activation_bytes: int
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Trainable numbers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and linear layers (the paper's FLOPs)."""
        return sum(layer.macs for layer in self.layers)

    @property
    def activations(self) -> int:
        """Numbers that convolutions and linear layers put out.

        Source: Radosavovic et al., arXiv 2003.13678, who count those of convolutions.
        """
        return sum(layer.activations for layer in self.layers)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "input_size": list(self.input_size),
            "parameters": self.parameters,
            "macs": self.macs,
            "activations": self.activations,
            "peak_activation_bytes": self.peak_activation_bytes,
            "training_activation_bytes": self.training_activation_bytes,
            "stages": [flat_row(stage) for stage in self.stages],
            "layers": [flat_row(layer) for layer in self.layers],
            **({"notes": list(self.notes)} if self.notes else {}),
        }


_HEAD = ("fc", "norm", "classifier")


def sum_stages(layers: Sequence[LayerCost], outputs: dict[str, Shape]) -> tuple[StageCost, ...]:
    """Add the layers up by stage.

    Args:
        layers: All layers.
        outputs: Shape of each stage's last map, in order; a layer belongs to the stage whose
            name begins its own, `fc`, `norm` and `classifier` to the head, any other to the stem.
    """
    members: dict[str, list[LayerCost]] = {name: [] for name in outputs}
    for layer in layers:
        first = layer.name.partition(".")[0]
        stage = first if first in members else "head" if first in _HEAD else "stem"
        members[stage].append(layer)
    return tuple(
        StageCost(
            name,
            outputs[name],
            sum(layer.parameters for layer in rows),
            sum(layer.macs for layer in rows),
            sum(layer.activations for layer in rows),
        )
        for name, rows in members.items()
    )


def flat_row(row: LayerCost | StageCost) -> dict[str, Any]:
    """Return a row's figures as JSON values."""
    values = asdict(row)
    values["output"] = [row.output.channels, *row.output.sides]
    return values
