"""timm's plain ResNets, Wide ResNets and ResNeXts on ImageNet-1K, on the Hugging Face Hub.

Plain means what our config supports: no deep stem, no pooling in shortcuts, no attention, no
blurring, batch normalisation, ReLU. `resnet50.bamboo` is left out because it has no classifier, and
`resnext101_32x48d` because timm lists it without a network.

Values are for timm's test size if it differs from the training size. The Hub sends a SHA-256 with
each file; none is published elsewhere.

Sources, read 2026-11:

- timm 1.0.31: `timm.models.resnet.default_cfgs`
- https://github.com/huggingface/pytorch-image-models/blob/main/results/results-imagenet.csv
  (commit 4e5207c): errors, image sizes, crop fractions, interpolation
- https://huggingface.co/timm: a repository a file, which holds `model.safetensors`
"""

from __future__ import annotations

import math
from typing import Literal

from resnext.weights.entry import WeightsEntry

_RESULTS = (
    "https://github.com/huggingface/pytorch-image-models/blob/main/results/results-imagenet.csv"
)
_OURS = {"wide_resnet50_2": "resnet50_1x128d", "wide_resnet101_2": "resnet101_1x128d"}

# By timm's name: tag, top-1 error in percent, image size in pixels, crop fraction, interpolation.
_Row = tuple[str, float, int, float, Literal["bilinear", "bicubic"]]
_ROWS: dict[str, tuple[_Row, ...]] = {
    "resnet18": (
        ("a1_in1k", 26.836, 288, 1.0, "bicubic"),
        ("a2_in1k", 27.636, 288, 1.0, "bicubic"),
        ("a3_in1k", 31.750, 224, 0.95, "bicubic"),
        ("tv_in1k", 30.248, 224, 0.875, "bilinear"),
        ("fb_ssl_yfcc100m_ft_in1k", 27.364, 224, 0.875, "bilinear"),
        ("fb_swsl_ig1b_ft_in1k", 26.714, 224, 0.875, "bilinear"),
        ("gluon_in1k", 29.156, 224, 0.875, "bicubic"),
    ),
    "resnet26": (("bt_in1k", 23.616, 288, 0.95, "bicubic"),),
    "resnet34": (
        ("a1_in1k", 22.070, 288, 1.0, "bicubic"),
        ("a2_in1k", 22.850, 288, 1.0, "bicubic"),
        ("a3_in1k", 27.004, 224, 0.95, "bicubic"),
        ("bt_in1k", 23.494, 288, 0.95, "bicubic"),
        ("ra4_e3600_r224_in1k", 21.028, 288, 1.0, "bicubic"),
        ("tv_in1k", 26.702, 224, 0.875, "bilinear"),
        ("gluon_in1k", 25.426, 224, 0.875, "bicubic"),
    ),
    "resnet50": (
        ("a1_in1k", 18.760, 288, 1.0, "bicubic"),
        ("a1h_in1k", 19.346, 224, 1.0, "bicubic"),
        ("a2_in1k", 19.226, 288, 1.0, "bicubic"),
        ("a3_in1k", 21.948, 224, 0.95, "bicubic"),
        ("b1k_in1k", 19.292, 288, 1.0, "bicubic"),
        ("b2k_in1k", 19.534, 288, 1.0, "bicubic"),
        ("c1_in1k", 19.072, 288, 1.0, "bicubic"),
        ("c2_in1k", 19.138, 288, 1.0, "bicubic"),
        ("d_in1k", 18.988, 288, 1.0, "bicubic"),
        ("ram_in1k", 20.018, 288, 0.95, "bicubic"),
        ("am_in1k", 20.996, 224, 0.875, "bicubic"),
        ("ra_in1k", 20.136, 288, 0.95, "bicubic"),
        ("bt_in1k", 20.348, 288, 0.95, "bicubic"),
        ("tv_in1k", 23.844, 224, 0.875, "bilinear"),
        ("tv2_in1k", 19.154, 224, 0.965, "bilinear"),
        ("fb_ssl_yfcc100m_ft_in1k", 20.748, 224, 0.875, "bilinear"),
        ("fb_swsl_ig1b_ft_in1k", 18.854, 224, 0.875, "bilinear"),
        ("gluon_in1k", 22.420, 224, 0.875, "bicubic"),
    ),
    "resnet101": (
        ("a1h_in1k", 17.204, 288, 1.0, "bicubic"),
        ("a1_in1k", 17.674, 288, 1.0, "bicubic"),
        ("a2_in1k", 17.782, 288, 1.0, "bicubic"),
        ("a3_in1k", 20.164, 224, 0.95, "bicubic"),
        ("tv_in1k", 22.596, 224, 0.875, "bilinear"),
        ("tv2_in1k", 18.094, 224, 0.965, "bilinear"),
        ("gluon_in1k", 20.694, 224, 0.875, "bicubic"),
    ),
    "resnet152": (
        ("a1h_in1k", 16.506, 288, 1.0, "bicubic"),
        ("a1_in1k", 17.258, 288, 1.0, "bicubic"),
        ("a2_in1k", 17.386, 288, 1.0, "bicubic"),
        ("a3_in1k", 19.452, 224, 0.95, "bicubic"),
        ("tv_in1k", 21.670, 224, 0.875, "bilinear"),
        ("tv2_in1k", 17.706, 224, 0.965, "bilinear"),
        ("gluon_in1k", 20.288, 224, 0.875, "bicubic"),
    ),
    "wide_resnet50_2": (
        ("racm_in1k", 17.740, 288, 0.95, "bicubic"),
        ("tv_in1k", 21.514, 224, 0.875, "bilinear"),
        ("tv2_in1k", 18.388, 224, 0.965, "bilinear"),
    ),
    "wide_resnet101_2": (
        ("tv_in1k", 21.138, 224, 0.875, "bilinear"),
        ("tv2_in1k", 17.486, 224, 0.965, "bilinear"),
    ),
    "resnext50_32x4d": (
        ("a1h_in1k", 17.984, 288, 1.0, "bicubic"),
        ("a1_in1k", 18.520, 288, 1.0, "bicubic"),
        ("a2_in1k", 18.696, 288, 1.0, "bicubic"),
        ("a3_in1k", 20.742, 224, 0.95, "bicubic"),
        ("ra_in1k", 19.280, 288, 0.95, "bicubic"),
        ("tv_in1k", 22.368, 224, 0.875, "bilinear"),
        ("tv2_in1k", 18.810, 224, 0.965, "bilinear"),
        ("fb_ssl_yfcc100m_ft_in1k", 19.684, 224, 0.875, "bilinear"),
        ("fb_swsl_ig1b_ft_in1k", 17.838, 224, 0.875, "bilinear"),
        ("gluon_in1k", 20.646, 224, 0.875, "bicubic"),
    ),
    "resnext101_32x4d": (
        ("fb_ssl_yfcc100m_ft_in1k", 19.064, 224, 0.875, "bilinear"),
        ("fb_swsl_ig1b_ft_in1k", 16.732, 224, 0.875, "bilinear"),
        ("gluon_in1k", 19.664, 224, 0.875, "bicubic"),
    ),
    "resnext101_32x8d": (
        ("tv_in1k", 20.692, 224, 0.875, "bilinear"),
        ("tv2_in1k", 17.168, 224, 0.965, "bilinear"),
        ("fb_wsl_ig1b_ft_in1k", 17.280, 224, 0.875, "bilinear"),
        ("fb_ssl_yfcc100m_ft_in1k", 18.380, 224, 0.875, "bilinear"),
        ("fb_swsl_ig1b_ft_in1k", 15.724, 224, 0.875, "bilinear"),
    ),
    "resnext101_64x4d": (
        ("c1_in1k", 16.842, 288, 1.0, "bicubic"),
        ("tv_in1k", 17.022, 224, 0.875, "bilinear"),
        ("gluon_in1k", 19.360, 224, 0.875, "bicubic"),
    ),
    "resnext101_32x16d": (
        ("fb_wsl_ig1b_ft_in1k", 15.834, 224, 0.875, "bilinear"),
        ("fb_ssl_yfcc100m_ft_in1k", 18.144, 224, 0.875, "bilinear"),
        ("fb_swsl_ig1b_ft_in1k", 16.660, 224, 0.875, "bilinear"),
    ),
    "resnext101_32x32d": (("fb_wsl_ig1b_ft_in1k", 14.910, 224, 0.875, "bilinear"),),
}


