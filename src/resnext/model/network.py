"""The network: stem, stages of residual blocks, classifier; and its maps for dense tasks.

Module names are torchvision's, so that state dicts of ImageNet networks are interchangeable. The
children of a network are in execution order, so that torchvision's `IntermediateLayerGetter` and
`nn.Sequential` of them (with a flatten before `fc`) compute the same as the network. Other methods
have timm's names.
Legend: b batch, c channels, then 1 to 3 spatial dimensions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, cast, overload

import torch
from torch import nn
from torch._jit_internal import is_scripting

from resnext.errors import ConfigError
from resnext.model.build import build_block, build_embedding, build_stem
from resnext.model.config import ResNeXtConfig
from resnext.model.convert import convert_form
from resnext.model.feature_info import FeatureInfo, Indices, feature_info, take_indices, take_stages
from resnext.model.frames import join_frames, split_frames
from resnext.model.init import draw_linear, initialise, zero_residuals
from resnext.model.layers import AveragePool, check_input, max_pool, norm, relu
from resnext.model.plan import plan_network


class ResNeXt(nn.Module):
    """A residual network of aggregated transformations, in 1, 2 or 3 dimensions.

    Weights are initialised from torch's global generator. The same generator state gives the same
    function in all three forms.

    Attributes:
        config: The architecture.

    Source: arXiv 1611.05431, section 3 and table 1.
    """

    # torch.jit.script finds other attributes by their address, which may have been a function's.
    __constants__ = ("_stage_names",)
    __jit_unused_properties__ = ("feature_info", "num_classes", "num_features")

    def __init__(self, config: ResNeXtConfig) -> None:
        super().__init__()
        self.config = config
        self._plan = plan_network(config)
        self._stage_names = tuple(f"layer{n + 1}" for n in range(len(self._plan.stages)))
        self._pools_time = config.pool_time
        self._map_names = tuple(feature_info(self._plan).module_name())
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
        self.embed = build_embedding(config)
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
        self.avgpool = AveragePool(config.input_ndim)
        self.drop = nn.Dropout(config.dropout) if config.dropout else None
        self.fc = self._build_classifier()

    def _build_classifier(self) -> nn.Linear:
        if self.num_classes == 0:
            return cast("nn.Linear", nn.Identity())  # the type that it has otherwise
        return nn.Linear(self.num_features, self.num_classes)

    def _initialise(self) -> None:
        if self.config.form == "c":
            initialise(self)
            if self.config.zero_init_residual:
                zero_residuals(self)
        else:
            grouped = self.config.replace(form="c")
            state = ResNeXt(grouped).state_dict()
            self.load_state_dict(convert_form(state, grouped, to=self.config.form))

    @property
    def num_classes(self) -> int:
        """Classes of the head; 0 without one."""
        return self.config.num_classes

    @property
    def num_features(self) -> int:
        """Channels of the last map, and inputs of the classifier."""
        return self._plan.out_channels

    @property
    def feature_info(self) -> FeatureInfo:
        """Channels and reduction of the maps of the stem and of each stage."""
        return feature_info(self._plan)

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Classify a batch.

        Args:
            x_bc: b x in_channels x spatial dimensions of any size; with an embedding, token
                numbers, b x 1 x positions, in which padding is 0.

        Returns:
            Logits, b x num_classes; without a classifier b x num_features.

        Raises:
            ConfigError: The rank or the number of channels does not fit the config.
        """
        return self.forward_head(self.forward_features(x_bc))

    def forward_features(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Return the last map, b x num_features x space; arguments as for `forward`.

        In a pre-activation network, after the final BN and ReLU; in one for text, without padding
        (`TokenEmbedding.without_padding`).
        """
        input_bc = x_bc
        x_bc = self._run_stem(x_bc)
        for name, stage in self.named_children():  # a loop that torch.jit.script unrolls
            if name in self._stage_names:
                x_bc = stage(x_bc)
        if self.norm is not None:
            x_bc = self.relu(self.norm(x_bc))
        if self._pools_time:
            return join_frames(x_bc, input_bc.shape[0])
        return x_bc if self.embed is None else self.embed.without_padding(x_bc, input_bc)

    def forward_head(self, x_bc: torch.Tensor, pre_logits: bool = False) -> torch.Tensor:
        """Average the last map over its positions and classify it.

        Args:
            x_bc: The last map, as `forward_features` returns it.
            pre_logits: Skip the classifier, and return b x num_features.
        """
        pooled_bc: torch.Tensor = self.avgpool(x_bc).flatten(1)
        if pre_logits:
            return pooled_bc
        if self.drop is not None:
            pooled_bc = self.drop(pooled_bc)
        logits: torch.Tensor = self.fc(pooled_bc)
        return logits

    def features(
        self, x_bc: torch.Tensor, stages: Sequence[int] | None = None
    ) -> dict[str, torch.Tensor]:
        """Return the maps of chosen stages, for detection, segmentation or heat maps.

        Stages after the last chosen one are not computed. In a pre-activation network the last
        stage's map is after the final BN and ReLU; earlier ones are the sums.

        Args:
            x_bc: As for `forward`.
            stages: Numbers from 1; all by default.

        Returns:
            Maps by `layer1`, ...: b x channels x space / reduction; see `feature_info`.

        Raises:
            ConfigError: There is no such stage, or the input does not fit.
        """
        wanted = take_stages(len(self._plan.stages), stages)
        maps = self._run_to(x_bc, wanted)
        return {f"layer{number}": maps[number] for number in wanted}

    @overload
    def forward_intermediates(
        self,
        x: torch.Tensor,
        indices: Indices | None = ...,
        norm: bool = ...,
        stop_early: bool = ...,
        output_fmt: str = ...,
        intermediates_only: Literal[False] = ...,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]: ...
    @overload
    def forward_intermediates(
        self,
        x: torch.Tensor,
        indices: Indices | None = ...,
        norm: bool = ...,
        stop_early: bool = ...,
        output_fmt: str = ...,
        *,
        intermediates_only: Literal[True],
    ) -> list[torch.Tensor]: ...
    def forward_intermediates(
        self,
        x: torch.Tensor,
        indices: Indices | None = None,
        norm: bool = False,  # noqa: ARG002  # timm's; the last map of pre-activation is normalised
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> list[torch.Tensor] | tuple[torch.Tensor, list[torch.Tensor]]:
        """Return maps by index, as in timm.

        Args:
            x: As for `forward`.
            indices: 0 is the stem's map before its pool, then the stages'; negative numbers count
                from the end; an integer n means the last n maps; None means all.
            norm: Has no effect, as in timm's ResNet.
            stop_early: Compute nothing after the last of these maps.
            output_fmt: Only `NCHW`: channels before space.
            intermediates_only: Return only the maps.

        Returns:
            The last computed map, and the chosen ones in network order.

        Raises:
            ConfigError: There is no such map, or the input does not fit.
        """
        if output_fmt != "NCHW":
            raise ConfigError(f"output_fmt={output_fmt!r}: maps come as 'NCHW'; permute them")
        num_maps = len(self._map_names)
        chosen = take_indices(num_maps, indices)
        last = chosen[-1] if stop_early or intermediates_only else num_maps - 1
        maps = self._run_to(x, {*chosen, last})
        taken = [maps[index] for index in chosen]
        return taken if intermediates_only else (maps[last], taken)

    @overload
    def get_classifier(self, name_only: Literal[False] = ...) -> nn.Module: ...
    @overload
    def get_classifier(self, name_only: Literal[True]) -> str: ...
    def get_classifier(self, name_only: bool = False) -> nn.Module | str:
        """Return the last linear layer (an identity without classes), or its name."""
        return "fc" if name_only else self.fc

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the classifier with a new one with random weights.

        Args:
            num_classes: Number of classes; 0 removes the classifier.
            global_pool: Only `avg`, the network's pooling.

        Raises:
            ConfigError: A value is not valid.
        """
        if global_pool not in (None, "avg"):
            raise ConfigError(
                f"global_pool={global_pool!r}: only average pooling ('avg') is supported; use "
                "forward_features to pool the map differently"
            )
        self.config = self.config.replace(num_classes=num_classes)
        like = next(self.parameters())
        with torch.device(like.device):
            fc = self._build_classifier().to(like.dtype).train(self.training)
        if isinstance(fc, nn.Linear):
            draw_linear(fc)
        self.fc = fc

    def group_matcher(self, coarse: bool = False) -> dict[str, str]:
        """Return timm's patterns that group parameters into blocks, or `coarse` into stages."""
        blocks = r"^layer(\d+)" if coarse else r"^layer(\d+)\.(\d+)"
        return {"stem": r"^(?:embed|conv1|bn1)\.", "blocks": blocks}

    def _run_to(self, x_bc: torch.Tensor, indices: Collection[int]) -> dict[int, torch.Tensor]:
        """Run the children up to the last chosen map, and return the chosen ones by index."""
        check_input(x_bc, self.config)
        wanted = {self._map_names[index]: index for index in indices}
        input_bc, last = x_bc, len(self._map_names) - 1
        x_bc = split_frames(x_bc) if self._pools_time else x_bc
        maps: dict[int, torch.Tensor] = {}
        for name, layer in self.named_children():
            x_bc = layer(x_bc)
            if name in wanted:
                maps[wanted[name]] = x_bc
                if len(maps) == len(wanted):
                    break
        if self.embed is not None and last in maps:
            maps[last] = self.embed.without_padding(maps[last], input_bc)
        if self._pools_time:
            maps = {index: join_frames(x_bc, len(input_bc)) for index, x_bc in maps.items()}
        return maps

    def _run_stem(self, x_bc: torch.Tensor) -> torch.Tensor:
        if not is_scripting():
            check_input(x_bc, self.config)
        if self._pools_time:
            x_bc = split_frames(x_bc)
        if self.embed is not None:
            x_bc = self.embed(x_bc)
        x_bc = self.conv1(x_bc)
        if self.bn1 is not None:
            x_bc = self.relu(self.bn1(x_bc))
        return x_bc if self.maxpool is None else self.maxpool(x_bc)
