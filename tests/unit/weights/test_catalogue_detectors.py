"""torchvision's detectors in the catalogue: its own facts, and files that load as they say."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from pathlib import Path

import pytest
import torch
from command import Command
from torchvision.models import detection, get_model, get_model_weights, list_models

from resnext.class_lists import class_names
from resnext.complexity.count import count
from resnext.errors import ConfigError
from resnext.evaluation.verify import Verified, verify_entry
from resnext.model.config import DetectorConfig
from resnext.model.names import config_from, name_of
from resnext.runs.runtime import Runtime
from resnext.weights import source
from resnext.weights.catalogue import entries, find_entry
from resnext.weights.choose import Need, rank
from resnext.weights.entry import WeightsEntry
from resnext.weights.fetch import by_hand, cached_file
from resnext.weights.source import open_weights

DETECTORS = tuple(entry for entry in entries() if entry.task == "detection")
FAMILIES = ("retinanet", "fasterrcnn", "maskrcnn")
NAMES = [name for name in list_models(module=detection) if name.startswith(FAMILIES)]
NAMES = [name for name in NAMES if "resnet" in name]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_torchvision_has_no_detector_of_our_families_that_we_lack() -> None:
    theirs = {weights.url for name in NAMES for weights in get_model_weights(name)}
    assert {entry.address for entry in DETECTORS} == theirs
    assert len(DETECTORS) == 6


@pytest.mark.parametrize("entry", DETECTORS, ids=lambda entry: entry.name)
def test_torchvisions_own_facts_are_ours(entry: WeightsEntry) -> None:
    name, _, tag = entry.name.partition(".")
    weights = get_model_weights(name)[tag.upper()]
    figures = weights.meta["_metrics"]["COCO-val2017"]
    assert entry.address == weights.url
    assert weights.url.endswith(f"-{entry.sha256}.pth")
    assert (entry.box_ap, entry.mask_ap) == (figures["box_map"], figures.get("mask_map"))
    is_frozen = not name.endswith("_v2")
    config = config_from(entry.network, num_classes=entry.num_classes, frozen_norm=is_frozen)
    assert count(config).parameters == weights.meta["num_params"]
    assert weights.meta["categories"][1:] == [
        "N/A" if name.startswith("unused") else name for name in class_names(entry.classes)
    ]


def test_class_names_are_unique_and_the_unused_ones_are_numbered() -> None:
    names = class_names("coco90")
    assert len(set(names)) == 90
    unused = [name for name in names if name.startswith("unused")]
    assert unused == [f"unused {n}" for n in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]
    assert names.index("person") == 0
    assert names.index("toothbrush") == 89


@pytest.mark.slow
@pytest.mark.parametrize("entry", DETECTORS, ids=lambda entry: entry.name)
def test_a_file_of_torchvisions_network_opens_as_the_entry_says(
    entry: WeightsEntry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    is_first = not entry.network.endswith("_v2")
    torch.manual_seed(0)
    theirs = get_model(entry.name.partition(".")[0], weights=None, weights_backbone=None)
    state = theirs.state_dict()
    if is_first:  # published with frozen BN, which counts no batches
        state = {key: x for key, x in state.items() if not key.endswith("num_batches_tracked")}
    place = cached_file(entry)
    place.parent.mkdir(parents=True)
    torch.save(state, place)
    digits = hashlib.sha256(place.read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(source, "named_entry", lambda _: entry.replace(sha256=digits))
    with caplog.at_level(logging.WARNING):
        weights = open_weights(entry.name)
    assert not caplog.records  # nothing is assumed
    assert isinstance(weights.config, DetectorConfig)
    assert name_of(weights.config) == entry.network
    assert weights.config.frozen_norm == is_first
    assert weights.config.norm_epsilon == (0.0 if is_first else 1e-5)
    card = weights.card
    assert (card.task, card.data, card.source) == ("detection", "coco", entry.name)
    assert card.classes == class_names("coco90")
    assert card.metrics["published_box_ap"] == entry.box_ap
    assert card.metrics.get("published_mask_ap") == entry.mask_ap
    assert all(torch.equal(weights.state[key], tensor) for key, tensor in state.items())


def test_without_a_connection_the_message_says_which_file_to_put_where() -> None:
    entry = find_entry("maskrcnn_resnet50_fpn.coco_v1")
    message = by_hand(entry)
    assert entry.address in message
    assert "(about 178 MB, sha256 bf2d0c1e...)" in message
    assert str(cached_file(entry)) in message


def test_pretrained_takes_classifiers_only() -> None:
    assert all(entry.task == "classification" for entry in rank(Need(side_px=800, has_gpu=True)))
    with pytest.raises(ConfigError, match="no published weights for maskrcnn_resnet50"):
        rank(Need(network="maskrcnn_resnet50"))


def test_the_list_shows_precisions_and_the_facts_say_what_it_does(command: Command) -> None:
    shown = command.prints("weights", "list", "detection")
    assert "box AP" in shown
    assert "error %" not in shown
    assert re.search(r"maskrcnn_resnet50_fpn_v2\.coco_v1 +. +47\.4 . +41\.8", shown)
    assert re.search(
        r"retinanet_resnet50_fpn\.coco_v1 +. +AP 36\.4", command.prints("weights", "list")
    )
    facts = json.loads(command.prints("weights", "info", "maskrcnn_resnet50_fpn.coco_v1", "--json"))
    assert (facts["task"], facts["mask_ap"], facts["num_classes"]) == ("detection", 34.6, 90)


def test_describe_takes_published_weights(command: Command) -> None:
    shown = command.prints("describe", "retinanet_resnet50_fpn_v2.coco_v1", "--input", "3x320x320")
    assert "38,198,935" in shown
    assert "25,557,032" in command.prints("describe", "resnet50.a1_in1k")


def test_a_measured_precision_is_compared_with_the_published_one() -> None:
    entry = find_entry("maskrcnn_resnet50_fpn.coco_v1")
    verified = Verified(entry, {"ap": 37.5, "mask_ap": 34.2, "num_images": 5_000})
    assert verified.difference == pytest.approx(-0.4)
    assert "AP 37.5 % on 5,000 images, published 37.9 %" in verified.verdict
    assert verified.verdict.endswith("-0.40 points; of masks 34.2 %, published 34.6 %")
    figures = verified.as_dict()
    assert (figures["published_box_ap"], figures["published_mask_ap"]) == (37.9, 34.6)
    part = Verified(entry, {"ap": None, "num_images": 10})
    assert "AP not measured on 10 images, published 37.9 %" in part.verdict
    fewer = Verified(find_entry("retinanet_resnet50_fpn.coco_v1"), {"ap": 30.0, "num_images": 9})
    assert fewer.verdict.endswith("the published AP is for 5,000 images")


def test_coco_must_be_named() -> None:
    entry = find_entry("retinanet_resnet50_fpn.coco_v1")
    with pytest.raises(ConfigError, match="coco:DIR"):
        verify_entry(entry, None, Runtime(torch.device("cpu"), torch.float32))
