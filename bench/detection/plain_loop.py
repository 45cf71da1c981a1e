"""torchvision's RetinaNet in the loop of its reference scripts, from the weights of our backbone.

SGD at 0.01 for 16 images with a warm-up in the first epoch, divided by 10 after 8/12 and 11/12 of
the epochs, flips, frozen BN, stem and first stage frozen: the settings of references/detection of
torchvision for RetinaNet, with our image size, anchors and width of the pyramid. The weights of the
last epoch are evaluated.

    python -m bench.detection.plain_loop coco:FOLDER --backbone RUN --epochs 24 --seed 0
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops import FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from torchvision.transforms import v2

import resnext
from resnext.data.box_split import BoxSplit
from resnext.data.boxes.box_set import BoxImage
from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.tasks.detection.average_precision import BoxTally

IMAGE_PX, MAX_PX, BATCH_SIZE = 160, 267, 8
LR, LR_BATCH_SIZE, MOMENTUM, WEIGHT_DECAY = 0.01, 16, 0.9, 1e-4

_ANCHORS_PX, _PYRAMID_CHANNELS = (16, 32, 64, 128, 256), 64
_BLOCKS, _GROUPS, _GROUP_WIDTH = (1, 1, 1, 1), 16, 4
_MIN_SIDE_PX = 1e-3

Item = tuple[torch.Tensor, dict[str, torch.Tensor]]


class Boxes(Dataset[Item]):
    """Training images with their objects, flipped by chance."""

    def __init__(self, split: BoxSplit) -> None:
        self._images = images_of(split)
        self._vary = v2.Compose(
            [v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True), v2.ToPureTensor()]
        )

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Item:
        row = self._images[index]
        kept_n = ~row.crowds_n & ((row.boxes_n4[:, 2:] - row.boxes_n4[:, :2]) > _MIN_SIDE_PX).all(1)
        boxes: Any = tv_tensors.BoundingBoxes(
            torch.from_numpy(row.boxes_n4[kept_n]).float(),
            format="XYXY",
            canvas_size=(row.height, row.width),
        )
        labels_n = torch.from_numpy(row.labels_n[kept_n]) + 1  # 0 is the background
        image, boxes = self._vary(read_image(row), boxes)
        return image, {"boxes": boxes, "labels": labels_n}


def images_of(split: BoxSplit) -> list[BoxImage]:
    """Return the images of a split with their files."""
    names = enumerate(split.names)
    return [split.objects.image(number, split.root / name) for number, name in names]


def read_image(row: BoxImage) -> tv_tensors.Image:
    """Read a file as uint8, channels first."""
    return tv_tensors.Image(Image.open(row.path).convert("RGB"))


def build(backbone: Path, num_classes: int) -> RetinaNet:
    """Build torchvision's network on the weights of our classifier."""
    body = ResNet(
        Bottleneck,
        list(_BLOCKS),
        groups=_GROUPS,
        width_per_group=_GROUP_WIDTH,
        norm_layer=FrozenBatchNorm2d,
    )
    weights = resnext.load(backbone).module.state_dict()
    left_out = {name for name in weights if name.endswith("num_batches_tracked")}
    head = {name for name in weights if name.startswith("fc.")}
    missing = body.load_state_dict(
        {name: weights[name] for name in weights.keys() - left_out - head}, strict=False
    )
    assert not missing.unexpected_keys
    assert set(missing.missing_keys) == {"fc.weight", "fc.bias"}
    for layer in (body.conv1, body.layer1):
        layer.requires_grad_(requires_grad=False)
    widths = [256 * 2**number for number in (1, 2, 3)]
    pyramid = BackboneWithFPN(
        body,
        return_layers={f"layer{number}": str(number - 2) for number in (2, 3, 4)},
        in_channels_list=widths,
        out_channels=_PYRAMID_CHANNELS,
        extra_blocks=LastLevelP6P7(_PYRAMID_CHANNELS, _PYRAMID_CHANNELS),
    )
    octaves = [2 ** (number / 3) for number in range(3)]
    sizes = tuple(tuple(int(side * octave) for octave in octaves) for side in _ANCHORS_PX)
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
    return RetinaNet(
        pyramid, num_classes + 1, anchor_generator=anchors, min_size=IMAGE_PX, max_size=MAX_PX
    )


def run(address: str, backbone: Path, epochs: int, seed: int) -> dict[str, float | None]:
    """Train once, and return the figures of the validation images in percent."""
    kind, _, folder = address.partition(":")
    data = load_data(DataConfig(name=kind, root=Path(folder), image_size_px=IMAGE_PX))
    assert isinstance(data.train, BoxSplit)
    assert isinstance(data.val, BoxSplit)
    torch.manual_seed(seed)
    network = build(backbone, len(data.info.classes)).train()
    loader = DataLoader(Boxes(data.train), BATCH_SIZE, shuffle=True, collate_fn=_as_lists)
    lr = LR * BATCH_SIZE / LR_BATCH_SIZE
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    steps = [round(epochs * 8 / 12), round(epochs * 11 / 12)]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, steps)
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 1e-3, total_iters=len(loader) - 1)
    for epoch in range(epochs):
        for images, targets in loader:
            loss = torch.stack(list(network(images, targets).values())).sum()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            if epoch == 0:
                warmup.step()
        schedule.step()
    return measure(network, data.val, data.info.classes)


def _as_lists(items: list[Item]) -> tuple[list[torch.Tensor], list[dict[str, torch.Tensor]]]:
    images, targets = zip(*items, strict=True)
    return list(images), list(targets)


def measure(
    network: RetinaNet, split: BoxSplit, classes: tuple[str, ...]
) -> dict[str, float | None]:
    """Return AP and AP50 on a split, in percent."""
    network.eval()
    rows = images_of(split)
    tally = BoxTally(rows, classes)
    with torch.no_grad():
        for number, row in enumerate(rows):
            (found,) = network([v2.functional.to_dtype(read_image(row), scale=True)])
            columns = (found["scores"][:, None], found["labels"][:, None] - 1)
            found_n6 = torch.cat([found["boxes"], *columns], dim=1)
            tally.add(number, found_n6.numpy().astype(np.float64))
    figures = tally.result().figures
    return {"ap": figures["ap"], "ap50": figures["ap50"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--backbone", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(run(given.address, given.backbone, given.epochs, given.seed)))


if __name__ == "__main__":
    main()
