"""Predicts with one network, in PyTorch or exported.

torch is imported only for a network in PyTorch: a service with an exported file does not need it.
Legend: b images, k classes, h x w x c pixels.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from resnext.class_lists import readable
from resnext.data.prepare.geometry import Pixels
from resnext.data.prepare.scale import normalise_pixels
from resnext.errors import ConfigError
from resnext.inference.finder import Finder
from resnext.inference.parity import Parity, check_bf16, parity_of
from resnext.inference.preprocessor import Preprocessor
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import Arithmetic, Precision
from resnext.tasks.answer import Answer
from resnext.tasks.kinds import answer_type, check_network, task_kind
from resnext.tasks.segmentation.answer import MaskAnswer
from resnext.tasks.segmentation.tiles import (
    Tiling,
    classify_in_tiles,
    describe_tiling,
    tiling_of,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

    from resnext.model.trained import TrainedNetwork

_LOG = logging.getLogger(__name__)

Logits = npt.NDArray[np.float32]


def exported_of(network: TrainedNetwork | Exported) -> Exported | None:
    """Return the exported file of a network, even if `load` opened it, or None."""
    if isinstance(network, Exported):
        return network
    from resnext.runtimes.module import ExportedModule

    return network.module.exported if isinstance(network.module, ExportedModule) else None


class Predictor:
    """A network with everything needed to prepare its input and read its answer.

    Attributes:
        network: The network; for an exported file, the file itself without its module.
        preprocessor: Prepares its images.
        classes: Readable names of its outputs.
        answers: The type of its answers.
        precision: Precision of the arithmetic.
        parity: What bf16 changed on the first images, if it was compared with fp32.
    """

    def __init__(
        self,
        network: TrainedNetwork | Exported,
        device: torch.device | None = None,
        *,
        precision: Arithmetic | None = None,
        reference: Predictor | None = None,
    ) -> None:
        """Prepare a network.

        Args:
            network: A network in PyTorch, or an exported file.
            device: Device of a network in PyTorch; None leaves it where it is.
            precision: Precision of a network in PyTorch, by default fp32; that of an exported file
                was set when it was opened.
            reference: The same network in fp32, which also computes the first images.

        Raises:
            ConfigError: It does not take images, its card has the task of another kind of network,
                or the device does not support this precision.
        """
        check_network(task_kind(network.card.task), network.config)
        exported = exported_of(network)
        spec = None if exported is None else exported.spec
        self.network = exported or network
        self.preprocessor = Preprocessor.of(network.config, network.card, spec)
        self.classes = tuple(readable(name) for name in network.classes)
        self.answers = answer_type(network.card.task)
        self._finder: Finder | None = None
        self.precision: Precision = "fp32"
        if self.preprocessor.detector is not None:
            self._finder = Finder(self.network, self.classes, device, precision)
        elif not isinstance(self.network, Exported):
            self._device = device or _device_of(self.network)
            self.precision = precision or "fp32"
            self._module = self._build_module(self.network)
        else:
            self.precision = self.network.spec.precision
        self._has_told_of_tiles = False
        self.parity: Parity | None = None
        self._reference = reference

    def answers_to(self, images: Sequence[Pixels], top: int) -> Iterator[Answer]:
        """Yield the answer for each prepared image.

        Only one image's outputs for every pixel are in memory at a time: they are very large.

        Args:
            images: Results of `preprocessor.pixels`.
            top: Number of classes to return, if they are ranked, or of objects.

        Raises:
            ResNeXtError: As `logits`.
        """
        if self._finder is not None:
            yield from (self._finder.find(image_hwc, top) for image_hwc in images)
            return
        together = 1 if self.preprocessor.is_dense else max(len(images), 1)
        for start in range(0, len(images), together):
            batch = images[start : start + together]
            if (tiling := self._tiling(batch[0])) is not None:
                yield self._classify_in_tiles(batch[0], tiling)
                continue
            for outputs in self.logits(batch):
                yield self.answer(outputs, top)

    def _tiling(self, image_hwc: Pixels) -> Tiling | None:
        """Return how to tile an image that is too large or does not have the fixed input size."""
        if not self.preprocessor.is_dense or not issubclass(self.answers, MaskAnswer):
            return None
        height, width = image_hwc.shape[:2]
        spec = self.network.spec if isinstance(self.network, Exported) else None
        return tiling_of(height, width, spec)

    def _classify_in_tiles(self, image_hwc: Pixels, tiling: Tiling) -> Answer:
        if not self._has_told_of_tiles:
            self._has_told_of_tiles = True
            height, width = image_hwc.shape[:2]
            _LOG.warning(describe_tiling(height, width, tiling))
        classes_hw = classify_in_tiles(
            lambda tile_hwc: self.logits([tile_hwc])[0], image_hwc, len(self.classes), tiling
        )
        return MaskAnswer(classes_hw, self.classes)

    def logits(self, images: Sequence[Pixels]) -> Logits:
        """Run prepared images through the network.

        Args:
            images: Results of `preprocessor.pixels`; at least one, and of equal size if the network
                gives every pixel a class.

        Returns:
            b x k, or b x k x h x w; of an exported detector b x objects x columns.

        Raises:
            ConfigError: The images do not fit the network, or bf16 changes the answers too much.
            CheckpointError: The runtime of an exported file fails.
        """
        logits_bk = self._logits(images)
        if self._reference is not None:
            wanted_bk = self._reference.logits(images)
            self._reference = None
            self.parity = parity_of(wanted_bk, logits_bk, "the first of the input")
            check_bf16(self.parity, "this network")
        return logits_bk

    def _logits(self, images: Sequence[Pixels]) -> Logits:
        if self.preprocessor.is_whole or self._finder is not None:  # each has its own size
            return np.concatenate([self._run(image[np.newaxis]) for image in images])
        return self._run(np.stack(images))

    def answer(self, outputs: npt.NDArray[Any], top: int) -> Answer:
        """Turn the network's output for one image into its task's answer.

        Args:
            outputs: One row of the result of `logits`.
            top: Number of classes to return, if they are ranked.
        """
        return self.answers.read(outputs, self.classes, self.network.card, top)

    def normalised(self, images_bhwc: Pixels) -> torch.Tensor:
        """Return crops as the input of a network in PyTorch, b x c x h x w."""
        import torch

        from resnext.data.prepare.normalise import normalise

        card = self.network.card
        images_bchw = torch.from_numpy(images_bhwc).permute(0, 3, 1, 2)
        return normalise(images_bchw, card.mean, card.std, self._device)

    def _run(self, images_bhwc: Pixels) -> Logits:
        if not isinstance(self.network, Exported):
            return self._run_torch(images_bhwc)
        if self.network.spec.input != "normalised":
            return self.network.run(images_bhwc)
        card = self.network.card
        return self.network.run(normalise_pixels(images_bhwc, card.mean, card.std))

    def _build_module(self, network: TrainedNetwork) -> nn.Module:
        from resnext.complexity.count import count
        from resnext.inference.fused import fuse_after

        if self.precision == "bf16":
            _check_bf16(self._device)
            return network.move_to(self._device)
        module, size_px = network.move_to(self._device), self.preprocessor.preparation.size_px
        macs = count(network.config, (network.config.in_channels, size_px, size_px)).macs
        return fuse_after(module, self._device, ndim=2, macs=macs)

    def _run_torch(self, images_bhwc: Pixels) -> Logits:
        import torch

        is_low = self.precision == "bf16"
        cast = torch.autocast(self._device.type, torch.bfloat16, enabled=is_low)
        with torch.inference_mode(), cast:
            logits: Logits = self._module(self.normalised(images_bhwc)).float().cpu().numpy()
        return logits


def _check_bf16(device: torch.device) -> None:
    import torch

    from resnext.runs.runtime import resolve_dtype

    if resolve_dtype("auto", device) != torch.bfloat16:
        raise ConfigError(
            f"precision='bf16': this {device.type} has no bf16 arithmetic (on a CPU avx512_bf16 or "
            "amx_bf16) and would emulate it, more slowly; omit --precision"
        )


def _device_of(network: TrainedNetwork) -> torch.device:
    import torch

    return next((one.device for one in network.module.parameters()), torch.device("cpu"))
