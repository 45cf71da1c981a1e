"""Convert weights to another library's format, block form, input, head or dimension.

SRC is a run, a weight file of any known library, a name from `resnext weights list`, or OWNER/NAME
on the Hugging Face Hub.

Examples:
  resnext convert downloads/resnext50_32x4d-7cdf4587.pth resnext50.safetensors
  resnext convert runs/photos photos.pth --format torchvision
  resnext convert runs/photos photos.safetensors --format timm
  resnext convert resnext_50_32x4d.t7 resnext50.safetensors
  resnext convert resnet20.th resnet20.safetensors --shortcut-padding both
  resnext convert runs/photos paths.safetensors --form a
  resnext convert resnext50_32x4d.a1h_in1k wider.safetensors --cardinality 16
  resnext convert resnext50_32x4d.a1h_in1k grey.safetensors --in-channels 1
  resnext convert resnext50_32x4d.a1h_in1k video.safetensors --ndim 3
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from resnext.api.checks import refuse_ignored
from resnext.cli.arguments import option, parse
from resnext.cli.output_file import check_place
from resnext.errors import ConfigError
from resnext.sigterm import tidy_on_sigterm

_EXPORTS = (".onnx", ".xml", ".pt2", ".torchscript")
_PICKLES = (".pth", ".pt", ".bin")

if TYPE_CHECKING:
    from resnext.weights.file import Weights


@dataclass(frozen=True)
class Convert:
    """Convert weights to another library's format, block form, input, head or dimension."""

    source: Annotated[tyro.conf.Positional[str], option("SRC")]
    """A run, a weight file of any known library, a name or a repository."""
    target: Annotated[tyro.conf.Positional[Path], option("DST")]
    """The file to write."""
    format: Annotated[
        Literal["safetensors", "torchvision", "timm"], option("safetensors|torchvision|timm")
    ] = "safetensors"
    """safetensors: our format, with config and card; torchvision: a state dict saved with
    torch.save; timm: a file for timm.create_model."""
    form: Annotated[Literal["a", "b", "c"] | None, option("a|b|c", "unchanged")] = None
    """Block form: separate paths (a), early concatenation (b), grouped convolution (c); exact."""
    cardinality: Annotated[int | None, option("C", "unchanged")] = None
    """Regroup C x d into fewer, wider groups of block-diagonal weights; exact."""
    in_channels: Annotated[int | None, option("N", "unchanged")] = None
    """Number of input channels; see --rule."""
    rule: Annotated[Literal["mean", "repeat", "centre"], option("mean|repeat|centre")] = "mean"
    """How weights are distributed over new channels (mean: equally; repeat: cyclically) or over a
    new dimension (mean: equally, as in I3D; centre: only in the middle)."""
    num_classes: Annotated[int | None, option("N", "unchanged")] = None
    """New number of classes, with a random head."""
    seed: Annotated[int | None, option("N", "0")] = None
    """Random seed of a new head."""
    ndim: Annotated[Literal[2, 3] | None, option("2|3", "unchanged")] = None
    """Inflate to more dimensions, such as 3 for video and volumes."""
    shortcut_padding: Annotated[
        Literal["end", "both"] | None, option("end|both", "inferred from tensor names")
    ] = None
    """Where shortcuts without weights (type A) in another library's file pad zeros: after the
    channels, or half before and half after. DST records it."""
    accept_licence: bool = False
    """Download weights whose licence forbids commercial use; your use must be allowed."""
    force: bool = False
    """Replace DST if it exists."""
    json: bool = False
    """Print the result as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: A flag does not fit the network or another flag.
        ResNeXtError: The weights cannot be found, read or written.
    """
    arguments = parse(Convert, argv, __doc__)
    _check(arguments)

    from resnext.progress import show_download
    from resnext.weights.source import open_weights
    from resnext.weights.write import write

    with show_download() as progress:
        weights = open_weights(
            arguments.source,
            shortcut_padding=arguments.shortcut_padding,
            accept_licence=arguments.accept_licence,
            progress=progress,
        )
    weights = _change(weights, arguments)
    if not weights.has_head:
        raise ConfigError(
            f"{arguments.source}: contains no classifier; add one with --num-classes N"
        )
    with tidy_on_sigterm():
        write(weights, arguments.target, arguments.format)
    _tell(weights, arguments)
    return 0


def _check(arguments: Convert) -> None:
    if arguments.target.exists() and not arguments.force:
        raise ConfigError(f"{arguments.target} exists; choose another file or add --force")
    check_place("DST", arguments.target)
    _check_ending(arguments)
    if arguments.num_classes is None:
        refuse_ignored(arguments, ("seed",), "--num-classes")
    wants_channels = arguments.in_channels is not None
    if wants_channels and arguments.ndim is not None:
        raise ConfigError("--in-channels and --ndim need separate --rule values; convert twice")
    if arguments.rule != "mean" and arguments.rule != ("repeat" if wants_channels else "centre"):
        raise ConfigError(
            f"--rule {arguments.rule}: mean or repeat go with --in-channels, mean or centre with "
            "--ndim"
        )


def _check_ending(arguments: Convert) -> None:
    """Refuse a name by which others would open the file as something else."""
    ending = arguments.target.suffix.lower()
    if ending in _EXPORTS:
        raise ConfigError(
            f"{arguments.target}: convert writes weights; write a file for a runtime with `resnext "
            f"export {arguments.source} --out {arguments.target}`"
        )
    is_pickle = ending in _PICKLES
    if is_pickle != (arguments.format == "torchvision") and ending in (*_PICKLES, ".safetensors"):
        fitting = ", ".join(_PICKLES) if arguments.format == "torchvision" else ".safetensors"
        raise ConfigError(
            f"{arguments.target}: --format {arguments.format} writes a file that ends in {fitting}"
        )


def _change(weights: Weights, arguments: Convert) -> Weights:
    """Apply the flags in order."""
    import torch

    from resnext.weights import change

    rule: Any = arguments.rule  # `_check` let only a fitting one pass
    if arguments.num_classes is not None:
        generator = torch.Generator().manual_seed(arguments.seed or 0)
        weights = change.classes(weights, arguments.num_classes, generator)
    if arguments.in_channels is not None:
        weights = change.in_channels(weights, arguments.in_channels, rule)
    if arguments.cardinality is not None:
        weights = change.cardinality(weights, arguments.cardinality)
    if arguments.ndim is not None:
        weights = change.dimensions(weights, arguments.ndim, rule)
    if arguments.form is not None:
        weights = change.form(weights, arguments.form)
    return weights


def _tell(weights: Weights, arguments: Convert) -> None:
    from resnext.model.names import name_of

    config: Any = weights.config
    facts = {
        "path": str(arguments.target),
        "format": arguments.format,
        "network": name_of(config),
        "num_classes": config.num_classes,
        "in_channels": config.in_channels,
        "family": weights.family,
        "size_mib": round(arguments.target.stat().st_size / 2**20, 1),
    }
    if arguments.json:
        print(json.dumps(facts))
    else:
        print(
            f"wrote {facts['path']}: {facts['network']}, {facts['num_classes']} classes, "
            f"{facts['in_channels']} channel(s), {facts['size_mib']} MiB"
        )
