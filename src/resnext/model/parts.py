"""Custom blocks, stems and shortcuts: typed configs that build and count their modules.

A part is data, like its network: its settings are stored in weight files, runs and studies, and its
name is part of the network's. docs/custom-blocks.md has a complete example. Nothing here needs
torch.
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
"""Key, in a stored part, of the plugin that registers it; for information."""


class Part(Settings):
    """Base class of custom blocks, stems and shortcuts; fields of a subclass are its settings.

    Fields are numbers, strings, booleans and tuples of these, so that a config can be compared and
    stored.

    Attributes:
        name: Name it is registered under; set by `register`.
        kind: The setting of the network it is for.
        is_missing: Whether it represents an unregistered part named in a file.
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
        """Return the stored form: the name, the plugin, and all settings.

        All settings are stored, as defaults may change: a part's code is not versioned with this
        package.
        """
        return {"name": self.name, PLUGIN: self.plugin(), **self.model_dump(mode="json")}

    @classmethod
    def plugin(cls) -> str:
        """Return the module or file that registers the part."""
        return plugin_name(cls.__module__)

    def check(self, config: ResNeXtConfig) -> None:
        """Raise a `ConfigError` for a network that the part does not support."""


class BlockPart(Part):
    """A residual block.

    Attributes:
        num_layers: Convolutions on its main path, which count towards the network's depth.
        first_width: Default output channels of the first stage; doubled at each stage.
    """

    kind: ClassVar[Kind] = "block"
    num_layers: ClassVar[int] = 3
    first_width: ClassVar[int] = 256

    @abstractmethod
    def build(self, plan: BlockPlan, config: ResNeXtConfig) -> ResidualBlock:
        """Build one block of these shapes."""

    @abstractmethod
    def count(self, flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
        """Record the operations of the block's `branch` in order.

        The network records the BN before a pre-activation block, the shortcut, the addition and the
        ReLU after it.

        Args:
            flow: Records the operations.
            name: Path of the block in the state dict, such as `layer1.0`.
            x: Input of the branch.
            plan: The block's shapes.
            config: The network.

        Returns:
            Output of the branch.
        """

    def describe(self, plan: BlockPlan) -> list[str]:
        """Return the lines of the block in tables and drawings."""
        return [self.title, f"{plan.group_width} to {plan.out_channels}"]


class StemPart(Part):
    """A custom stem, which replaces `conv1`, its BN and the pool.

    Attributes:
        side_px: Default side of the inputs.
    """

    kind: ClassVar[Kind] = "stem"
    side_px: ClassVar[int] = 224

    @property
    @abstractmethod
    def stride(self) -> int:
        """Input positions per position of its map, along every dimension."""

    @abstractmethod
    def build(self, config: ResNeXtConfig) -> nn.Module:
        """Build a module that maps in_channels to stem_width channels."""

    @abstractmethod
    def count(self, flow: Flow, name: str, x: Map, config: ResNeXtConfig) -> Map:
        """Record the module's operations in order; `name` is its path in the state dict."""


class ShortcutPart(Part):
    """A custom shortcut.

    Attributes:
        everywhere: Use it also where the shape does not change, instead of the identity.
    """

    kind: ClassVar[Kind] = "shortcut"
    everywhere: ClassVar[bool] = False

    @abstractmethod
    def build(self, plan: BlockPlan, config: ResNeXtConfig) -> nn.Module:
        """Build a module that maps in_channels to out_channels at the plan's stride."""

    @abstractmethod
    def count(self, flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
        """Record the module's operations in order; `name` is its path in the state dict."""
