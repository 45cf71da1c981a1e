"""One network, in PyTorch or exported, that names what is in an image.

torch is imported only for a network in PyTorch: a service of an exported file has none.
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
from resnext.inference.parity import Parity, check_bf16, parity_of
from resnext.inference.preprocessor import Preprocessor
from resnext.inference.tiles import Tiling, classify_in_tiles
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import Arithmetic, Precision
from resnext.tasks.answer import Answer
from resnext.tasks.kinds import answer_type, check_network, task_kind
from resnext.tasks.segmentation.answer import MaskAnswer

if TYPE_CHECKING:
    import torch
    from torch import nn

    from resnext.model.trained import TrainedNetwork

_LOG = logging.getLogger(__name__)

Logits = npt.NDArray[np.float32]
MAX_WHOLE_PIXELS = 2**22
"""Of an image that goes through a network for pixels at once; a larger one goes in tiles.

DeepLabV3 on a ResNeXt-50 holds about 1.6 GiB of maps then.
"""

_FIXED_MARGIN = 8  # tiles of the one size that a file takes; as many margins are in a side


def exported_of(network: TrainedNetwork | Exported) -> Exported | None:
    """Return the exported file that a network is, also one that `load` opened, or None."""
    if isinstance(network, Exported):
        return network
    from resnext.runtimes.module import ExportedModule

    return network.module.exported if isinstance(network.module, ExportedModule) else None


class Predictor:
    """A network with all that is needed to show it images and to read its answer.

    Attributes:
        network: The network; an exported file as it is, without the module around it.
        preprocessor: How it takes its images.
        classes: Readable names of its outputs.
        answers: The type of its answers.
        precision: Of the arithmetic.
        parity: What bf16 changed on the first images, where it was compared with fp32.
    """

    def __init__(
        self,
        network: TrainedNetwork | Exported,
        device: torch.device | None = None,
        *,
        precision: Arithmetic | None = None,
        reference: Predictor | None = None,
    ) -> None:
        """Take a network.

        Args:
            network: In PyTorch, or exported.
            device: Where one in PyTorch goes; None leaves it where it is.
            precision: Of one in PyTorch, fp32 by default; an exported one was opened in its own.
            reference: The same network in fp32, which the first images go through as well.

        Raises:
            ConfigError: It is not for images, its card names a task of other networks, or the
                device has no arithmetic of this precision.
        """
        check_network(task_kind(network.card.task), network.config)
        exported = exported_of(network)
        spec = None if exported is None else exported.spec
        self.network = exported or network
        self.preprocessor = Preprocessor.of(network.config, network.card, spec)
        self.classes = tuple(readable(name) for name in network.classes)
        self.answers = answer_type(network.card.task)
        if not isinstance(self.network, Exported):
            self._device = device or _device_of(self.network)
            self.precision: Precision = precision or "fp32"
            self._module = self._build_module(self.network)
        else:
            self.precision = self.network.spec.precision
        self._has_told_of_tiles = False
        self.parity: Parity | None = None
        self._reference = reference

    def answers_to(self, images: Sequence[Pixels], top: int) -> Iterator[Answer]:
        """Yield the answer to each of some prepared images.

        Outputs for every pixel are much larger than the image, so those of one image at a time are
        in memory.

        Args:
            images: What `preprocessor.pixels` returned.
            top: Classes to name, where they are ranked.

        Raises:
            ConfigError: As `logits`.
            CheckpointError: As `logits`.
        """
        together = 1 if self.preprocessor.is_dense else max(len(images), 1)
        for start in range(0, len(images), together):
            batch = images[start : start + together]
            if (tiling := self._tiling(batch[0])) is not None:
                yield self._classify_in_tiles(batch[0], tiling)
                continue
            for outputs in self.logits(batch):
                yield self.answer(outputs, top)

    def _tiling(self, image_hwc: Pixels) -> Tiling | None:
        """Return how to cut an image: one that is too large, or not of the only size taken."""
        if not self.preprocessor.is_dense or not issubclass(self.answers, MaskAnswer):
            return None
        height, width = image_hwc.shape[:2]
        network = self.network
        if isinstance(network, Exported) and not network.spec.dynamic_size:
            side = network.spec.size_px
            is_whole = height == width == side
            return None if is_whole else Tiling(side, side // _FIXED_MARGIN, is_exact=True)
        return Tiling() if height * width > MAX_WHOLE_PIXELS else None

    def _classify_in_tiles(self, image_hwc: Pixels, tiling: Tiling) -> Answer:
        if not self._has_told_of_tiles:
            self._has_told_of_tiles = True
            height, width = image_hwc.shape[:2]
            _LOG.warning(
                "an image of %d x %d px goes through the network in tiles of %d px that overlap by "
                "%d px; so do others that do not fit",
                *(width, height, tiling.tile_px, 2 * tiling.margin_px),
            )
        classes_hw = classify_in_tiles(
            lambda tile_hwc: self.logits([tile_hwc])[0], image_hwc, len(self.classes), tiling
        )
        return MaskAnswer(classes_hw, self.classes)

    def logits(self, images: Sequence[Pixels]) -> Logits:
        """Run prepared images through the network.

        Args:
            images: What `preprocessor.pixels` returned; at least one, and of equal size where the
                network gives every pixel a class.

        Returns:
            b x k, or b x k x h x w.

        Raises:
            ConfigError: They do not fit the network, or bf16 changes the answers too much.
            CheckpointError: The runtime of an exported file fails.
        """
        logits_bk = self._logits(images)
        if self._reference is not None:
            wanted_bk = self._reference.logits(images)
            self._reference = None
            self.parity = parity_of(wanted_bk, logits_bk, "the first ones")
            check_bf16(self.parity, "this network")
        return logits_bk

    def _logits(self, images: Sequence[Pixels]) -> Logits:
        if self.preprocessor.is_whole:  # each of its own size
            return np.concatenate([self._run(image[np.newaxis]) for image in images])
        return self._run(np.stack(images))

    def answer(self, outputs: npt.NDArray[Any], top: int) -> Answer:
        """Read what the network computed for one image, as its task does.

        Args:
            outputs: A row of what `logits` returned.
            top: Classes to name, where they are ranked.
        """
        return self.answers.read(outputs, self.classes, self.network.card, top)

    def normalised(self, images_bhwc: Pixels) -> torch.Tensor:
        """Return crops as the numbers that a network in PyTorch sees, b x c x h x w."""
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
            logits_bk: torch.Tensor = self._module(self.normalised(images_bhwc))
        logits: Logits = logits_bk.float().cpu().numpy()
        return logits


def _check_bf16(device: torch.device) -> None:
    import torch

    from resnext.runs.runtime import resolve_dtype

    if resolve_dtype("auto", device) != torch.bfloat16:
        raise ConfigError(
            f"precision='bf16': {device.type} has no such arithmetic here (on a CPU avx512_bf16 or "
            "amx_bf16) and would only imitate it, slower; leave --precision out"
        )


def _device_of(network: TrainedNetwork) -> torch.device:
    import torch

    return next((one.device for one in network.module.parameters()), torch.device("cpu"))
