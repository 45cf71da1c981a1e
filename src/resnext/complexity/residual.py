"""The residual network, as a sequence of operations.

The functions follow the modules of `resnext.model`: what is built there is counted here, with the
same names and without torch. Custom parts provide their own rule; see `resnext.model.parts`.
"""

from __future__ import annotations

from dataclasses import replace

from resnext.complexity.cost import Cost, sum_stages
from resnext.complexity.flow import Flow, Map, record
from resnext.complexity.part_count import (
    checked_block,
    count_part,
    count_stem,
)
from resnext.complexity.shape import Shape
from resnext.model.config import ResNeXtConfig
from resnext.model.parts import BlockPart, ShortcutPart, StemPart
from resnext.model.plan import BlockPlan, NetworkPlan, plan_network


def count_network(config: ResNeXtConfig, sides: tuple[int, ...]) -> Cost:
    """Count a network on an input of these sides, by arithmetic alone."""
    if config.pool_time:
        return _count_frames(config, sides)
    plan = plan_network(config)
    outputs, recorded = record(
        lambda flow: run_network(flow, plan, config), Shape(config.in_channels, sides)
    )
    return Cost(
        input_size=(config.in_channels, *sides),
        layers=recorded.layers,
        stages=sum_stages(recorded.layers, outputs),
        peak_activation_bytes=recorded.peak_bytes,
        training_activation_bytes=recorded.kept_bytes,
    )


def _count_frames(config: ResNeXtConfig, sides: tuple[int, ...]) -> Cost:
    """Count a network that sees the frames of a video one by one: all but the classifier recur."""
    num, *frame = sides
    one = count_network(config.replace(pool_time=False), tuple(frame))
    layers = tuple(
        layer
        if layer.kind == "linear"
        else replace(layer, macs=num * layer.macs, activations=num * layer.activations)
        for layer in one.layers
    )
    return Cost(
        input_size=(config.in_channels, *sides),
        layers=layers,
        stages=sum_stages(layers, {stage.name: stage.output for stage in one.stages}),
        peak_activation_bytes=num * one.peak_activation_bytes,
        training_activation_bytes=num * one.training_activation_bytes,
        notes=(f"maps are those of one of {num} frames",),
    )


def run_network(flow: Flow, plan: NetworkPlan, config: ResNeXtConfig) -> dict[str, Shape]:
    """Run a network on the flow's image.

    Returns:
        Shape of the last map of each stage, in order.
    """
    maps, outputs = run_stages(flow, plan, config, flow.image)
    x = maps[-1]
    if config.embedding is not None:
        x = flow.resize(x, x.shape.sides)  # the map without padding
    x = _vector(flow.average_all(x))
    if config.dropout:
        x = flow.dropout(x)
    if config.num_classes:
        x = flow.linear("fc", x, config.num_classes)
    outputs["head"] = x.shape
    return outputs


def run_stages(
    flow: Flow, plan: NetworkPlan, config: ResNeXtConfig, image: Map
) -> tuple[list[Map], dict[str, Shape]]:
    """Run a network up to its last map.

    Returns:
        The map of the stem, before its pool, and that of each stage, as a `Backbone` gives them;
        and the shapes that the stem, with its pool, and each stage leave, in order.
    """
    if config.embedding is not None:
        embedding = config.embedding
        image = flow.embedding("embed", image, embedding.num_tokens, embedding.width)
    first, x = _stem(flow, plan, config, image)
    maps, outputs = [first], {"stem": x.shape}
    for number, blocks in enumerate(plan.stages, 1):
        for block in blocks:
            x = run_block(flow, f"layer{number}.{block.index}", x, block, config)
        maps.append(x)
        outputs[f"layer{number}"] = x.shape
    if plan.final_norm:
        maps[-1] = flow.relu(flow.norm("norm", x))
    return maps, outputs


def _vector(x: Map) -> Map:
    return Map(Shape(x.shape.channels, ()), x.number)


def _stem(flow: Flow, plan: NetworkPlan, config: ResNeXtConfig, image: Map) -> tuple[Map, Map]:
    """Run the stem; return its map before and behind the pool."""
    stem = plan.stem
    if isinstance(config.stem, StemPart):
        x = count_stem(flow, config.stem, config, image)
        return x, x
    x = flow.conv("conv1", image, stem.out_channels, stem.kernel, stem.stride)
    if stem.norm:
        x = flow.relu(flow.norm("bn1", x))
    return x, flow.max_pool(x, 3, padded=True) if stem.pool else x


