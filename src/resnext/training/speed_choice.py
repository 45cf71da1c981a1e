"""Equivalent ways to run a network: layout, compilation, merged groups.

Each rounds differently, so a run keeps the one it was started with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.runs.config import RuntimeConfig

FixedLayout = Literal["channels_last", "contiguous"]
FixedMerging = Literal["by_width", "always", "never"]

_NARROW = range(2, 8)
"""Group widths for which merging groups may help; see `model.convolution`."""


@dataclass(frozen=True)
class SpeedChoice:
    """One way to run a network.

    Attributes:
        layout: Memory layout of images and weights.
        compile: Compile with `torch.compile`.
        merge_groups: Narrow groups to merge on a CPU.
    """

    layout: FixedLayout = "channels_last"
    compile: bool = False
    merge_groups: FixedMerging = "by_width"

    @property
    def label(self) -> str:
        """A description of the choice."""
        words = [self.layout, "compiled" if self.compile else "eager"]
        if self.merge_groups != "by_width":
            words.append(f"groups {self.merge_groups} merged")
        return ", ".join(words)

    def settle(self, runtime: RuntimeConfig) -> RuntimeConfig:
        """Fill open settings with a choice; given settings are kept."""
        return runtime.replace(
            layout=self.layout if runtime.layout == "auto" else runtime.layout,
            compile=self.compile if runtime.compile == "auto" else runtime.compile,
            merge_groups=(
                self.merge_groups if runtime.merge_groups == "auto" else runtime.merge_groups
            ),
        )


def choice_of(runtime: RuntimeConfig) -> SpeedChoice:
    """Return the choice in resolved settings.

    Args:
        runtime: Fully resolved settings.
    """
    assert runtime.layout != "auto"
    assert runtime.compile != "auto"
    assert runtime.merge_groups != "auto"
    return SpeedChoice(runtime.layout, runtime.compile, runtime.merge_groups)


def eager_candidates(
    runtime: RuntimeConfig, model: ModelConfig, device_type: str
) -> list[SpeedChoice]:
    """Return the ways that settings leave open, without optional compilation.

    Ways that are the same on this device are listed once: layouts only differ for 2D images, and
    groups are only merged on a CPU, in eager mode, if they are narrow.
    """
    compiles = runtime.compile is True
    is_question = device_type == "cpu" and not compiles and has_narrow_groups(model)
    layouts: tuple[FixedLayout, ...] = ("channels_last", "contiguous")
    if runtime.layout != "auto":
        layouts = (runtime.layout,)
    elif getattr(model, "ndim", 2) != 2:
        layouts = ("channels_last",)
    return [
        SpeedChoice(layout, compiles, merging)
        for layout in layouts
        for merging in _mergings(runtime, layout, is_question=is_question)
    ]


def _mergings(
    runtime: RuntimeConfig, layout: FixedLayout, *, is_question: bool
) -> tuple[FixedMerging, ...]:
    """Return the settings to try: the table, and the other extreme."""
    if runtime.merge_groups != "auto":
        return (runtime.merge_groups,)
    if not is_question:
        return ("by_width",)
    return ("by_width", "always" if layout == "channels_last" else "never")


def group_width(model: ModelConfig) -> int | None:
    """Return the channels per group in the first stage; None for dense convolutions."""
    if not isinstance(model, ResNeXtConfig) or model.cardinality == 1 or model.form != "c":
        return None
    return model.bottleneck_width


def has_narrow_groups(model: ModelConfig) -> bool:
    """Whether groups are narrow enough that merging may help; stages double them."""
    width = group_width(model)
    return width is not None and (width in _NARROW or 2 * width in _NARROW)
