"""Detectors with random weights that find many objects, photos for them, and what they find."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from small_detector import CLASSES, SMALL
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from resnext.inference.predictor import Predictor
from resnext.model import detector
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig
from resnext.model.create import create_model
from resnext.model.detector import use_statistics
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Exported
from resnext.tasks.detection.answer import BoxAnswer

CARD = ModelCard(
    image_size_px=64,
    task="detection",
    classes=CLASSES,
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.25, 0.3),
)
FAMILIES = ("retinanet", "faster_rcnn", "mask_rcnn", "faster_rcnn_c4")
_HEADS = ("cls_logits", "bbox_reg", "cls_score", "bbox_pred", "mask_fcn_logits")


def trained(family: str, **changes: Any) -> TrainedNetwork:
    """Return a network that finds many objects, unlike one with usual random weights.

    The layers that look at regions are narrow: at full width, the masks of a photo take seconds.
    """
    torch.manual_seed(0)
    narrow = {"pyramid_channels": 32} if family in ("faster_rcnn", "mask_rcnn") else {}
    config: DetectorConfig = SMALL.replace(family=family, **narrow | changes)
    with patch.object(detector, "HIDDEN_CHANNELS", 64):
        module: Any = create_model(config)
    if family == "mask_rcnn":
        module.roi_heads.mask_head = MaskRCNNHeads(config.pyramid_channels, [32] * 4, 1)
        module.roi_heads.mask_predictor = MaskRCNNPredictor(32, 32, config.num_classes + 1)
    module.eval()
    for name, layer in module.named_modules():
        if name.endswith(_HEADS):
            torch.nn.init.normal_(layer.weight, std=0.3 if "roi" in name else 0.05)
            torch.nn.init.zeros_(layer.bias)
    use_statistics(module, CARD)
    return TrainedNetwork(module, config, CARD)


def photos() -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Return photos of several shapes; for some, float32 would give another size."""
    images = [Image.fromarray(photo) for photo in load_sample_images().images]
    sizes = [(427, 640), (300, 401), (213, 427), (90, 60), (500, 100), (49, 60)]
    cut = [
        images[number % 2].crop((0, 0, width, height))
        for number, (height, width) in enumerate(sizes)
    ]
    return [np.asarray(image) for image in cut]


def found_by(network: TrainedNetwork, pixels: np.ndarray[Any, Any]) -> dict[str, torch.Tensor]:
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        (found,) = network.module([image])
    return {key: value[found["labels"] > 0] for key, value in found.items()}


def share_unlike(network: TrainedNetwork, file: Exported) -> float:
    """Return the share of the pixels of PyTorch's masks in which those of a file differ."""
    pixels = photos()[1]
    (wanted,) = Predictor(network).answers_to([pixels], 100)
    (found,) = Predictor(file).answers_to([pixels], 100)
    assert isinstance(wanted, BoxAnswer)
    assert isinstance(found, BoxAnswer)
    num, num_unlike = 0, 0
    for one, other in zip(wanted.objects, found.objects, strict=True):
        assert one.label == other.label
        assert one.mask is not None
        assert other.mask is not None
        first, second = one.mask.on_image(), other.mask.on_image()
        num += int(first.sum())
        num_unlike += int((first != second).sum())
    assert num > 10_000
    return num_unlike / num
