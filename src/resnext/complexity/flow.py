"""Records the layers and feature maps of a network whose architecture is written as plain code.

Each operation implements the rule of its layer: output shape, parameters, multiply-adds and the
memory of its maps.

Multiply-adds are those of convolutions and linear layers, which the paper calls FLOPs; a bias adds
one per output element. BN, ReLU, pooling, additions and gates are not counted. torch's
FlopCounterMode counts two FLOPs for each multiply-add and ignores biases, so it reports twice our
number without biases: for a ResNeXt, one per class.

Source: arXiv 1611.05431, section 3.1 and table 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from resnext.complexity.cost import LayerCost
from resnext.complexity.memory import Tape
from resnext.complexity.shape import Shape, Sides, kernel_sides, window_shape

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Map:
    """A feature map in a network: its shape, and its number on the tape."""

    shape: Shape
    number: int


class Flow:
    """Records each operation in execution order.

    Every operation returns its output map. `peak_bytes` is valid for a flow in inference and
    `kept_bytes` for one in training: dropout creates maps only in training.

    Attributes:
        image: The input.
        layers: The recorded layers.
        varies: Whether training runs other operations than inference.
    """

    def __init__(self, image: Shape, *, training: bool) -> None:
        self.layers: list[LayerCost] = []
        self.varies = False
        self._training = training
        self._tape = Tape()
        self.image = Map(image, self._tape.new(image.num_elements))

    def peak_bytes(self) -> int:
        """Return `Cost.peak_activation_bytes` at the end of the network."""
        self._tape.use(self.image.number)  # the image is its owner's, and stays
        return self._tape.peak_bytes()

    def kept_bytes(self) -> int:
        """Return `Cost.training_activation_bytes` at the end of the network."""
        return self._tape.kept_bytes()

    def conv(
        self,
        name: str,
        x: Map,
        channels: int,
        kernel: int | Sides,
        stride: int = 1,
        *,
        groups: int = 1,
        padded: bool = True,
        bias: bool = False,
        count: int = 1,
    ) -> Map:
        """Record a convolution: every output element is a sum over the kernel and its group.

        Dilation has no effect here: with matching padding, the map keeps its size.

        Args:
            name: Path of the module in the state dict.
            x: The input.
            channels: Channels of the output.
            kernel: Side of the kernel in pixels, or its sides where they differ.
            stride: Step in pixels.
            groups: Cardinality; each group sees its own channels.
            padded: Pad each side by half the kernel; otherwise no padding.
            bias: Add a bias to each channel.
            count: Number of identical layers in the row; 0 records the map without a row.
        """
        output = window_shape(x.shape, channels, kernel, stride, padded=padded)
        fan_in = x.shape.channels // groups * math.prod(kernel_sides(kernel, x.shape)) + bias
        self._note_weighted(name, "conv", output, fan_in, count)
        return self._new(output, x, keep_input=True)

    def linear(self, name: str, x: Map, features: int, *, bias: bool = True) -> Map:
        """Record a linear layer: every output is a sum over the inputs."""
        output = Shape(features, ())
        self._note_weighted(name, "linear", output, x.shape.channels + bias)
        return self._new(output, x, keep_input=True)

    def norm(self, name: str, x: Map, *, count: int = 1) -> Map:
        """Record BN: a weight and a bias per channel, and a new map."""
        if count:
            parameters = count * 2 * x.shape.channels
            self.layers.append(LayerCost(name, "norm", x.shape, count, parameters, 0, 0))
        return self._new(x.shape, x, keep_input=True)

    def group_norm(self, name: str, x: Map, groups: int) -> Map:
        """Record group normalisation: like BN, and mean and deviation of each group are kept."""
        y = self.norm(name, x)
        self._tape.keep(self._new(Shape(2 * groups, ()), x).number)
        return y

    def relu(self, x: Map) -> Map:
        """Record a ReLU, which works in place; its derivative only needs its output."""
        self._tape.use(x.number)
        self._tape.keep(x.number)
        return x

    def sigmoid(self, x: Map) -> Map:
        """Record a sigmoid or tanh: a new map, from which the derivative is computed."""
        y = self._new(x.shape, x)
        self._tape.keep(y.number)
        return y

    def add(self, x: Map, y: Map) -> Map:
        """Record a sum that overwrites its first operand."""
        self._tape.use(x.number, y.number)
        return x

    def add_anew(self, x: Map, y: Map) -> Map:
        """Record a sum that is a new map."""
        return self._new(x.shape, x, y)

    def sum_stacked(self, *maps: Map) -> Map:
        """Record a sum of stacked maps, which copies them."""
        shape = maps[0].shape
        stacked = self._new(Shape(len(maps) * shape.channels, shape.sides), *maps)
        return self._new(shape, stacked)

    def multiply(self, x: Map, y: Map) -> Map:
        """Record a product of two maps, such as a gate; the gradient needs both."""
        return self._new(x.shape, x, y, keep_input=True)

    def max_pool(self, x: Map, kernel: int, *, padded: bool = False) -> Map:
        """Record max pooling over windows of `kernel` pixels per side, at stride 2."""
        output = window_shape(x.shape, x.shape.channels, kernel, 2, padded=padded)
        self._tape.keep_indices(output.num_elements)
        return self._new(output, x, keep_input=True)

    def average_pool(
        self, x: Map, kernel: int = 3, stride: int = 1, *, padded: bool = True, ceil: bool = False
    ) -> Map:
        """Record average pooling over `kernel` pixels a side; `ceil` keeps a partial window."""
        channels = x.shape.channels
        output = window_shape(x.shape, channels, kernel, stride, padded=padded, ceil=ceil)
        return self._new(output, x, keep_input=True)

    def average_to(self, x: Map, sides: Sides) -> Map:
        """Record adaptive average pooling to the given output sides.

        A single region is a plain mean, whose derivative needs no map.
        """
        return self._new(Shape(x.shape.channels, sides), x, keep_input=math.prod(sides) > 1)

    def average_all(self, x: Map) -> Map:
        """Record global average pooling that keeps the sides as ones."""
        return self.average_to(x, (1,) * len(x.shape.sides))

    def subsample(self, x: Map, channels: int, stride: int) -> Map:
        """Record a copy of every `stride`-th position, with zero channels appended."""
        return self._new(window_shape(x.shape, channels, 1, stride), x)

    def concatenate(self, *maps: Map) -> Map:
        """Record a concatenation along the channels, which copies."""
        channels = sum(part.shape.channels for part in maps)
        return self._new(Shape(channels, maps[0].shape.sides), *maps)

    def resize(self, x: Map, sides: Sides) -> Map:
        """Record a resize, pad or crop that copies; its derivative needs no map."""
        return self._new(Shape(x.shape.channels, sides), x)

    def dropout(self, x: Map) -> Map:
        """Record dropout: in training a product with a random map, in inference nothing."""
        self.varies = True
        if not self._training:
            return x
        mask = self._new(x.shape)
        self._tape.keep(mask.number)
        return self._new(x.shape, x, mask)

    def dropout_channels(self, x: Map) -> Map:
        """Record in-place dropout of whole channels: in training, one number per channel."""
        self.varies = True
        if self._training:
            mask = self._new(Shape(x.shape.channels, ()))
            self._tape.keep(mask.number)
        self._tape.use(x.number)
        return x

    def embedding(self, name: str, x: Map, num_tokens: int, width: int) -> Map:
        """Record a look-up of a vector for each token: parameters, and no multiply-adds."""
        output = Shape(width, x.shape.sides)
        row = LayerCost(name, "embedding", output, 1, num_tokens * width, 0, 0)
        return self.layer(row, x)

    def flatten(self, x: Map) -> Map:
        """View a map as a vector, without a copy."""
        return Map(Shape(x.shape.num_elements, ()), x.number)

    def layer(self, row: LayerCost, x: Map, *, keep_input: bool = True) -> Map:
        """Record a layer that no other operation describes.

        Args:
            row: Its cost.
            x: The input.
            keep_input: The backward pass needs the input.
        """
        self.layers.append(row)
        return self._new(row.output, x, keep_input=keep_input)

    def _note_weighted(
        self, name: str, kind: str, output: Shape, fan_in: int, count: int = 1
    ) -> None:
        """Record a layer whose outputs are sums of `fan_in` products, including a bias."""
        if count:
            parameters, numbers = count * output.channels * fan_in, count * output.num_elements
            macs = numbers * fan_in
            self.layers.append(LayerCost(name, kind, output, count, parameters, macs, numbers))

    def _new(self, output: Shape, *inputs: Map, keep_input: bool = False) -> Map:
        """Record a new map, and whether the backward pass needs its inputs."""
        numbers = [part.number for part in inputs]
        if keep_input:
            for number in numbers:
                self._tape.keep(number)
        return Map(output, self._tape.new(output.num_elements, *numbers))


@dataclass(frozen=True)
class Recorded:
    """The recorded flow of a network.

    Attributes:
        layers: In the order of execution.
        peak_bytes: See `Cost.peak_activation_bytes`.
        kept_bytes: See `Cost.training_activation_bytes`.
    """

    layers: tuple[LayerCost, ...]
    peak_bytes: int
    kept_bytes: int


def record(run: Callable[[Flow], ResultT], image: Shape) -> tuple[ResultT, Recorded]:
    """Record a network in inference and, if different, in training.

    Args:
        run: Runs the network on a flow's image.
        image: Shape of the image.

    Returns:
        What `run` returned, and the recording.
    """
    inference = Flow(image, training=False)
    result, training = run(inference), inference
    if inference.varies:
        training = Flow(image, training=True)
        run(training)
    layers = tuple(inference.layers)
    return result, Recorded(layers, inference.peak_bytes(), training.kept_bytes())
