"""A published file is evaluated as its entry says, and compared with the published error."""

import math
from pathlib import Path

import pytest
import torch
from PIL import Image

from resnext.class_lists import class_names
from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.evaluation.verify import Verified, verify_entry
from resnext.model.create import create_model
from resnext.runs.runtime import Runtime
from resnext.weights.catalogue import find_entry
from resnext.weights.fetch import cached_file

ENTRY = find_entry("resnet18.a1_in1k")
RUNTIME = Runtime(torch.device("cpu"), torch.float32)


def test_an_entry_is_evaluated_on_a_part_of_imagenet_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cached_file(ENTRY).parent.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(create_model("resnet18").state_dict(), cached_file(ENTRY))
    for synset in class_names("imagenet1k")[:2]:
        for part in ("train", "val"):
            folder = tmp_path / "imagenet" / part / synset
            folder.mkdir(parents=True)
            Image.new("RGB", (320, 300), "red").save(folder / "1.png")
    data = DataConfig(name="folder", root=tmp_path / "imagenet", workers=0)
    verified = verify_entry(ENTRY, data, RUNTIME)
    figures = verified.as_dict()
    assert figures["view"]["size_px"] == ENTRY.image_size_px
    assert figures["view"]["resize_px"] == ENTRY.resize_px
    assert figures["view"]["interpolation"] == ENTRY.interpolation == "bicubic"
    assert figures["num_images"] == 2
    assert ENTRY.top1_error is not None
    assert figures["difference"] == pytest.approx(figures["top1_error"] - ENTRY.top1_error)
    assert "50,000 images" in verified.verdict


def test_the_standard_error_is_the_binomials() -> None:
    verified = Verified(ENTRY, {"top1_error": 20.0, "num_images": 400})
    assert verified.sampling_error == pytest.approx(100 * math.sqrt(0.2 * 0.8 / 400))


def test_the_whole_set_is_compared_without_reserve() -> None:
    verified = Verified(ENTRY, {"top1_error": ENTRY.top1_error, "num_images": 50_000})
    assert verified.verdict.endswith("+0.00 points")


def test_imagenet_must_be_named() -> None:
    with pytest.raises(ConfigError, match="imagenet:DIR"):
        verify_entry(ENTRY, None, RUNTIME)
