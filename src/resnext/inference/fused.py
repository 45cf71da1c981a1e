"""Faster inference in PyTorch on a CPU for many images, without extra packages.

Batch normalisation is folded into the convolutions, and torch passes the whole graph to oneDNN,
which fuses convolution, addition and ReLU and keeps its own layout in between.

Legend: b images, c channels, h x w pixels, k classes.
Source: oneDNN Graph in TorchScript, https://docs.pytorch.org/docs/stable/jit.html.
"""

from __future__ import annotations

import copy
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from resnext.inference.fold import fold_batch_norm

TOLERANCE = 1e-4
"""Largest difference of a logit, relative to the largest: sums in another order."""

MIN_MACS = 10**12
"""Work that justifies one second of preparation: 240 images of ResNeXt-50."""

_NUM_COMPARED = 4


class FusedNetwork(nn.Module):
    """A network that computes full batches as one graph; early and partial batches as before.

    Attributes:
        is_fused: The graph is in use.
    """

    def __init__(self, module: nn.Module, *, after_images: int = 0) -> None:
        """Wrap a network.

        Args:
            module: A network in evaluation mode, on a CPU. It is not changed.
            after_images: Number of images that are computed as before.
        """
        super().__init__()
        self.is_fused = False
        self._module = module
        self._images_left = after_images
        self._graph: Any = None
        self._shape = torch.Size()
        self._is_profiled = False
        self._is_given_up = False

    def forward(self, x_bchw: torch.Tensor) -> torch.Tensor:
        """Map normalised images to logits, b x k.

        A batch whose size differs from the graph's first batch is computed as before.
        """
        if self._images_left > 0 or self._is_given_up:
            self._images_left -= len(x_bchw)
            return self._eager(x_bchw)
        if self._graph is None:
            self._prepare(x_bchw)
        if self._is_given_up or x_bchw.shape != self._shape:
            return self._eager(x_bchw)
        return self._fused(x_bchw)

    def _eager(self, x_bchw: torch.Tensor) -> torch.Tensor:
        logits_bk: torch.Tensor = self._module(x_bchw)
        return logits_bk

    def _prepare(self, x_bchw: torch.Tensor) -> None:
        try:
            self._graph = _trace(self._module, x_bchw[:1])
            self._shape = x_bchw.shape
        except Exception:  # a custom block may not be traceable
            self._is_given_up = True

    def _fused(self, x_bchw: torch.Tensor) -> torch.Tensor:
        if self.is_fused:
            logits_bk: torch.Tensor = self._graph(x_bchw.contiguous())
            return logits_bk
        try:
            with _onednn():
                logits_bk = self._graph(x_bchw.contiguous())
        except RuntimeError:
            self._is_given_up = True
            return self._eager(x_bchw)
        if not _agree(logits_bk, self._eager(x_bchw[:_NUM_COMPARED])):
            self._is_given_up = True
            return self._eager(x_bchw)
        self.is_fused = (
            self._is_profiled
        )  # torch records shapes in the first run and fuses in the second
        self._is_profiled = True
        return logits_bk


def fuse_after(
    module: nn.Module, device: torch.device, *, ndim: int, macs: int, num_images: int | None = None
) -> nn.Module:
    """Wrap a network if that pays off on this machine.

    Args:
        module: The network, on its device, in evaluation mode.
        device: Its device.
        ndim: Its number of dimensions.
        macs: Multiply-adds for one image.
        num_images: The number of images to come: the graph is used at once or never, so that all
            are computed the same way. None, if unknown, uses it after `MIN_MACS` of work.

    Returns:
        A `FusedNetwork`, or the network itself.
    """
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch carries no type
    is_able = device.type == "cpu" and ndim == 2 and is_x86 and has_onednn
    if not is_able or (num_images is not None and num_images * macs < MIN_MACS):
        return module
    return FusedNetwork(module, after_images=0 if num_images else -(-MIN_MACS // max(macs, 1)))


def _trace(module: nn.Module, example_bchw: torch.Tensor) -> Any:
    """Fold and trace a copy of a network; torch has deprecated the format but keeps it."""
    folded = fold_batch_norm(copy.deepcopy(module).to(memory_format=torch.contiguous_format))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        warnings.filterwarnings("ignore", category=torch.jit._trace.TracerWarning)
        traced: Any = torch.jit.trace(  # type: ignore[no-untyped-call]  # torch carries no type
            folded, example_bchw.contiguous(), check_trace=False
        )
        return torch.jit.freeze(traced)


@contextmanager
def _onednn() -> Iterator[None]:
    """Let torch pass graphs that it optimises within the block to oneDNN."""
    before = torch.jit.onednn_fusion_enabled()  # type: ignore[no-untyped-call]  # likewise
    torch.jit.enable_onednn_fusion(True)
    try:
        yield
    finally:
        torch.jit.enable_onednn_fusion(before)


def _agree(found_bk: torch.Tensor, wanted_bk: torch.Tensor) -> bool:
    difference = (found_bk[: len(wanted_bk)] - wanted_bk).abs().max()
    return bool(difference <= TOLERANCE * max(float(wanted_bk.abs().max()), 1.0))
