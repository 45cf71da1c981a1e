"""Records a network's layers and maps while its architecture is written out as plain code."""

from __future__ import annotations

import math
from dataclasses import dataclass

from resnext.complexity.cost import LayerCost
from resnext.complexity.memory import Tape
from resnext.complexity.rules import Shape, norm_parameters

Pair = tuple[int, int]
"""A number for the height and one for the width, in pixels."""


@dataclass(frozen=True)
class Map:
    """A map on its way through a network: its shape, and its number on the tape."""

    shape: Shape
    number: int


class Flow:
    """Takes each operation in the order in which the network runs it.

    Every operation returns the map that it leaves. `peak_bytes` is right for a flow in
    inference and `kept_bytes` for one in training: dropout makes its maps in training only.
    """

    def __init__(self, image: Shape, *, training: bool) -> None:
        self._training = training
        self._layers: list[LayerCost] = []
        self._tape = Tape()
        self.image = Map(image, self._tape.new(image.num_elements))

    @property
    def layers(self) -> tuple[LayerCost, ...]:
        """The layers so far."""
        return tuple(self._layers)

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
        kernel: Pair,
        *,
        stride: int = 1,
        padded: bool = True,
        bias: bool = False,
    ) -> Map:
        """Note a convolution.

        Args:
            name: Path of the module in the state dict.
            x: The input.
            channels: Channels of the output.
            kernel: Sides of the kernel in pixels.
            stride: Step in pixels.
            padded: Pad each side by half the kernel, or not at all.
            bias: Add a number to each channel.
        """
        output = _window(x.shape, channels, kernel, stride, padded=padded)
        fan_in = x.shape.channels * math.prod(kernel) + bias
        self._note_weighted(name, "conv", output, fan_in)
        return self._new(output, x, keep_input=True)

    def norm(self, name: str, x: Map) -> Map:
        """Note BN, which makes a new map."""
        parameters = norm_parameters(x.shape.channels)
        self._layers.append(LayerCost(name, "norm", x.shape, 1, parameters, 0, 0))
        return self._new(x.shape, x, keep_input=True)

    def relu(self, x: Map) -> Map:
        """Note a ReLU, which works in place and whose derivative is read off its output."""
        self._tape.use(x.number)
        self._tape.keep(x.number)
        return x

    def max_pool(self, x: Map, kernel: int) -> Map:
        """Note a maximum over squares of `kernel` pixels at stride 2, without padding."""
        output = _window(x.shape, x.shape.channels, (kernel, kernel), 2, padded=False)
        self._tape.keep_indices(output.num_elements)
        return self._new(output, x, keep_input=True)

    def average_pool(self, x: Map) -> Map:
        """Note a mean over squares of 3x3 pixels at stride 1, padded."""
        return self._new(x.shape, x, keep_input=True)

    def average_to(self, x: Map, sides: Pair) -> Map:
        """Note a mean over as many regions as the sides say, whatever the input's size.

        One region for the whole map is a plain mean, whose derivative needs no map.
        """
        return self._new(Shape(x.shape.channels, sides), x, keep_input=sides != (1, 1))

    def concatenate(self, *maps: Map) -> Map:
        """Note a concatenation along the channels, which copies."""
        channels = sum(part.shape.channels for part in maps)
        return self._new(Shape(channels, maps[0].shape.sides), *maps)

    def dropout(self, x: Map) -> Map:
        """Note dropout: in training a product with a random map, in inference nothing."""
        if not self._training:
            return x
        mask = self._new(x.shape)
        self._tape.keep(mask.number)
        return self._new(x.shape, x, mask)

    def flatten(self, x: Map) -> Map:
        """Read a map as a vector; no numbers move."""
        return Map(Shape(x.shape.num_elements, ()), x.number)

    def linear(self, name: str, x: Map, features: int) -> Map:
        """Note a linear layer with bias."""
        output = Shape(features, ())
        self._note_weighted(name, "linear", output, x.shape.channels + 1)
        return self._new(output, x, keep_input=True)

    def _note_weighted(self, name: str, kind: str, output: Shape, fan_in: int) -> None:
        """Note a layer whose every output is a sum of `fan_in` products, a bias being one."""
        parameters, numbers = output.channels * fan_in, output.num_elements
        self._layers.append(LayerCost(name, kind, output, 1, parameters, numbers * fan_in, numbers))

    def _new(self, output: Shape, *inputs: Map, keep_input: bool = False) -> Map:
        """Note a new map, and whether the backward pass needs what it is computed from."""
        numbers = [part.number for part in inputs]
        if keep_input:
            for number in numbers:
                self._tape.keep(number)
        return Map(output, self._tape.new(output.num_elements, *numbers))


def _window(shape: Shape, channels: int, kernel: Pair, stride: int, *, padded: bool) -> Shape:
    """Return the map behind a window whose sides may differ, as Inception's 1x7 do."""
    sides = tuple(
        (side + (2 * (extent // 2) if padded else 0) - extent) // stride + 1
        for side, extent in zip(shape.sides, kernel, strict=True)
    )
    return Shape(channels, sides)