def entries() -> tuple[WeightsEntry, ...]:
    """Build the entries of this publisher."""
    return tuple(_entry(theirs, *row) for theirs, rows in _ROWS.items() for row in rows)


def _entry(
    theirs: str,
    tag: str,
    top1_error: float,
    image_size_px: int,
    crop: float,
    interpolation: Literal["bilinear", "bicubic"],
) -> WeightsEntry:
    licence = _licence(tag)
    entry = WeightsEntry(
        name=f"{theirs}.{tag}",
        network=_OURS.get(theirs, theirs),
        family="timm",
        address=f"hf-hub:timm/{theirs}.{tag}/model.safetensors",
        licence=licence,
        is_non_commercial="-NC-" in licence,
        image_size_px=image_size_px,
        resize_px=math.floor(image_size_px / crop),  # timm rounds down
        interpolation=interpolation,
        top1_error=top1_error,
        published_at=_RESULTS,
    )
    if tag.startswith("ra4_"):  # the one recipe here with Inception's mean and deviation
        return entry.replace(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    return entry


def _licence(tag: str) -> str:
    """Return the licence of a tag: torchvision's, Facebook's or timm's own."""
    if tag.startswith("tv"):
        return "BSD-3-Clause"
    return "CC-BY-NC-4.0" if tag.startswith("fb_") else "Apache-2.0"
