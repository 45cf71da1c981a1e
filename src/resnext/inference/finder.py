"""Finds objects in images with a detector, in PyTorch or exported.

torch is imported only for a network in PyTorch. Legend: n objects found in an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from resnext.data.prepare.geometry import Pixels
from resnext.errors import ConfigError
from resnext.runtimes.exported import Exported
from resnext.tasks.detection.answer import BoxAnswer

if TYPE_CHECKING:
    import torch

    from resnext.model.trained import TrainedNetwork
    from resnext.runtimes.spec import Arithmetic


class Finder:
    """A detector, ready for images."""

    def __init__(
        self,
        network: TrainedNetwork | Exported,
        classes: tuple[str, ...],
        device: torch.device | None,
        precision: Arithmetic | None,
    ) -> None:
        """Prepare a network.

        Args:
            network: A detector.
            classes: Readable names of its classes.
            device: Device of a network in PyTorch; None leaves it where it is.
            precision: Precision of a network in PyTorch.

        Raises:
            ConfigError: The precision is bf16.
        """
        if precision == "bf16":
            raise ConfigError("precision='bf16': detectors compute in fp32; leave it out")
        self._network, self._classes, self._device = network, classes, device
        if not isinstance(network, Exported):
            module = network.module if device is None else network.module.to(device)
            self._module = module.eval()

    def find(self, image_hwc: Pixels, top: int) -> BoxAnswer:
        """Return the objects in an image, however low their scores.

        Args:
            image_hwc: The image at its own size.
            top: Maximum number of objects.

        Raises:
            CheckpointError: The runtime of an exported file fails.
        """
        network = self._network
        if not isinstance(network, Exported):
            return self._find_in_torch(image_hwc, top)
        rows_nx = network.run(np.ascontiguousarray(image_hwc[np.newaxis]))[0]
        answer = BoxAnswer.read(rows_nx, self._classes, network.card, top)
        return answer.in_image(*image_hwc.shape[:2])

    def _find_in_torch(self, image_hwc: Pixels, top: int) -> BoxAnswer:
        import torch

        from resnext.tasks.detection.network import found_masks, found_rows

        device = self._device or next(self._module.parameters()).device
        pixels_chw = torch.from_numpy(np.array(image_hwc)).permute(2, 0, 1)
        with torch.inference_mode():
            (found,) = self._module([pixels_chw.to(device).float().div(255)])
        answer = BoxAnswer.read(found_rows(found), self._classes, self._network.card, top)
        masks = found_masks(found, (image_hwc.shape[0], image_hwc.shape[1]), top)
        return answer if masks is None else answer.with_masks(masks)
