"""The cost of a network as data: by layer, by stage, in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from resnext.complexity.shape import Shape


@dataclass(frozen=True)
class LayerCost:
    """One layer, or the identical layers of all paths of a block in forms (a) and (b).

    Attributes:
        name: Path of the module in the state dict; `*` stands for every path.
        kind: conv, norm, linear or embedding.
        output: Shape of one layer's output.
        count: Number of layers in the row; the other numbers are their totals.
        parameters: Trainable parameters.
        macs: Multiply-adds for one image.
        activations: Output elements of convolutions and linear layers.
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
    """Totals of the stem, one stage, or the head.

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
    """The exact cost of a network for one image.

    Attributes:
        input_size: Channels and sides of the input.
        layers: In the order of execution.
        stages: Stem, stages, head.
        peak_activation_bytes: Inference in float32: the peak memory of feature maps in bytes, if
            every map lives from the layer that creates it to the last layer that uses it. While a
            layer runs, that is its input, its output, the block's input if the shortcut still needs
            it, and the image, which the caller holds. Convolution, BN, pooling and concatenation
            create a new map; ReLU and additions work in place. Parameters and kernel workspaces are
            not included. Compilers free maps this early; eager PyTorch used up to a quarter more in
            measurements, as a Python variable keeps its map until the function returns.
        training_activation_bytes: Training in float32: the bytes that the forward pass keeps for
            the backward pass of one image: the inputs of convolutions, BN, pooling and classifier,
            the outputs of ReLU, and the positions of the pooling maxima.
        notes: What the figures assume, in sentences, where the input size does not say it.
    """

    input_size: tuple[int, ...]
    layers: tuple[LayerCost, ...]
    stages: tuple[StageCost, ...]
    peak_activation_bytes: int
    training_activation_bytes: int
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Trainable parameters."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and linear layers (the paper's FLOPs)."""
        return sum(layer.macs for layer in self.layers)

    @property
    def activations(self) -> int:
        """Output elements of convolutions and linear layers.

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
    """Sum the layers by stage.

    Args:
        layers: All layers.
        outputs: Shape of each stage's last map, in order. A layer belongs to the stage whose name
            is a prefix of its own; `fc`, `norm` and `classifier` belong to the head, all others to
            the stem.
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
