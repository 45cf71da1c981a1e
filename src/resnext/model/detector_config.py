"""The settings of a network that finds objects. Needs no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StrictBool, StrictInt, model_validator

from resnext.errors import ConfigError
from resnext.model.choices import PYRAMID_STAGES, Size
from resnext.model.resnext_config import ResNeXtConfig
from resnext.settings import Settings, Whole

DetectorHead = Literal["retinanet", "faster_rcnn", "mask_rcnn", "faster_rcnn_c4"]
DETECTORS: tuple[DetectorHead, ...] = get_args(DetectorHead)
MAX_SIDE_PX = 8192
"""Of a resized image: a file from outside must not make an image larger than any memory."""

Side = Annotated[Whole, Field(gt=0, le=MAX_SIDE_PX)]
NUM_GROUPS = 32
"""Of the norm in version 2 of RetinaNet's head."""

NUM_TESTED = 300
"""Regions of an image in inference, without a pyramid (S. Ren et al., section 3.3)."""

REGION_SIDE = 14
"""Sides of a region there, in positions of the map."""

NUM_LEVELS = 5
"""Maps of the pyramid that heads look at."""


MASK_SIDE = 28
"""Sides of an object's mask, in positions of the network."""

NUM_COLUMNS = 6
"""Numbers of an object without its mask: its box, score and class."""


class DetectorConfig(Settings):
    """A network that finds objects: a backbone, a feature pyramid and torchvision's heads.

    Attributes:
        family: `retinanet` looks at every position once (T.-Y. Lin et al., arXiv 1708.02002);
            `faster_rcnn` looks again at regions that a first network proposes (S. Ren et al.,
            arXiv 1506.01497); `mask_rcnn` also gives each object a mask (K. He et al., arXiv
            1703.06870). These stand on a feature pyramid (arXiv 1612.03144). `faster_rcnn_c4` has
            none: the last stage of the backbone runs on every region, as in the paper's Table 8.
        version: 1 has torchvision's first layers, 2 those of its networks ending in `_v2`.
        backbone: The network before the pyramid.
        num_classes: Classes of objects, without the background.
        min_size_px: Images are resized until their short side has this many pixels ...
        max_size_px: ... or their long side this many, whichever makes them smaller.
        pyramid_channels: Channels of the maps of the pyramid; 256 in the papers. With 64, the
            layers on them need a sixteenth of the arithmetic.
        anchor_sizes_px: Sides of the anchors, one on each of the five maps of the pyramid; without
            a pyramid, all on one map.
        frozen_norm: The BN of the backbone keeps its statistics and weights, as when training
            starts from trained weights with few images on a device.
        norm_epsilon: Added to the variances of a frozen BN; 0 in torchvision's first weights.
    """

    family: DetectorHead
    version: Annotated[StrictInt, Field(ge=1, le=2)] = 1
    backbone: ResNeXtConfig = ResNeXtConfig(num_classes=0)
    num_classes: Size = 90
    min_size_px: Side = 800
    max_size_px: Side = 1333
    pyramid_channels: Size = 256
    anchor_sizes_px: tuple[Size, ...] = (32, 64, 128, 256, 512)
    frozen_norm: StrictBool = False
    norm_epsilon: Annotated[float, Field(ge=0, le=0.1)] = 1e-5

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_backbone(self.backbone)
        if self.max_size_px < self.min_size_px:
            raise ConfigError(
                f"max_size_px={self.max_size_px} is less than min_size_px={self.min_size_px}; it "
                "bounds the long side of an image and min_size_px the short one"
            )
        if self.family == "faster_rcnn_c4":
            self._check_without_pyramid()
        if self.version == 2 and self.pyramid_channels % NUM_GROUPS:
            raise ConfigError(
                f"pyramid_channels={self.pyramid_channels}: version 2 normalises {NUM_GROUPS} "
                f"groups of them; give a multiple of {NUM_GROUPS}"
            )
        has_pyramid = self.family != "faster_rcnn_c4"
        if not self.anchor_sizes_px or (has_pyramid and len(self.anchor_sizes_px) != NUM_LEVELS):
            raise ConfigError(
                f"anchor_sizes_px has {len(self.anchor_sizes_px)} sizes; give one for each of the "
                f"{NUM_LEVELS} maps of the pyramid"
            )
        return self

    def _check_without_pyramid(self) -> None:
        default = type(self).model_fields["pyramid_channels"].default
        if self.pyramid_channels != default:
            raise ConfigError(
                f"pyramid_channels={self.pyramid_channels}: {self.family} has no pyramid; leave it "
                "out"
            )
        if self.version != 1:
            raise ConfigError(f"version={self.version}: {self.family} only has version 1")
        if self.backbone.preactivation:
            raise ConfigError(
                f"backbone.preactivation=true: {self.family} runs the last stage without the norm "
                "behind it; take another head"
            )

    def _check_backbone(self, backbone: ResNeXtConfig) -> None:
        if backbone.num_classes:
            raise ConfigError(
                f"backbone.num_classes={backbone.num_classes}: the head is another; give 0"
            )
        if backbone.ndim != 2:
            raise ConfigError(f"backbone.ndim={backbone.ndim}: {self.family} is for images, ndim=2")
        num_stages = len(backbone.blocks_per_stage)
        if num_stages != PYRAMID_STAGES or backbone.output_stride is not None:
            raise ConfigError(
                f"{self.family} stands on the maps of {PYRAMID_STAGES} stages that halve from "
                f"stage to stage; the backbone has {num_stages} stages and "
                f"output_stride={backbone.output_stride or 'none'}"
            )

    def resized_sides(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        """Return the sides of an image as the network resizes it, in pixels.

        Args:
            sides: Of the image, in pixels.

        Raises:
            ConfigError: It is so long and narrow that nothing would be left of its short side.
        """
        scale = min(self.min_size_px / min(sides), self.max_size_px / max(sides))
        resized = tuple(int(side * scale) for side in sides)
        if min(resized) < 1:
            text = "x".join(map(str, sides))
            raise ConfigError(
                f"an image of {text} pixels is too long and narrow: resized to "
                f"{self.max_size_px} pixels, nothing is left of its short side; crop it"
            )
        return resized

    @property
    def num_rows(self) -> int:
        """Objects of an image, at most; torchvision's `detections_per_img`."""
        return 300 if self.family == "retinanet" else 100

    @property
    def num_columns(self) -> int:
        """Numbers of an object of an exported network, including its mask."""
        return NUM_COLUMNS + (MASK_SIDE**2 if self.family == "mask_rcnn" else 0)

    @property
    def body_prefixes(self) -> tuple[str, ...]:
        """What stands before the names of the backbone's weights: of all, and of the last stage."""
        if self.family == "faster_rcnn_c4":
            return ("backbone.body.", "roi_heads.box_head.")
        return ("backbone.body.",)

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.backbone.in_channels

    @property
    def ndim(self) -> int:
        """Spatial dimensions of the input."""
        return self.backbone.ndim
