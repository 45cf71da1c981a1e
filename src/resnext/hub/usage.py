"""Code examples that open a published network with resnext, timm and plain torch."""

from __future__ import annotations

from dataclasses import dataclass

from resnext.hub.published import Published
from resnext.model.config import BaselineConfig, DetectorConfig, ResNeXtConfig, SegmenterConfig
from resnext.model.names import name_of, parse_name
from resnext.model.plan import plan_network
from resnext.model.signal import noun_of
from resnext.tasks.kinds import task_kind
from resnext.untrusted.text import printable
from resnext.weights.timm_format import to_timm

WEIGHTS = "model.safetensors"

# torchvision has functions for these; the others use its class ResNet.
_TORCHVISION = (
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
)

_TORCHVISION_SEGMENTERS = tuple(
    f"{head}_resnet{depth}" for head in ("fcn", "deeplabv3") for depth in (50, 101)
)


@dataclass(frozen=True)
class Usage:
    """Complete pieces of Python code.

    Attributes:
        resnext: Uses this package.
        timm: Uses timm alone; empty if timm does not have the network.
        torch: Uses torchvision's network and the file; empty if torchvision does not have it.
    """

    resnext: str
    timm: str
    torch: str


def usage_of(published: Published, address: str, *, is_repository: bool) -> Usage:
    """Write the examples.

    Args:
        published: The network.
        address: OWNER/NAME, or a folder.
        is_repository: The address is a repository on the Hub.
    """
    shape = ", ".join(str(size) for size in (1, *published.input_size))
    return Usage(
        _with_resnext(published, address, shape),
        _with_timm(published, f"{'hf-hub' if is_repository else 'local-dir'}:{address}"),
        _with_torch(published, address, is_repository=is_repository),
    )


def _with_resnext(published: Published, address: str, shape: str) -> str:
    if isinstance(published.config, DetectorConfig):
        return _with_a_detector(address, ", ".join(map(str, published.input_size)))
    kind = task_kind(published.card.task)
    result = "classes_bhw" if kind.is_dense else "probabilities"
    inputs = noun_of(published.card.signal)
    return f"""\
import resnext
import torch

network = resnext.load({_literal(address)})
{inputs} = torch.zeros({shape})  # a batch, normalised as described above
{result} = network({inputs}){kind.usage}"""


def _with_a_detector(address: str, shape: str) -> str:
    return f"""\
import resnext
import torch

network = resnext.load({_literal(address)})
image = torch.zeros({shape})  # of any size, RGB values in 0..1; the network normalises and resizes
(found,) = network.module([image])  # boxes, scores, and labels from 1"""


def _with_timm(published: Published, address: str) -> str:
    if to_timm(published.config) is None:
        return ""
    return f"""\
import timm

model = timm.create_model({_literal(address)}, pretrained=True).eval()
settings = timm.data.resolve_model_data_config(model)
transform = timm.data.create_transform(**settings, is_training=False)"""


def _with_torch(published: Published, address: str, *, is_repository: bool) -> str:
    build = _torchvision(published)
    if not build:
        return ""
    fetch = "from huggingface_hub import hf_hub_download\n" if is_repository else ""
    file = _literal(f"{address}/{WEIGHTS}")
    if is_repository:
        file = f'hf_hub_download({_literal(address)}, "{WEIGHTS}")'
    kind = build.partition(".")[0]
    package = "torchvision" if kind == "models" else "torchvision.models"
    return f"""\
{fetch}from safetensors.torch import load_file
from {package} import {kind}

model = {build}.eval()
model.load_state_dict(load_file({file}))"""


def _literal(text: str) -> str:
    """Return a text as a Python string literal."""
    return f'"{text}"' if printable(text) == text and not {'"', "\\"} & set(text) else ascii(text)


def _torchvision(published: Published) -> str:
    """Return the call that builds the network in torchvision; empty if there is none."""
    config = published.config
    classes = f"num_classes={config.num_classes}"
    if config.in_channels != 3:
        return ""
    if isinstance(config, BaselineConfig):
        is_vgg = config.family != "inception_v3"  # whose auxiliary classifier is left out here
        return f"models.{config.family}({classes})" if is_vgg else ""
    if isinstance(config, SegmenterConfig):
        return _torchvision_segmenter(config)
    if isinstance(config, DetectorConfig):
        return ""
    if name_of(config) in _TORCHVISION and _is_plain(config):
        return f"models.{name_of(config)}({classes})"
    timm = to_timm(config)
    if timm is None or "channels" in timm["model_args"]:
        return ""
    layers = list(config.blocks_per_stage)
    dilation = _torchvision_dilation(config)
    if config.block == "basic":
        return "" if dilation else f"resnet.ResNet(resnet.BasicBlock, {layers}, {classes})"
    paths = f"groups={config.cardinality}, width_per_group={config.bottleneck_width}"
    return f"resnet.ResNet(resnet.Bottleneck, {layers}, {paths}, {classes}{dilation})"


def _torchvision_segmenter(config: SegmenterConfig) -> str:
    """Return the call of torchvision's function for a segmentation network."""
    name = name_of(config)
    plain = parse_name(name)
    assert isinstance(plain, SegmenterConfig)
    if name not in _TORCHVISION_SEGMENTERS or config.backbone != plain.backbone:
        return ""
    arguments = f"num_classes={config.num_classes}, aux_loss={config.aux_head}"
    return f"segmentation.{name}(weights=None, weights_backbone=None, {arguments})"


def _torchvision_dilation(config: ResNeXtConfig) -> str:
    """Return the argument for dilation in torchvision, whose basic block has none."""
    dilated = [stage[0].stride == 1 for stage in plan_network(config).stages[1:]]
    return f", replace_stride_with_dilation={dilated}" if any(dilated) else ""


def _is_plain(config: ResNeXtConfig) -> bool:
    """Return whether the name defines an architecture completely, except for its classes."""
    return to_timm(config) == to_timm(parse_name(name_of(config)))
