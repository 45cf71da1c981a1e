"""A training step of our segmentation networks against the peers' at their best layout.

Ours: `TrainStep.run` as `resnext train` runs it. The peer: forward, backward, clipping and a fused
AdamW step, channels_last and contiguous, in the same precision; the faster layout counts. Each side
works on one fixed batch of noise, in its own process, with the same threads, in turn.

    python -m bench.segmentation.step --pairs 7 --threads 2
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import segmentation_models_pytorch as smp
import torch
import torchvision
from torch import nn

from bench.segmentation.networks import HEADS, OUR_NAME, OUTPUT_STRIDE, Head, peer_network
from bench.segmentation.plain_loop import (
    BATCH_SIZE,
    CLIP_NORM,
    CROP_PX,
    LR,
    NUM_CLASSES,
    WEIGHT_DECAY,
    loss_of,
)
from bench.step_race import race
from resnext.data.config import DataConfig
from resnext.data.loading.batch import Batch
from resnext.data.split import DataInfo
from resnext.machine import cpu_name
from resnext.model.names import parse_name
from resnext.recipes.segmentation import put_head, segmentation
from resnext.runs.config import Precision
from resnext.runs.runtime import open_runtime
from resnext.training.build import build_train_step

_OURS, _CHANNELS_LAST, _CONTIGUOUS = "resnext", "peer, channels_last", "peer, contiguous"


def our_step(head: Head, precision: Precision) -> Callable[[], object]:
    """Return our step with the recipe's settings."""
    model = put_head(parse_name(OUR_NAME), head)
    if head == "deeplabv3":
        model = model.replace(backbone=model.backbone.replace(output_stride=OUTPUT_STRIDE))
    model = model.replace(num_classes=NUM_CLASSES)
    config = segmentation(model, DataConfig(image_size_px=CROP_PX))
    runtime_config = config.runtime.replace(device="cpu", precision=precision)
    config = config.replace(task="segmentation", runtime=runtime_config)
    classes = tuple(map(str, range(NUM_CLASSES)))
    info = DataInfo("noise", classes, 3, CROP_PX, (0.5,) * 3, (0.25,) * 3)
    with open_runtime(config.runtime) as runtime:
        train_step = build_train_step(config, info, runtime)
    train_step.set_train_mode()
    images, masks = _noise()
    batch = Batch(images, masks, torch.arange(BATCH_SIZE), BATCH_SIZE)
    return lambda: train_step.run(batch, LR)


def peer_step(head: Head, precision: Precision, *, channels_last: bool) -> Callable[[], object]:
    """Return the peer's step."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = peer_network(head, NUM_CLASSES).to(memory_format=layout).train()
    optimizer = torch.optim.AdamW(network.parameters(), LR, weight_decay=WEIGHT_DECAY, fused=True)
    images, masks = _noise()
    images = images.contiguous(memory_format=layout)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = loss_of(network, images, masks)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad()

    return step


def _noise() -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.randn(BATCH_SIZE, 3, CROP_PX, CROP_PX)
    return images, torch.randint(0, NUM_CLASSES, (BATCH_SIZE, CROP_PX, CROP_PX), dtype=torch.uint8)


def measure(head: Head, precision: Precision, pairs: int, num_threads: int) -> None:
    """Print the median ratio of our step to the peer's faster one, with the spread over pairs."""
    builders = {
        _OURS: partial(our_step, head, precision),
        _CHANNELS_LAST: partial(peer_step, head, precision, channels_last=True),
        _CONTIGUOUS: partial(peer_step, head, precision, channels_last=False),
    }
    times = race(builders, pairs, num_threads)
    best = min((_CHANNELS_LAST, _CONTIGUOUS), key=lambda name: statistics.median(times[name]))
    ratios = [a / b for a, b in zip(times[_OURS], times[best], strict=True)]
    print(
        f"{head}, {precision}: ours / {best}: {statistics.median(ratios):.3f} ({min(ratios):.3f} "
        f"to {max(ratios):.3f}, n={pairs}); ours {statistics.median(times[_OURS]):.2f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precisions", nargs="+", default=["fp32"], choices=["fp32", "bf16"])
    parser.add_argument("--heads", nargs="+", default=list(HEADS), choices=HEADS)
    given = parser.parse_args()
    print(
        f"torch {torch.__version__}, torchvision {torchvision.__version__}, "
        f"segmentation_models_pytorch {smp.__version__}, {given.threads} threads, {cpu_name()}, "
        f"{torch.backends.cpu.get_cpu_capability()}"
    )
    for precision in given.precisions:
        for head in given.heads:
            measure(head, precision, given.pairs, given.threads)


if __name__ == "__main__":
    main()
