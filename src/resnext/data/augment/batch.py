"""The batched part of augmentation: from uint8 pixels to what the network sees."""

from __future__ import annotations

import math

import torch

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.mix import box_mask
from resnext.data.augment.windows import crop_windows, mean_color, mirror, pad_images
from resnext.data.prepare.normalise import Normaliser
from resnext.data.prepare.views import resize_batch
from resnext.data.random import Draw, below, derive, normal, uniform
from resnext.data.split import DataInfo

# Principal components of ImageNet's RGB values, from the released Torch code
# (datasets/imagenet.lua of fb.resnet.torch).
_EIGENVALUES = (0.2175, 0.0188, 0.0045)
_EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
# Random erasing's defaults, in the paper and in torchvision.
_ERASED_AREA = (0.02, 0.33)
_ERASED_RATIO = (0.3, 3.3)


class BatchAugmenter:
    """Crops, mirrors, normalises, lights, resizes and erases batches on the device.

    All randomness is a function of (seed, epoch, index of the image), drawn on the CPU, so it is
    the same on every device.
    """

    def __init__(
        self, augment: AugmentConfig, info: DataInfo, seed: int, device: torch.device
    ) -> None:
        self.pad_px = augment.pad_px if augment.crop == "pad" else 0
        self._augment = augment
        self._seed = seed
        self._color = mean_color(info.mean)
        self._device = device
        self._normaliser = Normaliser(info.mean, info.std, device)

    def pad(self, images_nhwc: torch.Tensor) -> torch.Tensor:
        """Add the border that `crop` cuts from."""
        return pad_images(images_nhwc, self.pad_px, self._color)

    def crop(
        self,
        padded_nhwc: torch.Tensor,
        numbers_b: torch.Tensor,
        indices_b: torch.Tensor,
        epoch: int,
    ) -> torch.Tensor:
        """Take some of the padded images, each cropped back to its size at a random place.

        Args:
            padded_nhwc: Images with their border, on the device.
            numbers_b: Which of them, on the CPU.
            indices_b: Their numbers in the split, which decide the place.
            epoch: Also decides the place.
        """
        height, width = (side - 2 * self.pad_px for side in padded_nhwc.shape[1:3])
        if not self.pad_px:
            return padded_nhwc.index_select(0, numbers_b.to(self._device))
        rows_b, columns_b = (
            below(2 * self.pad_px + 1, self._key(draw, epoch), indices_b).to(self._device)
            for draw in (Draw.CROP_ROW, Draw.CROP_COLUMN)
        )
        numbers_b = numbers_b.to(self._device)
        return crop_windows(padded_nhwc, numbers_b, rows_b, columns_b, (height, width))

    def finish(
        self, images_bhwc: torch.Tensor, indices_b: torch.Tensor, epoch: int, size_px: int
    ) -> torch.Tensor:
        """Apply everything else except mixing.

        Args:
            images_bhwc: uint8, on the device.
            indices_b: Numbers of the images in the split, on the CPU.
            epoch: Epoch, which determines the augmentation.
            size_px: Side of the result.

        Returns:
            Float32 b x c x size x size, channels_last.
        """
        images_bhwc = self.flip(images_bhwc, indices_b, epoch)
        images_bchw = self._normaliser(images_bhwc)
        if self._augment.lighting:
            images_bchw += self._lighting(indices_b, epoch)[:, :, None, None]
        images_bchw = resize_batch(images_bchw, size_px, size_px)
        if self._augment.erasing:
            mask_bhw = self._erased(indices_b, epoch, size_px)
            images_bchw.masked_fill_(mask_bhw.unsqueeze(1), 0.0)  # the mean
        return images_bchw

    def flip(self, images_bhwc: torch.Tensor, indices_b: torch.Tensor, epoch: int) -> torch.Tensor:
        """Mirror every second image, or mask with one channel, if that is asked for."""
        if not self._augment.flip:
            return images_bhwc
        return mirror(images_bhwc, uniform(self._key(Draw.FLIP, epoch), indices_b) < 0.5)

    def _lighting(self, indices_b: torch.Tensor, epoch: int) -> torch.Tensor:
        """Draw each image's color offset, b x 3 (A. Krizhevsky et al., AlexNet, section 4.1)."""
        key = self._key(Draw.LIGHTING, epoch)
        alphas_b3 = torch.stack([normal(derive(key, c), indices_b) for c in range(3)], dim=1)
        weights_b3 = alphas_b3 * self._augment.lighting * torch.tensor(_EIGENVALUES)
        # Not a matrix product: it rounds differently with the number of images in the batch.
        offsets_b3 = torch.zeros_like(weights_b3)
        for component, vector in enumerate(torch.tensor(_EIGENVECTORS).T):
            offsets_b3 += weights_b3[:, component, None] * vector
        return offsets_b3.to(self._device) / self._normaliser.std_c

    def _erased(self, indices_b: torch.Tensor, epoch: int, side_px: int) -> torch.Tensor:
        """Draw the erased rectangles as b x h x w booleans (Z. Zhong et al., 1708.04896)."""
        key = self._key(Draw.ERASING, epoch)
        chance, area, ratio, top, left = (uniform(derive(key, n), indices_b) for n in range(5))
        area = side_px**2 * (_ERASED_AREA[0] + area * (_ERASED_AREA[1] - _ERASED_AREA[0]))
        low, high = (math.log(limit) for limit in _ERASED_RATIO)
        root = torch.exp((low + ratio * (high - low)) / 2)
        # An erased rectangle never covers a whole side: the image keeps some of itself.
        heights = (area.sqrt() * root).round().clamp(1, max(side_px - 1, 1))
        widths = (area.sqrt() / root).round().clamp(1, max(side_px - 1, 1))
        tops = (top * (side_px - heights + 1)).floor()
        lefts = (left * (side_px - widths + 1)).floor()
        boxes_b4 = torch.stack([tops, tops + heights, lefts, lefts + widths], dim=1)
        boxes_b4[chance >= self._augment.erasing] = 0.0
        return box_mask(boxes_b4.long().to(self._device), side_px, side_px)

    def _key(self, draw: Draw, epoch: int) -> int:
        return derive(self._seed, draw, epoch)
