"""Blocks, stems and shortcuts of your own: a typed config that builds its module and counts it.

A part is data, as the network is that it stands in: its settings are kept in weight files, runs
and studies, and its name belongs to the network's. docs/custom-blocks.md shows one from first to
last. Nothing here needs torch.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from resnext.plugins import plugin_name
from resnext.settings import Settings

if TYPE_CHECKING:
    from torch import nn

    from resnext.complexity.flow import Flow, Map
    from resnext.model.blocks import ResidualBlock
    from resnext.model.config import ResNeXtConfig
    from resnext.model.plan import BlockPlan

Kind = Literal["block", "stem", "shortcut"]

PLUGIN = "plugin"
"""Beside the settings of a stored part: what registers it, for people to read."""


class Part(Settings):
    """What blocks, stems and shortcuts have in common; the settings are a subclass's own fields.

    Fields are numbers, texts, truth values and tuples of these, so that a config can be compared
    and kept.

    Attributes:
        name: Under which it is registered; `register` sets it.
        kind: The setting of the network that takes it.
        is_missing: It stands for a part that a file names and nothing registers.
    """

    name: ClassVar[str] = ""
    kind: ClassVar[Kind]
    is_missing: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """The name and the settings, such as `se (reduction=8)`."""
        settings = ", ".join(f"{name}={value}" for name, value in self)
        return f"{self.name} ({settings})" if settings else self.name

    def as_dict(self) -> dict[str, Any]:
        """Return what a file keeps: the name, where it is registered, and all settings.

        All, since a default may change: a part's code is not versioned with this package.
        """
        return {"name": self.name, PLUGIN: self.plugin(), **self.model_dump(mode="json")}

    @classmethod
    def plugin(cls) -> str:
        """Return the module or file that registers the part."""
        return plugin_name(cls.__module__)

    def check(self, config: ResNeXtConfig) -> None:
        """Refuse a network that the part does not go with, by a `ConfigError`."""


class BlockPart(Part):
    """A residual block.

    Attributes:
        num_layers: Convolutions of its main path, by which the field counts depth.
        first_width: Output channels of the first stage, by default; they double each stage.
    """

    kind: ClassVar[Kind] = "block"
    num_layers: ClassVar[int] = 3
    first_width: ClassVar[int] = 256

    @abstractmethod
    def build(self, plan: BlockPlan, config: ResNeXtConfig) -> ResidualBlock:
        """Build one block of these shapes."""

    @abstractmethod
    def count(self, flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
        """Note the operations of the block's `branch` in their order.

        The BN in front of a pre-activation block, the shortcut, the addition and the ReLU behind
        it are noted by the network.

        Args:
            flow: Takes the operations.
            name: Path of the block in the state dict, such as `layer1.0`.
            x: What the branch receives.
            plan: The block's shapes.
            config: The network.

        Returns:
            What the branch leaves.
        """

    def describe(self, plan: BlockPlan) -> list[str]:
        """Return the lines of the block in tables and drawings."""
        return [self.title, f"{plan.group_width} to {plan.out_channels}"]


class StemPart(Part):
    """What stands before the first stage, at the place of `conv1`, its BN and the pool.

    Attributes:
        side_px: Side of the inputs that it is made for.
    """

    kind: ClassVar[Kind] = "stem"
    side_px: ClassVar[int] = 224

    @property
    @abstractmethod
    def stride(self) -> int:
        """Input positions for one position of its map, along every dimension."""

    @abstractmethod
    def build(self, config: ResNeXtConfig) -> nn.Module:
        """Build a module that maps in_channels to stem_width channels."""

    @abstractmethod
    def count(self, flow: Flow, name: str, x: Map, config: ResNeXtConfig) -> Map:
        """Note the module's operations in their order; `name` is its path in the state dict."""


class ShortcutPart(Part):
    """What carries a block's input to its output.

    Attributes:
        everywhere: Also where the shape stays; elsewhere the identity does.
    """

    kind: ClassVar[Kind] = "shortcut"
    everywhere: ClassVar[bool] = False

    @abstractmethod
    def build(self, plan: BlockPlan, config: ResNeXtConfig) -> nn.Module:
        """Build a module that maps in_channels to out_channels at the plan's stride."""

    @abstractmethod
    def count(self, flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
        """Note the module's operations in their order; `name` is its path in the state dict."""
