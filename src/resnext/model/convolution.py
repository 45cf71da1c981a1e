"""Torch's convolutions for 1, 2 and 3 dimensions, made faster and correct on the CPU.

They differ from the classes they extend in two ways, only on the CPU: narrow groups are merged
where that is faster, and small maps are padded before the convolution instead of by it where
oneDNN's weight gradient would be wrong.

Traced, scripted, compiled and exported graphs, counts of operations and the transforms of
`torch.func` see the ordinary grouped convolution.

Legend: b batch, c channels, then 1 to 3 spatial dimensions.

Source: measured, see docs/decisions/0002-narrow-groups.md and 0012-small-maps.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import fx, nn
from torch._jit_internal import is_scripting
from torch.nn import functional as F
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from resnext.model import grouped_conv

if TYPE_CHECKING:
    _ConvBase = nn.modules.conv._ConvNd
else:
    _ConvBase = object

_CONVOLUTIONS: dict[int, Callable[..., torch.Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
# torch.jit.script takes an attribute whose address was once a function's for that function, which
# the many lists of a network do meet; constants it takes as they are.
_CONSTANTS = [*nn.modules.conv._ConvNd.__constants__, "_reversed_padding_repeated_twice"]
_REDUCED_PRECISIONS = (torch.bfloat16, torch.float16)


class _Convolution(_ConvBase):
    """The differences on the CPU; the classes below extend torch's."""

    _merging = "by_width"

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Convolve a batch; the result equals the ordinary convolution's."""
        if is_scripting():
            y_bc: torch.Tensor = self._conv_forward(x_bc, self.weight, self.bias)
            return y_bc
        return self._run(x_bc)

    @torch.jit.unused
    def _run(self, x_bc: torch.Tensor) -> torch.Tensor:
        merge = 1
        if not is_proxy(x_bc) and x_bc.is_cpu:
            padding = self._explicit_padding(x_bc)
            if padding:
                return self._convolve(F.pad(x_bc, padding), self.weight, 0, self.groups)
            if self.groups > 1:
                merge = self._groups_to_merge(x_bc)
        if merge > 1:
            weight = grouped_conv.merge_groups(self.weight, self.groups, merge)
            return self._convolve(x_bc, weight, self.padding, self.groups // merge)
        y_bc: torch.Tensor = self._conv_forward(x_bc, self.weight, self.bias)
        return y_bc

    def _convolve(
        self, x_bc: torch.Tensor, weight: torch.Tensor, padding: Any, groups: int
    ) -> torch.Tensor:
        convolve = _CONVOLUTIONS[len(self.kernel_size)]
        return convolve(x_bc, weight, self.bias, self.stride, padding, self.dilation, groups)

    def _explicit_padding(self, x_bc: torch.Tensor) -> list[int]:
        """Return the explicit padding for a map whose weight gradient would be wrong in oneDNN.

        On maps shorter than the kernel plus one stride, oneDNN does not write gradients of weights
        that only see padding, and some of its kernels read and write out of bounds. With explicit
        padding to at least the kernel plus one stride, neither happens.

        Returns:
            As `F.pad` takes them, from the last dimension; empty where the convolution is safe.
        """
        if not torch.is_grad_enabled() or _is_recorded():
            return []
        # In fp32 only large kernels in 3-D fail: the ImageNet stem on a shallow volume.
        is_large_3d = len(self.kernel_size) == 3 and max(self.kernel_size) > 3
        if not is_large_3d and _compute_dtype(x_bc) not in _REDUCED_PRECISIONS:
            return []
        extents = [
            dilation * (kernel - 1) + stride
            for kernel, stride, dilation in zip(
                self.kernel_size, self.stride, self.dilation, strict=True
            )
        ]
        sides = x_bc.shape[-len(extents) :]
        if all(side >= extent for side, extent in zip(sides, extents, strict=True)):
            return []
        assert isinstance(self.padding, tuple)  # not "same", which `conv` does not use
        padding: list[int] = []
        for side, extent, around in zip(sides, extents, self.padding, strict=True):
            padding = [around, max(around, extent - side - around), *padding]
        return padding

    def _groups_to_merge(self, x_bc: torch.Tensor) -> int:
        width = self.weight.shape[1]
        if width == 1 or width >= 8 or not _is_ordinary():
            return 1
        if self._merging != "by_width":
            is_merged = self._merging == "always"
            return grouped_conv.groups_to_widen(self.groups, width) if is_merged else 1
        layouts = (x_bc, self.weight)
        return grouped_conv.groups_to_merge(
            self.groups,
            width,
            channels_last=x_bc.ndim == 4 and any(_is_channels_last(layout) for layout in layouts),
            training=torch.is_grad_enabled() and any(part.requires_grad for part in layouts),
        )


class Conv1d(_Convolution, nn.Conv1d):
    """`nn.Conv1d`, fast and correct on the CPU."""

    __constants__ = _CONSTANTS


class Conv2d(_Convolution, nn.Conv2d):
    """`nn.Conv2d`, fast and correct on the CPU."""

    __constants__ = _CONSTANTS


class Conv3d(_Convolution, nn.Conv3d):
    """`nn.Conv3d`, fast and correct on the CPU."""

    __constants__ = _CONSTANTS


def replace_convolutions(network: nn.Module) -> None:
    """Replace the convolutions of a torchvision network with these, in place."""
    for module in network.modules():
        if type(module) is nn.Conv2d:
            module.__class__ = Conv2d


def set_merging(network: nn.Module, merging: Literal["by_width", "always", "never"]) -> None:
    """Set which narrow groups of a network are merged on the CPU.

    Args:
        network: Its convolutions are changed in place.
        merging: `by_width` follows the measured table, `always` merges all groups of 2 to 7
            channels.
    """
    for module in network.modules():
        if isinstance(module, _Convolution):
            module._merging = merging


def is_proxy(x_bc: object) -> bool:
    """Whether this is a torch.fx proxy, which has no device and no sizes."""
    return isinstance(x_bc, fx.Proxy)


def _compute_dtype(x_bc: torch.Tensor) -> torch.dtype:
    if torch.is_autocast_enabled("cpu") and x_bc.dtype != torch.float64:
        return torch.get_autocast_dtype("cpu")
    return x_bc.dtype


def _is_channels_last(x_bchw: torch.Tensor) -> bool:
    channels_last = x_bchw.is_contiguous(memory_format=torch.channels_last)
    return channels_last and not x_bchw.is_contiguous()


def _is_recorded() -> bool:
    """Whether a graph for inference is being recorded, often for maps of any size."""
    return torch.compiler.is_exporting() or torch._C._get_tracing_state() is not None


def _is_ordinary() -> bool:
    """Whether the current code is not being compiled, recorded, counted or transformed."""
    return not (
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or is_in_torch_dispatch_mode()
        or torch._C._functorch.peek_interpreter_stack() is not None
    )
