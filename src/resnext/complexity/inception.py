"""Inception-v3 without its auxiliary classifier, as a sequence of operations.

Modules are named as in torchvision's state dict. The paper defines the structure of the modules;
the branch widths are those of the published weights, as documented by torchvision.

Source: Szegedy et al., arXiv 1512.00567, section 6, table 1 and figures 5 to 7 and 10.
"""

from __future__ import annotations

from resnext.complexity.flow import Flow, Map
from resnext.complexity.shape import Sides

POINT: Sides = (1, 1)
SQUARE: Sides = (3, 3)
ROW, COLUMN = (1, 7), (7, 1)
"""Factorised 7x7 (figure 6)."""
SHORT_ROW, SHORT_COLUMN = (1, 3), (3, 1)
"""Factorised 3x3, in parallel (figure 7)."""

_Unit = tuple[str, int, Sides]
"""Name suffix, channels and kernel of a unit."""


def run_inception(flow: Flow, num_classes: int) -> None:
    """Run the network on the flow's image."""
    x = _stem(flow)
    for letter, pool_width in (("b", 32), ("c", 64), ("d", 64)):
        x = _square_module(flow, f"Mixed_5{letter}", x, pool_width)
    x = _first_reduction(flow, "Mixed_6a", x)
    for letter, inner_width in (("b", 128), ("c", 160), ("d", 160), ("e", 192)):
        x = _factored_module(flow, f"Mixed_6{letter}", x, inner_width)
    x = _second_reduction(flow, "Mixed_7a", x)
    for letter in "bc":
        x = _expanded_module(flow, f"Mixed_7{letter}", x)
    x = flow.dropout(flow.average_to(x, (1, 1)))
    flow.linear("fc", flow.flatten(x), num_classes)


def _stem(flow: Flow) -> Map:
    x = _unit(flow, "Conv2d_1a_3x3", flow.image, 32, SQUARE, stride=2, padded=False)
    x = _unit(flow, "Conv2d_2a_3x3", x, 32, SQUARE, padded=False)
    x = flow.max_pool(_unit(flow, "Conv2d_2b_3x3", x, 64, SQUARE), 3)
    x = _unit(flow, "Conv2d_3b_1x1", x, 80, POINT)
    x = _unit(flow, "Conv2d_4a_3x3", x, 192, SQUARE, padded=False)
    return flow.max_pool(x, 3)


def _square_module(flow: Flow, name: str, x: Map, pool_width: int) -> Map:
    """Figure 5, whose first 5x5 the published weights keep whole."""
    return flow.concatenate(
        _unit(flow, f"{name}.branch1x1", x, 64, POINT),
        _branch(flow, f"{name}.branch5x5_", x, ("1", 48, POINT), ("2", 64, (5, 5))),
        _branch(
            flow, f"{name}.branch3x3dbl_", x, ("1", 64, POINT), ("2", 96, SQUARE), ("3", 96, SQUARE)
        ),
        _pool_branch(flow, name, x, pool_width),
    )


def _first_reduction(flow: Flow, name: str, x: Map) -> Map:
    """Figure 10: the sides are halved by convolutions and a pool next to each other."""
    single = _unit(flow, f"{name}.branch3x3", x, 384, SQUARE, stride=2, padded=False)
    prefix = f"{name}.branch3x3dbl_"
    double = _branch(flow, prefix, x, ("1", 64, POINT), ("2", 96, SQUARE))
    double = _unit(flow, f"{prefix}3", double, 96, SQUARE, stride=2, padded=False)
    return flow.concatenate(single, double, flow.max_pool(x, 3))


def _factored_module(flow: Flow, name: str, x: Map, inner_width: int) -> Map:
    """Figure 6, with n = 7."""
    inner, outer = inner_width, 192
    return flow.concatenate(
        _unit(flow, f"{name}.branch1x1", x, outer, POINT),
        _branch(
            flow,
            f"{name}.branch7x7_",
            x,
            ("1", inner, POINT),
            ("2", inner, ROW),
            ("3", outer, COLUMN),
        ),
        _branch(
            flow,
            f"{name}.branch7x7dbl_",
            x,
            ("1", inner, POINT),
            ("2", inner, COLUMN),
            ("3", inner, ROW),
            ("4", inner, COLUMN),
            ("5", outer, ROW),
        ),
        _pool_branch(flow, name, x, outer),
    )


def _second_reduction(flow: Flow, name: str, x: Map) -> Map:
    """Figure 10 again, with a factorised 7x7 in one branch."""
    single = _unit(flow, f"{name}.branch3x3_1", x, 192, POINT)
    single = _unit(flow, f"{name}.branch3x3_2", single, 320, SQUARE, stride=2, padded=False)
    prefix = f"{name}.branch7x7x3_"
    triple = _branch(flow, prefix, x, ("1", 192, POINT), ("2", 192, ROW), ("3", 192, COLUMN))
    triple = _unit(flow, f"{prefix}4", triple, 192, SQUARE, stride=2, padded=False)
    return flow.concatenate(single, triple, flow.max_pool(x, 3))


def _expanded_module(flow: Flow, name: str, x: Map) -> Map:
    """Figure 7: the filter bank is widened where the map is smallest."""
    point = _unit(flow, f"{name}.branch1x1", x, 320, POINT)
    single = _unit(flow, f"{name}.branch3x3_1", x, 384, POINT)
    single = _split(flow, f"{name}.branch3x3_2", single)
    prefix = f"{name}.branch3x3dbl_"
    double = _branch(flow, prefix, x, ("1", 448, POINT), ("2", 384, SQUARE))
    double = _split(flow, f"{prefix}3", double)
    return flow.concatenate(point, single, double, _pool_branch(flow, name, x, 192))


def _split(flow: Flow, prefix: str, x: Map) -> Map:
    row = _unit(flow, f"{prefix}a", x, 384, SHORT_ROW)
    return flow.concatenate(row, _unit(flow, f"{prefix}b", x, 384, SHORT_COLUMN))


def _pool_branch(flow: Flow, name: str, x: Map, width: int) -> Map:
    return _unit(flow, f"{name}.branch_pool", flow.average_pool(x), width, POINT)


def _branch(flow: Flow, prefix: str, x: Map, *units: _Unit) -> Map:
    """Run padded units at stride 1 in sequence."""
    for suffix, width, kernel in units:
        x = _unit(flow, prefix + suffix, x, width, kernel)
    return x


def _unit(
    flow: Flow,
    name: str,
    x: Map,
    width: int,
    kernel: Sides,
    *,
    stride: int = 1,
    padded: bool = True,
) -> Map:
    """Run a convolution, BN and ReLU."""
    x = flow.conv(f"{name}.conv", x, width, kernel, stride=stride, padded=padded)
    return flow.relu(flow.norm(f"{name}.bn", x))
