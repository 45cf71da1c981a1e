"""Small networks and a run folder, with weights in which every tensor matters."""

import json
from pathlib import Path

import torch

from resnext.data.config import DataConfig
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runs.config import TrainConfig
from resnext.runs.folder import write_config
from resnext.weights.own_file import save_weights

CLASSES = tuple("abcdefg")
ODD = ResNeXtConfig(
    blocks_per_stage=(1, 1, 1, 1),
    cardinality=8,
    bottleneck_width=4,
    stage_widths=(64, 128, 256, 512),
    num_classes=7,
)
CIFAR = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1, 1),
    cardinality=2,
    bottleneck_width=4,
    stage_widths=(16, 32),
    num_classes=7,
)
CARD = ModelCard(
    data="letters",
    classes=CLASSES,
    image_size_px=56,
    resize_px=64,
    interpolation="bicubic",
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.25, 0.3),
)


def random_network(config: ResNeXtConfig, card: ModelCard = CARD) -> TrainedNetwork:
    """Return a network with random parameters and BN statistics, and this card."""
    torch.manual_seed(0)
    model = create_model(config).eval()
    for name, tensor in model.state_dict().items():
        if name.endswith("running_mean"):
            tensor.normal_(0.0, 0.1)
        elif name.startswith("fc") or tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
    model.fc.weight.data.normal_()
    return TrainedNetwork(model, config, card)


def made_run(run: Path, **settings: object) -> Path:
    """Make a run folder as training leaves it, with two epochs in its log."""
    run.mkdir(parents=True)
    config = CIFAR.replace(in_channels=1)
    card = CARD.replace(
        mean=(0.3,), std=(0.35,), resize_px=None, metrics={"top1_error": 12.5, "loss": 0.4}, epoch=2
    )
    save_weights(run / "best.safetensors", random_network(config, card).module, config, card)
    data = DataConfig(name="folder", root=run.absolute() / "private" / "letters")
    write_config(run, TrainConfig(model=config, data=data).replace(**settings))
    rows = [
        {"kind": "train", "step": 1, "loss": 2.0, "lr": 0.1},
        {
            "kind": "epoch",
            "step": 1,
            "epoch": 1,
            "train_loss": 2.0,
            "loss": 1.0,
            "top1_error": 50.0,
        },
        {
            "kind": "epoch",
            "step": 2,
            "epoch": 2,
            "train_loss": 1.0,
            "loss": 0.4,
            "top1_error": 12.5,
        },
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (run / "metrics.jsonl").write_text(lines, encoding="utf-8")
    return run


def write_evaluation(run: Path, top1_error: float) -> None:
    """Put an evaluation beside a run."""
    figures = {
        "num_images": 80,
        "top1_error": top1_error,
        "top5_error": 1.25,
        "view": {"size_px": 56, "resize_px": 64, "ten_crop": False, "flip": True},
        "data": {"name": "letters", "split": "val"},
    }
    (run / "evaluation.json").write_text(json.dumps(figures), encoding="utf-8")
