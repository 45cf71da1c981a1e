"""A network of ImageNet-5K's classes, tested on ImageNet-1K as a 5K-way and a 1K-way choice.

The photographs are found as in `integration/test_data_real.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch
from loaders import eval_loader
from PIL import Image
from torch import nn

from resnext.cli.data import main as data_main
from resnext.cli.evaluate import main as evaluate_main
from resnext.data.config import DataConfig, ViewConfig
from resnext.data.sets.imagenet import layout
from resnext.data.sets.imagenet.layout import ImageNetLayout
from resnext.data.sets.load import load_data
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.weights.own_file import save_weights

ROOT = Path(os.environ.get("RESNEXT_DATA", Path(__file__).resolve().parents[6] / "shared" / "data"))
TINY_IMAGENET = ROOT / "images" / "tiny-imagenet-10.tar.gz"
SIZE_PX = 32

# Validation images of six classes of a small ImageNet-1K; others lie between them by name, so
# that no class has the same place among the six and among all.
NUM_VAL = {"n0" + 7 * d: num for d, num in zip("246789", (8, 5, 3, 2, 1, 1), strict=True)}
OTHERS = tuple("n0" + 7 * d for d in "135")


def write_images(folder: Path, num: int) -> None:
    folder.mkdir(parents=True)
    for number in range(num):
        Image.new("RGB", (40, 36), (number * 20, 90, 30)).save(folder / f"{number}.png")


def let_be_imagenet(synsets: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    small = ImageNetLayout(synsets, num_train=0, least_train=0, most_train=0, num_val=0)
    monkeypatch.setattr(layout, "imagenet_1k", lambda: small)


def build(root: Path, num_classes: int) -> tuple[str, ...]:
    """Build `root/tree` with the command, and return its classes as loaders order them."""
    sets = ["--full", str(root / "full"), "--imagenet", str(root / "imagenet")]
    asked = ["--out", str(root / "tree"), "--num-classes", str(num_classes)]
    assert data_main(["imagenet5k", *sets, *asked]) == 0
    return tuple(sorted(path.name for path in (root / "tree" / "train").iterdir()))


def make_network(num_classes: int) -> tuple[nn.Module, nn.Linear]:
    """Make a random network, and return its classifier too."""
    torch.manual_seed(0)
    model = create_model("resnext11_2x4d", num_classes=num_classes).eval()
    head = model.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    nn.init.normal_(head.weight)
    nn.init.zeros_(head.bias)
    return model, head


def save(path: Path, model: nn.Module, classes: tuple[str, ...]) -> Path:
    config = config_from("resnext11_2x4d", num_classes=len(classes))
    card = ModelCard(classes=classes, image_size_px=SIZE_PX, resize_px=SIZE_PX)
    save_weights(path, model, config, card)
    return path


def evaluate(
    network: Path, data: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> dict[str, Any]:
    capsys.readouterr()
    argv = [str(network), "--data", f"imagenet:{data}", "--workers", "0", "--device", "cpu"]
    assert evaluate_main([*argv, "--json", "--quiet", *more]) == 0
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    return figures


def test_both_choices_have_the_errors_that_the_outputs_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_be_imagenet(tuple(NUM_VAL), monkeypatch)
    for synset, num in NUM_VAL.items():
        write_images(tmp_path / "imagenet" / "train" / synset, 2)
        write_images(tmp_path / "imagenet" / "val" / synset, num)
    for synset in OTHERS:
        write_images(tmp_path / "full" / synset, 3)
    classes = build(tmp_path, num_classes=9)
    assert classes == tuple(sorted((*NUM_VAL, *OTHERS)))

    # The network always ranks: an other, the largest class, an other, the next one, an other, ...
    own = list(NUM_VAL)
    ranked = [OTHERS[0], own[0], OTHERS[1], own[1], OTHERS[2], *own[2:]]
    model, head = make_network(len(classes))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([10.0 - ranked.index(name) for name in classes]))
    network = save(tmp_path / "w.safetensors", model, classes)
    ways = {
        "all": evaluate(network, tmp_path / "imagenet", capsys, "--all-classes"),
        "own": evaluate(network, tmp_path / "imagenet", capsys),
    }
    # Of 20 images: all are taken for an other; 8 and 5 have their class among the first five.
    assert ways["all"]["num_images"] == 20
    assert (ways["all"]["top1_error"], ways["all"]["top5_error"]) == (100.0, 35.0)
    # Between the six classes: 8 are right, and only the last class is not among five.
    assert ways["own"]["num_images"] == 20
    assert (ways["own"]["top1_error"], ways["own"]["top5_error"]) == (60.0, 5.0)


def unpack(to: Path) -> Path:
    """Unpack at most 50 images of every folder of the photographs, and return their root."""
    counts: dict[str, int] = {}
    with tarfile.open(TINY_IMAGENET) as tar:
        for member in tar:
            folder = str(Path(member.name).parent)
            counts[folder] = counts.get(folder, 0) + member.isfile()
            if member.isfile() and counts[folder] <= 50:
                tar.extract(member, to, filter="data")
    return next(to.rglob("train")).parent


@pytest.mark.slow
@pytest.mark.skipif(not TINY_IMAGENET.exists(), reason=f"{TINY_IMAGENET.name} is not at hand")
def test_on_photographs_both_choices_are_the_largest_outputs_of_their_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = unpack(tmp_path / "tiny")
    synsets = sorted(path.name for path in (tiny / "train").iterdir())
    own, others = tuple(synsets[1::2]), synsets[::2]
    let_be_imagenet(own, monkeypatch)
    (tmp_path / "full").mkdir()
    for split in ("train", "val"):
        for synset in own:
            shutil.copytree(tiny / split / synset, tmp_path / "imagenet" / split / synset)
    for rank, synset in enumerate(others):  # sizes 50, 49, ...: the last is left out
        images = sorted((tiny / "train" / synset).iterdir())[rank:]
        with tarfile.open(tmp_path / "full" / f"{synset}.tar", "w") as tar:
            for image in images:
                tar.add(image, image.name)
    classes = build(tmp_path, num_classes=9)
    assert classes == tuple(sorted((*own, *others[:4])))
    for rank, synset in enumerate(others[:4]):
        assert len(list((tmp_path / "tree" / "train" / synset).iterdir())) == 50 - rank

    model, head = make_network(len(classes))
    data = load_data(DataConfig(name="imagenet", root=tmp_path / "imagenet", image_size_px=SIZE_PX))
    view = ViewConfig(size_px=SIZE_PX, resize_px=SIZE_PX)
    loader = eval_loader(data.val, data.info, view, batch_size=64)
    with torch.no_grad():
        batches = list(loader)
        outputs_nk = torch.cat([model(batch.images_bchw) for batch in batches])
        head.bias.copy_(-outputs_nk.mean(dim=0))  # so that no class wins on every image
        outputs_nk += head.bias
    network = save(tmp_path / "w.safetensors", model, classes)
    names = [own[int(label)] for batch in batches for label in batch.targets_b]
    assert len(names) == 250
    own_columns = [classes.index(name) for name in own]
    best_of_all = [classes[k] for k in outputs_nk.argmax(dim=1)]
    best_of_own = [own[k] for k in outputs_nk[:, own_columns].argmax(dim=1)]
    expected = [
        100 * sum(best != name for best, name in zip(found, names, strict=True)) / len(names)
        for found in (best_of_all, best_of_own)
    ]
    assert 0 < expected[1] < expected[0] < 100  # the two choices differ, and neither is trivial
    found = [
        evaluate(network, tmp_path / "imagenet", capsys, *more)["top1_error"]
        for more in (["--all-classes"], [])
    ]
    assert found == pytest.approx(expected)
