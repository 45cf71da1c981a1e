"""Networks whose every tensor matters to their logits, and images for them."""

import torch

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork

CLASSES = tuple("abcdefg")
ODD = ResNeXtConfig(
    blocks_per_stage=(1, 1, 1, 1),
    cardinality=8,
    bottleneck_width=4,
    stage_widths=(64, 128, 256, 512),
    num_classes=7,
)
UNEVEN = ODD.replace(
    blocks_per_stage=(1, 2, 1, 1),
    cardinality=4,
    bottleneck_width=5,
    stage_widths=(68, 132, 260, 512),
)
NETWORKS = {
    "resnext50_32x4d": ResNeXtConfig(),
    "resnet18": ResNeXtConfig(
        blocks_per_stage=(2, 2, 2, 2), block="basic", cardinality=1, bottleneck_width=64
    ),
    "resnext50_8x14d": ResNeXtConfig(cardinality=8, bottleneck_width=14, num_classes=7),
    "odd widths, grey, 7 classes": ODD.replace(in_channels=1),
    "uneven widths, separate paths": UNEVEN.replace(form="a"),
    "projections everywhere": ODD.replace(stage_widths=(128, 256, 512, 1024), shortcut="C"),
}


def random_network(config: ResNeXtConfig) -> TrainedNetwork:
    """Return a network with random parameters and BN statistics."""
    torch.manual_seed(0)
    model = create_model(config).eval()
    for name, tensor in model.state_dict().items():
        if name.endswith("running_mean"):
            tensor.normal_(0.0, 0.1)
        elif name.startswith("fc."):
            tensor.normal_(0.0, 0.05)
        elif tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
    classes = CLASSES if config.num_classes == len(CLASSES) else ()
    card = ModelCard(
        classes=classes,
        image_size_px=64,
        resize_px=72,
        interpolation="bicubic",
        mean=(0.4, 0.5, 0.6)[: config.in_channels],
        std=(0.2, 0.25, 0.3)[: config.in_channels],
    )
    return TrainedNetwork(model, config, card)


def images_for(config: ResNeXtConfig) -> torch.Tensor:
    """Return two images of noise, b x c x 64 x 64."""
    return torch.randn(2, config.in_channels, 64, 64, generator=torch.Generator().manual_seed(1))
