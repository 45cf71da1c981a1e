"""The network: stem, stages of residual blocks, classifier; and its maps for dense tasks.

Module names are torchvision's, so that state dicts of ImageNet networks are exchanged as
they are. The children of a network stand in the order of execution, so that torchvision's
`IntermediateLayerGetter` and `nn.Sequential` of them (with a flatten before `fc`) compute what
the network computes. Legend: b batch, c channels, then 1 to 3 spatial dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch._jit_internal import is_scripting

from resnext.errors import ConfigError
from resnext.model.blocks import BasicBlock, GroupedBottleneck, ResidualBlock
from resnext.model.config import ResNeXtConfig
from resnext.model.convert import convert_form
from resnext.model.convolution import is_proxy
from resnext.model.init import initialise, zero_residuals
from resnext.model.layers import AveragePool, conv, max_pool, norm, relu
from resnext.model.parts import BlockPart, StemPart
from resnext.model.plan import BlockPlan, StemPlan, plan_network
from resnext.model.split_block import SplitBottleneck


@dataclass(frozen=True)
class FeatureInfo:
    """One stage's map.

    Attributes:
        stride: Input positions for one position of the map, along every dimension.
        channels: Channels of the map.
    """

    stride: int
    channels: int


class ResNeXt(nn.Module):
    """A residual network of aggregated transformations, in 1, 2 or 3 dimensions.

    The weights are drawn from torch's global generator. The same state of the generator
    gives the same function in all three forms.

    Attributes:
        config: The architecture.

    Source: arXiv 1611.05431, section 3 and table 1.
    """

    def __init__(self, config: ResNeXtConfig) -> None:
        super().__init__()
        self.config = config
        self._plan = plan_network(config)
        self._stage_names = [f"layer{n + 1}" for n in range(len(self._plan.stages))]
        device = torch.get_default_device()
        # Built without memory first: torch's own initial weights would only cost time and
        # advance the generator by an amount that depends on the form.
        with torch.device("meta"):
            self._add_layers()
        if device.type != "meta":
            self.to_empty(device=device)
            self._initialise()

    def _add_layers(self) -> None:
        config, plan = self.config, self._plan
        stem = plan.stem
        self.conv1 = build_stem(stem, config)
        self.bn1 = norm(config.ndim, stem.out_channels) if stem.norm else None
        if stem.norm:
            self.relu = relu()
        self.maxpool = max_pool(config.ndim) if stem.pool else None
        for name, blocks in zip(self._stage_names, plan.stages, strict=True):
            self.add_module(name, nn.Sequential(*(build_block(block, config) for block in blocks)))
        self.norm = norm(config.ndim, plan.out_channels) if plan.final_norm else None
        if plan.final_norm:
            self.relu = relu()
        self.avgpool = AveragePool(config.ndim)
        self.fc = nn.Linear(plan.out_channels, config.num_classes)

    def _initialise(self) -> None:
        if self.config.form == "c":
            initialise(self)
            if self.config.zero_init_residual:
                zero_residuals(self)
        else:
            grouped = self.config.replace(form="c")
            state = ResNeXt(grouped).state_dict()
            self.load_state_dict(convert_form(state, grouped, to=self.config.form))

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Classify a batch.

        Args:
            x_bc: b x in_channels x spatial dimensions of any size.

        Returns:
            Logits, b x num_classes.

        Raises:
            ConfigError: The rank or the number of channels does not fit the config.
        """
        x_bc = self._run_stem(x_bc)
        for name, stage in self.named_children():  # a loop that torch.jit.script unrolls
            if name in self._stage_names:
                x_bc = stage(x_bc)
        logits: torch.Tensor = self.fc(self.avgpool(self._finish(x_bc)).flatten(1))
        return logits

    def features(
        self, x_bc: torch.Tensor, stages: Sequence[int] | None = None
    ) -> dict[str, torch.Tensor]:
        """Return the maps of chosen stages, for detection, segmentation or heat maps.

        Stages behind the last chosen one are not computed. In a pre-activation network
        the last stage's map has passed the final BN and ReLU; earlier ones are the sums.

        Args:
            x_bc: As for `forward`.
            stages: Numbers from 1; all by default.

        Returns:
            `layer1`, ... to a map b x channels x space / stride; see `feature_info`.

        Raises:
            ConfigError: There is no such stage, or the input does not fit.
        """
        wanted = self._check_stages(stages)
        x_bc = self._run_stem(x_bc)
        maps = {}
        for number, name in enumerate(self._stage_names[: max(wanted)], 1):
            x_bc = self.get_submodule(name)(x_bc)
            if number in wanted:
                maps[name] = x_bc
        last = self._stage_names[-1]
        if last in maps:
            maps[last] = self._finish(maps[last])
        return maps

    def feature_info(self, stages: Sequence[int] | None = None) -> dict[str, FeatureInfo]:
        """Return stride and channels of the maps that `features` gives for these stages.

        Raises:
            ConfigError: There is no such stage.
        """
        wanted = self._check_stages(stages)
        stride = self._plan.stem.total_stride
        info = {}
        for number, blocks in enumerate(self._plan.stages, 1):
            for block in blocks:
                stride *= block.stride
            if number in wanted:
                info[f"layer{number}"] = FeatureInfo(stride, blocks[-1].out_channels)
        return info

    def _run_stem(self, x_bc: torch.Tensor) -> torch.Tensor:
        if not is_scripting():
            self._check_input(x_bc)
        x_bc = self.conv1(x_bc)
        if self.bn1 is not None:
            x_bc = self.relu(self.bn1(x_bc))
        return x_bc if self.maxpool is None else self.maxpool(x_bc)

    def _check_input(self, x_bc: torch.Tensor) -> None:
        if is_proxy(x_bc):
            return
        config = self.config
        if x_bc.ndim != config.ndim + 2 or x_bc.shape[1] != config.in_channels:
            raise ConfigError(
                f"input of shape {tuple(x_bc.shape)}: this network takes batch x "
                f"{config.in_channels} channel(s) x {config.ndim} spatial dimension(s); "
                "reshape the input or build the network with other in_channels or ndim"
            )

    def _finish(self, x_bc: torch.Tensor) -> torch.Tensor:
        return x_bc if self.norm is None else self.relu(self.norm(x_bc))

    def _check_stages(self, stages: Sequence[int] | None) -> set[int]:
        known = range(1, len(self._plan.stages) + 1)
        wanted = set(known if stages is None else stages)
        if not wanted or not wanted <= set(known):
            raise ConfigError(
                f"stages={stages!r}: give one or more of {', '.join(map(str, known))}"
            )
        return wanted


def build_stem(plan: StemPlan, config: ResNeXtConfig) -> nn.Module:
    """Build the first convolution, or the registered part that stands in place of the stem."""
    if isinstance(config.stem, StemPart):
        return config.stem.build(config)
    return conv(config.ndim, plan.in_channels, plan.out_channels, plan.kernel, plan.stride)


def build_block(plan: BlockPlan, config: ResNeXtConfig) -> ResidualBlock:
    """Build one residual block of a network."""
    if isinstance(config.block, BlockPart):
        return config.block.build(plan, config)
    if config.block == "basic":
        return BasicBlock(plan, config)
    if config.form == "c":
        return GroupedBottleneck(plan, config)
    return SplitBottleneck(plan, config)
