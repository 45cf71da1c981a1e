"""Facts about one published weight file, as data. Nothing here needs torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from resnext.settings import Settings

Family = Literal[
    "resnext",
    "torchvision",
    "timm",
    "mmpretrain",
    "pycls",
    "torch7",
    "pytorchcv",
    "detectron2",
    "segmentation_models_pytorch",
    "transformers",
    "prlz77",
    "hysts",
    "weiaicunzai",
]
"""Library whose tensor names a file uses; `resnext` for files of this package."""

ClassList = Literal["imagenet1k", "cifar10", "cifar100", "svhn", "coco90"]

_NUM_CLASSES = {"imagenet1k": 1000, "cifar10": 10, "cifar100": 100, "svhn": 10, "coco90": 90}


class WeightsEntry(Settings):
    """One published weight file.

    Attributes:
        name: `NETWORK.TAG`, such as `resnext50_32x4d.a1h_in1k`; the publisher's own tag if there is
            one.
        network: The architecture, as `parse_name` reads it.
        family: Library whose tensor names the file uses.
        address: `https://...` of the file, or `hf-hub:OWNER/NAME/FILE` on the Hugging Face Hub.
        sha256: Checksum in lower-case hexadecimal, or as many leading digits as were published;
            empty if none.
        sha1: The same for publishers that give SHA-1.
        licence: SPDX identifier, or a short name and an address.
        is_non_commercial: The licence forbids commercial use.
        classes: Class list of the outputs.
        task: What the network has learned.
        image_size_px: Side of the crop at which the published error was measured; of a detector,
            the short side to which it resizes images.
        resize_px: Short side to which images are resized before that crop; None does not resize.
        mean: Mean of each channel, of values in 0..1, in the order red, green, blue.
        std: Standard deviation of each channel, likewise.
        interpolation: Filter of the resize.
        top1_error: Published top-1 error in percent, single crop; None if not published.
        box_ap: Published AP in percent, of a detector: COCO's, over ten thresholds of overlap.
        mask_ap: The same of its masks, if it finds any.
        published_at: Source of the error or the AP.
        note: What else a user must know, in one sentence.
    """

    name: str
    network: str
    family: Family
    address: str
    sha256: str = ""
    sha1: str = ""
    licence: str
    is_non_commercial: bool = False
    classes: ClassList = "imagenet1k"
    task: Literal["classification", "detection"] = "classification"
    image_size_px: PositiveInt = 224
    resize_px: PositiveInt | None = 256
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    top1_error: Annotated[float, Field(ge=0.0, le=100.0)] | None = None
    box_ap: Annotated[float, Field(ge=0.0, le=100.0)] | None = None
    mask_ap: Annotated[float, Field(ge=0.0, le=100.0)] | None = None
    published_at: str = ""
    note: str = ""

    @property
    def num_classes(self) -> int:
        """Number of outputs of the network."""
        return _NUM_CLASSES[self.classes]

    @property
    def crop_fraction(self) -> float:
        """Side of the crop divided by the short side of the resized image."""
        return self.image_size_px / (self.resize_px or self.image_size_px)

    @property
    def filename(self) -> str:
        """Name of the file, after unpacking if it is published as a zip archive."""
        return self.address.rpartition("/")[2].removesuffix(".zip")
