"""Properties determined by stem, block and number of stages. Needs no torch."""

from __future__ import annotations

from resnext.model.parts import BlockPart, StemPart

MAX_STAGES = 16


def output_strides(stem: str | StemPart, num_stages: int) -> tuple[int, ...]:
    """Return the possible output strides; the last one is without dilation.

    They are unknown for an unregistered stem.
    """
    if isinstance(stem, StemPart) and stem.is_missing:
        return ()
    first = stem.stride if isinstance(stem, StemPart) else 4 if stem == "imagenet" else 1
    return tuple(first * 2**stage for stage in range(min(num_stages, MAX_STAGES)))


def unet_channels(num_maps: int) -> tuple[int, ...]:
    """Return the channels of a U-Net's blocks: 256, halved from block to block, and at least 16.

    With the five maps of an ImageNet network these are segmentation_models_pytorch's.
    """
    return tuple(max(256 >> number, 16) for number in range(num_maps))


def either(numbers: tuple[int, ...]) -> str:
    """Format numbers as text: `16, 8 or 4`."""
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last


def template_stage_widths(block: str | BlockPart, num_stages: int) -> tuple[int, ...]:
    """Return the output widths of the paper's template: doubled at each stage."""
    first = block.first_width if isinstance(block, BlockPart) else 64 if block == "basic" else 256
    return tuple(first * 2**stage for stage in range(num_stages))


def num_layers(block: str | BlockPart) -> int:
    """Return the number of convolutions on a block's main path."""
    return block.num_layers if isinstance(block, BlockPart) else 2 if block == "basic" else 3
