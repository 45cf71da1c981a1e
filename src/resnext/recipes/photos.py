"""How `fast` chooses network, image size and epochs for a folder or table of images.

The rules target 15 to 60 minutes on a laptop CPU for a few hundred to a few thousand photos. With
few steps a shallow network learns more than a deep one, and small sets need many epochs for enough
steps. On a GPU, networks and images are larger.
"""

from __future__ import annotations

from dataclasses import dataclass

_CPU_SIDE_PX, _GPU_SIDE_PX = 128, 224
_MIN_SIDE_PX = 32
_SIDE_STEP_PX = 16  # what the stem and three halvings of a map divide evenly, nearly
_MAX_CIFAR_PX = 40
_FEW_IMAGES = 5_000
_MIN_EPOCHS, _MAX_EPOCHS = 15, 150
_EPOCH_IMAGES = 60_000


@dataclass(frozen=True)
class PhotoFacts:
    """Facts that determine the recipe for image files.

    Attributes:
        num_train: Training images.
        short_side_px: Median of their shorter sides in pixels; None if none could be read.
        has_gpu: Whether training uses a GPU.
    """

    num_train: int
    short_side_px: int | None
    has_gpu: bool

    @property
    def image_size_px(self) -> int:
        """Side of the crop: that of the images, up to a limit for the machine."""
        largest = _GPU_SIDE_PX if self.has_gpu else _CPU_SIDE_PX
        side = min(self.short_side_px or largest, largest)
        return max(_MIN_SIDE_PX, side // _SIDE_STEP_PX * _SIDE_STEP_PX)

    @property
    def model(self) -> str:
        """Name of the network."""
        if self.image_size_px <= _MAX_CIFAR_PX:
            return "resnext29_8x64d" if self.has_gpu else "resnext_1-1-1_8x8d_cifar"
        if not self.has_gpu:
            return "resnext_1-1-1-1_32x4d"
        return "resnext_2-2-2-2_32x4d" if self.num_train < _FEW_IMAGES else "resnext50_32x4d"

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        wanted = 10 + round(_EPOCH_IMAGES / self.num_train)
        return min(max(wanted, _MIN_EPOCHS), _MAX_EPOCHS)
