"""VGG-16 and VGG-19 with BN, as sequences of operations."""

from __future__ import annotations

from resnext.complexity.flow import Flow

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five stages, each of which ends with pooling that halves the sides."""

CONVS_PER_STAGE = {"vgg16_bn": (2, 2, 3, 3, 3), "vgg19_bn": (2, 2, 4, 4, 4)}
"""Configurations D and E."""

HIDDEN_FEATURES = 4096


def run_vgg(flow: Flow, family: str, num_classes: int) -> None:
    """Run a VGG with BN after each convolution.

    Modules are named as in torchvision's state dict, where `features` and `classifier` also number
    ReLU, pooling and dropout.

    Args:
        flow: Records the operations.
        family: A key of `CONVS_PER_STAGE`.
        num_classes: Classes of the head.

    Source: Simonyan and Zisserman, arXiv 1409.1556, section 2.1 and table 1; BN and the 7x7
        adaptive pooling, which allows other sizes than 224, are from torchvision.
    """
    x, index = flow.image, 0
    for width, num_convs in zip(WIDTHS, CONVS_PER_STAGE[family], strict=True):
        for _ in range(num_convs):
            x = flow.conv(f"features.{index}", x, width, (3, 3), bias=True)
            x = flow.relu(flow.norm(f"features.{index + 1}", x))
            index += 3  # convolution, BN, ReLU
        x = flow.max_pool(x, 2)
        index += 1
    x = flow.flatten(flow.average_to(x, (7, 7)))
    for index in (0, 3):  # linear layer, ReLU, dropout
        x = flow.relu(flow.linear(f"classifier.{index}", x, HIDDEN_FEATURES))
        x = flow.dropout(x)
    flow.linear("classifier.6", x, num_classes)