def run_block(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
    """Run a residual block: the branch, the shortcut, and the layers around them."""
    with checked_block(flow, name, plan, config):
        return _run_block(flow, name, x, plan, config)


def _run_block(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
    pre = config.preactivation
    active = flow.relu(flow.norm(f"{name}.bn1", x)) if pre else x
    y = _branch(flow, name, active, plan, config)
    if plan.shortcut != "none":
        carried = active if pre and plan.shortcut in ("projection", "custom") else x
        y = flow.add(y, _shortcut(flow, f"{name}.downsample", carried, plan, config))
    return y if pre else flow.relu(y)


def _shortcut(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
    if plan.shortcut == "projection":
        x = flow.conv(f"{name}.0", x, plan.out_channels, 1, plan.stride)
        return x if config.preactivation else flow.norm(f"{name}.1", x)
    if isinstance(config.shortcut, ShortcutPart) and plan.shortcut == "custom":
        return count_part(flow, config.shortcut, name, x, plan, config)
    if plan.shortcut == "zero_pad":
        return flow.subsample(x, plan.out_channels, plan.stride)
    return x


def _branch(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
    if isinstance(config.block, BlockPart):
        return count_part(flow, config.block, name, x, plan, config)
    if config.block == "basic":
        return run_basic(flow, name, x, plan, config)
    if config.form == "c":
        return run_bottleneck(flow, name, x, plan, config)
    return _run_paths(flow, name, x, plan, config)


def run_basic(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
    """Run the branch of `BasicBlock`: two 3x3 convolutions."""
    first, last = _norm_names(config)[0], "bn2"
    x = flow.conv(f"{name}.conv1", x, plan.group_width, 3, plan.stride)
    x = flow.relu(flow.norm(f"{name}.{first}", x))
    x = flow.conv(f"{name}.conv2", x, plan.out_channels, 3)
    return x if config.preactivation else flow.norm(f"{name}.{last}", x)


def run_bottleneck(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
    """Run the branch of `GroupedBottleneck`: 1x1, 3x3 in C groups, 1x1."""
    first, second = _norm_names(config)
    x = flow.conv(f"{name}.conv1", x, plan.group_width, 1)
    x = flow.relu(flow.norm(f"{name}.{first}", x))
    x = flow.conv(f"{name}.conv2", x, plan.group_width, 3, plan.stride, groups=plan.cardinality)
    x = flow.relu(flow.norm(f"{name}.{second}", x))
    x = flow.conv(f"{name}.conv3", x, plan.out_channels, 1)
    return x if config.preactivation else flow.norm(f"{name}.bn3", x)


def _run_paths(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
    """Run the branch of `SplitBottleneck`: C paths in sequence, summed or concatenated."""
    early = config.form == "b"
    y, *others = _paths(flow, f"{name}.paths.*", x, plan, config)
    if early:
        y = flow.conv(f"{name}.conv3", flow.concatenate(y, *others), plan.out_channels, 1)
    return y if config.preactivation else flow.norm(f"{name}.bn3", y)


def _paths(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> list[Map]:
    """Run the paths; in form (a) each is added to the first as soon as it is computed."""
    paths: list[Map] = []
    for number in range(plan.cardinality):
        rows = plan.cardinality if number == 0 else 0  # one row stands for all paths
        path = _path(flow, name, x, plan, config, rows)
        if paths and config.form == "a":
            flow.add(paths[0], path)
        else:
            paths.append(path)
    return paths


def _path(flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig, rows: int) -> Map:
    first, second = _norm_names(config)
    x = flow.conv(f"{name}.conv1", x, plan.path_width, 1, count=rows)
    x = flow.relu(flow.norm(f"{name}.{first}", x, count=rows))
    x = flow.conv(f"{name}.conv2", x, plan.path_width, 3, plan.stride, count=rows)
    x = flow.relu(flow.norm(f"{name}.{second}", x, count=rows))
    if config.form == "b":
        return x
    return flow.conv(f"{name}.conv3", x, plan.out_channels, 1, count=rows)


def _norm_names(config: ResNeXtConfig) -> tuple[str, str]:
    """Return the names of the BN layers after the first two convolutions of a branch."""
    return ("bn2", "bn3") if config.preactivation else ("bn1", "bn2")
