"""Walks through a network's plan as the network runs, and notes each layer and map."""

from __future__ import annotations

from dataclasses import dataclass

from resnext.complexity.cost import Cost, LayerCost, sum_stages
from resnext.complexity.memory import Tape
from resnext.complexity.rules import (
    Shape,
    conv_macs,
    conv_parameters,
    linear_macs,
    linear_parameters,
    norm_parameters,
    window_shape,
)
from resnext.model.config import ResNeXtConfig
from resnext.model.plan import BlockPlan, plan_network


@dataclass(frozen=True)
class _Map:
    """A map during the walk: its shape, and its number on the tape."""

    shape: Shape
    number: int


def count_network(config: ResNeXtConfig, sides: tuple[int, ...]) -> Cost:
    """Count a network on an input of these sides, by arithmetic alone."""
    return _Walk(config).run(sides)


class _Walk:
    def __init__(self, config: ResNeXtConfig) -> None:
        self._config = config
        self._layers: list[LayerCost] = []
        self._tape = Tape()

    def run(self, sides: tuple[int, ...]) -> Cost:
        config, plan = self._config, plan_network(self._config)
        image = Shape(config.in_channels, sides)
        x = _Map(image, self._tape.new(image.num_elements))
        source = x.number
        x = self._conv("conv1", x, plan.stem.out_channels, plan.stem.kernel, plan.stem.stride)
        if plan.stem.norm:
            x = self._norm("bn1", x)
        if plan.stem.pool:
            x = self._pool(x)
        outputs = {"stem": x.shape}
        for number, blocks in enumerate(plan.stages, 1):
            for block in blocks:
                x = self._block(f"layer{number}.{block.index}", block, x)
            outputs[f"layer{number}"] = x.shape
        if plan.final_norm:
            x = self._norm("norm", x)
        x = self._new(x, Shape(plan.out_channels, ()))
        outputs["head"] = self._linear("fc", x).shape
        self._tape.use(source)  # the image is its owner's, and stays
        return Cost(
            input_size=(config.in_channels, *sides),
            layers=tuple(self._layers),
            stages=sum_stages(self._layers, outputs),
            peak_activation_bytes=self._tape.peak_bytes(),
            training_activation_bytes=self._tape.kept_bytes(),
        )

    def _block(self, name: str, plan: BlockPlan, x: _Map) -> _Map:
        pre = self._config.preactivation
        active = self._norm(f"{name}.bn1", x) if pre else x
        branch = self._branch(name, plan, active)
        if not pre:
            outer = "bn2" if self._config.block == "basic" else "bn3"
            branch = self._norm(f"{name}.{outer}", branch, relu=False)
        if plan.shortcut != "none":
            carried = active if pre and plan.shortcut == "projection" else x
            added = self._shortcut(f"{name}.downsample", plan, carried)
            self._tape.use(branch.number, added.number)  # the sum is written over the branch
        if not pre:
            self._tape.keep(branch.number)  # for the last ReLU
        return branch

    def _shortcut(self, name: str, plan: BlockPlan, x: _Map) -> _Map:
        if plan.shortcut == "projection":
            x = self._conv(f"{name}.0", x, plan.out_channels, 1, plan.stride)
            return x if self._config.preactivation else self._norm(f"{name}.1", x, relu=False)
        if plan.shortcut == "zero_pad":
            return self._new(x, window_shape(x.shape, plan.out_channels, 1, plan.stride))
        return x

    def _branch(self, name: str, plan: BlockPlan, x: _Map) -> _Map:
        """Walk the chain of convolutions, without the norm outside it."""
        first, second = ("bn2", "bn3") if self._config.preactivation else ("bn1", "bn2")
        if self._config.block == "basic":
            x = self._conv(f"{name}.conv1", x, plan.group_width, 3, plan.stride)
            x = self._norm(f"{name}.{first}", x)
            return self._conv(f"{name}.conv2", x, plan.out_channels, 3)
        if self._config.form == "c":
            x = self._conv(f"{name}.conv1", x, plan.group_width, 1)
            x = self._norm(f"{name}.{first}", x)
            x = self._conv(
                f"{name}.conv2", x, plan.group_width, 3, plan.stride, groups=plan.cardinality
            )
            x = self._norm(f"{name}.{second}", x)
            return self._conv(f"{name}.conv3", x, plan.out_channels, 1)
        return self._merge_paths(name, plan, x, (first, second))

    def _merge_paths(self, name: str, plan: BlockPlan, x: _Map, norms: tuple[str, str]) -> _Map:
        """Walk C paths one after the other: summed in form (a), concatenated in form (b)."""
        paths: list[_Map] = []
        for number in range(plan.cardinality):
            rows = plan.cardinality if number == 0 else 0  # one row stands for all paths
            path = self._path(f"{name}.paths.*", plan, x, norms, rows)
            if self._config.form == "b" or not paths:
                paths.append(path)  # in form (a) the others are added to the first in place
        if self._config.form == "a":
            return paths[0]
        joined = Shape(plan.group_width, paths[0].shape.sides)
        number = self._tape.new(joined.num_elements, *(path.number for path in paths))
        return self._conv(f"{name}.conv3", _Map(joined, number), plan.out_channels, 1)

    def _path(self, name: str, plan: BlockPlan, x: _Map, norms: tuple[str, str], rows: int) -> _Map:
        x = self._conv(f"{name}.conv1", x, plan.path_width, 1, count=rows)
        x = self._norm(f"{name}.{norms[0]}", x, count=rows)
        x = self._conv(f"{name}.conv2", x, plan.path_width, 3, plan.stride, count=rows)
        x = self._norm(f"{name}.{norms[1]}", x, count=rows)
        if self._config.form == "b":
            return x
        return self._conv(f"{name}.conv3", x, plan.out_channels, 1, count=rows)

    def _conv(
        self,
        name: str,
        x: _Map,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        count: int = 1,
    ) -> _Map:
        """Note a convolution, `count` times in one row (0: only its map)."""
        output = window_shape(x.shape, out_channels, kernel, stride)
        channels = x.shape.channels
        parameters = conv_parameters(
            channels, out_channels, kernel=kernel, ndim=len(output.sides), groups=groups
        )
        macs = conv_macs(channels, output, kernel=kernel, groups=groups)
        self._note(name, "conv", output, count, parameters, macs, output.num_elements)
        self._tape.keep(x.number)
        return self._new(x, output)

    def _norm(self, name: str, x: _Map, *, count: int = 1, relu: bool = True) -> _Map:
        """Note BN, which makes a new map, and the ReLU behind it, which works in place."""
        self._note(name, "norm", x.shape, count, norm_parameters(x.shape.channels), 0, 0)
        self._tape.keep(x.number)
        output = self._new(x, x.shape)
        if relu:
            self._tape.keep(output.number)
        return output

    def _pool(self, x: _Map) -> _Map:
        output = window_shape(x.shape, x.shape.channels, 3, 2)
        self._tape.keep(x.number)
        self._tape.keep_indices(output.num_elements)
        return self._new(x, output)

    def _linear(self, name: str, x: _Map) -> _Map:
        features, classes = x.shape.channels, self._config.num_classes
        output = Shape(classes, ())
        parameters, macs = linear_parameters(features, classes), linear_macs(features, classes)
        self._note(name, "linear", output, 1, parameters, macs, classes)
        self._tape.keep(x.number)
        return self._new(x, output)

    def _note(
        self,
        name: str,
        kind: str,
        output: Shape,
        count: int,
        parameters: int,
        macs: int,
        activations: int,
    ) -> None:
        if count:
            self._layers.append(
                LayerCost(
                    name,
                    kind,
                    output,
                    count,
                    count * parameters,
                    count * macs,
                    count * activations,
                )
            )

    def _new(self, x: _Map, output: Shape) -> _Map:
        return _Map(output, self._tape.new(output.num_elements, x.number))
