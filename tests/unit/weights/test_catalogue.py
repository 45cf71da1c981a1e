"""The catalogue's entries agree with themselves, and are found by name or by words."""

import math
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_process import run_python

from resnext.cache import cache_folder
from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig, ResNeXtConfig
from resnext.model.names import name_of, parse_name
from resnext.untrusted.names import check_file_name
from resnext.weights.catalogue import entries, filter_entries, find_entry
from resnext.weights.entry import WeightsEntry
from resnext.weights.fetch import cached_file

CLASSIFIERS = tuple(entry for entry in entries() if entry.task == "classification")
DETECTORS = tuple(entry for entry in entries() if entry.task == "detection")
each_entry = pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
each_classifier = pytest.mark.parametrize("entry", CLASSIFIERS, ids=lambda entry: entry.name)
each_detector = pytest.mark.parametrize("entry", DETECTORS, ids=lambda entry: entry.name)


def test_names_are_unique_and_addresses_are_too() -> None:
    names = [entry.name for entry in entries()]
    addresses = [entry.address for entry in entries()]
    assert len(set(names)) == len(names)
    assert len(set(addresses)) == len(addresses)


def test_the_files_that_people_ask_for_are_there() -> None:
    recipes = ("a1h", "a1", "a2", "a3", "ra", "gluon", "tv", "tv2")
    facebook = ("fb_ssl_yfcc100m_ft", "fb_swsl_ig1b_ft")
    wanted = {
        *(f"{name}.authors" for name in ("resnext50_32x4d", "resnext101_32x4d")),
        *(f"resnext50_32x4d.{tag}_in1k" for tag in (*recipes, *facebook)),
        *(f"resnext50_32x4d.imagenet1k_{recipe}" for recipe in ("v1", "v2")),
        *(f"resnext{depth}_32x4d.pycls" for depth in (50, 101, 152)),
        *(f"resnext{depth}_32x4d.mmpretrain" for depth in (50, 101, 152)),
        *(f"resnext29_16x64d.pytorchcv_{data}" for data in ("cifar10", "cifar100", "svhn")),
        *("resnext101_64x4d.authors", "resnext101_64x4d.c1_in1k", "resnext101_32x8d.mmpretrain"),
        *("resnext101_32x32d.fb_wsl_ig1b_ft_in1k", "resnext101_64x4d.imagenet1k_v1"),
        *(f"{head}_resnet50_fpn.coco_v1" for head in ("retinanet", "fasterrcnn", "maskrcnn")),
        *(f"{head}_resnet50_fpn_v2.coco_v1" for head in ("retinanet", "fasterrcnn", "maskrcnn")),
    }
    assert wanted <= {entry.name for entry in entries()}


@each_entry
def test_its_network_is_a_canonical_name(entry: WeightsEntry) -> None:
    config = parse_name(entry.network)
    assert name_of(config) == entry.network
    if entry.task == "detection":
        assert isinstance(config, DetectorConfig)
        assert entry.classes == "coco90"
        return
    assert isinstance(config, ResNeXtConfig)
    assert (config.stem == "imagenet") == (entry.classes == "imagenet1k")


@each_entry
def test_its_name_is_its_network_and_a_tag(entry: WeightsEntry) -> None:
    network, _, tag = entry.name.partition(".")
    assert re.fullmatch(r"[a-z0-9_]+", tag)
    wide = {"wide_resnet50_2": "resnet50_1x128d", "wide_resnet101_2": "resnet101_1x128d"}
    assert wide.get(network, network.replace("_fpn", "")) == entry.network


@each_entry
def test_its_place_lies_in_the_cache(entry: WeightsEntry) -> None:
    assert check_file_name(entry.name) == entry.name
    assert check_file_name(entry.filename) == entry.filename
    assert cached_file(entry).parent.parent == cache_folder("weights")


@each_entry
def test_its_address_names_one_file(entry: WeightsEntry) -> None:
    if entry.family == "timm":
        assert entry.address == f"hf-hub:timm/{entry.name}/model.safetensors"
        return
    parts = urlsplit(entry.address)
    assert (parts.scheme, parts.query, parts.fragment) == ("https", "", "")
    assert re.fullmatch(r"(/[\w.-]+)+", parts.path)
    assert Path(parts.path).suffix in {".pth", ".pyth", ".t7", ".zip"}
    assert entry.filename == Path(parts.path).name.removesuffix(".zip")


@each_entry
def test_its_checksum_is_lower_case_hexadecimal_and_the_one_in_its_file_name(
    entry: WeightsEntry,
) -> None:
    assert re.fullmatch(r"([0-9a-f]{8}|[0-9a-f]{64})?", entry.sha256)
    assert re.fullmatch(r"([0-9a-f]{40})?", entry.sha1)
    in_name = re.search(r"-([0-9a-f]{8})\.pth", entry.filename)
    assert (in_name[1] if in_name else "") == (entry.sha256 or entry.sha1)[:8]


@each_entry
def test_it_is_non_commercial_exactly_if_its_licence_says_so(entry: WeightsEntry) -> None:
    assert entry.licence in {"Apache-2.0", "BSD-3-Clause", "CC-BY-NC-4.0", "MIT"}
    assert entry.is_non_commercial == ("-NC" in entry.licence)


@each_entry
def test_its_images_are_not_smaller_than_the_crop(entry: WeightsEntry) -> None:
    assert entry.resize_px is None or entry.resize_px >= entry.image_size_px
    assert 0.8 < entry.crop_fraction <= 1.0
    assert entry.image_size_px % 32 == 0
    assert len(entry.mean) == len(entry.std) == 3
    assert all(0.1 < value < 0.6 for value in (*entry.mean, *entry.std))


@each_detector
def test_a_published_precision_says_where_it_was_published(entry: WeightsEntry) -> None:
    config = parse_name(entry.network)
    assert isinstance(config, DetectorConfig)
    assert entry.box_ap is not None
    assert 30 < entry.box_ap < 50
    assert (entry.mask_ap is not None) == (config.family == "mask_rcnn")
    assert entry.mask_ap is None or 30 < entry.mask_ap < entry.box_ap
    assert entry.image_size_px == config.min_size_px
    assert entry.published_at.startswith("https://")


@each_classifier
def test_a_published_error_says_where_it_was_published(entry: WeightsEntry) -> None:
    assert entry.top1_error is not None
    chance = 100 * (1 - 1 / entry.num_classes)
    assert 0 < entry.top1_error < chance / 2
    assert entry.published_at.startswith("https://")
    assert entry.note == "" or entry.note.endswith(".")


def test_what_is_bound_by_a_non_commercial_licence_is_marked() -> None:
    marked = {entry.name for entry in entries() if entry.is_non_commercial}
    expected = {
        entry.name for entry in entries() if entry.name.endswith(".authors") or ".fb_" in entry.name
    }
    assert marked == expected


@each_entry
def test_an_entry_is_found_by_its_name_in_any_case(entry: WeightsEntry) -> None:
    assert find_entry(f" {entry.name.upper()} ") is entry


@pytest.mark.parametrize(
    ("given_name", "nearest"),
    [
        ("resnext50_32x4d.a1h", "resnext50_32x4d.a1h_in1k"),
        ("resnext50_32x4d", "resnext50_32x4d.authors"),
        ("resnxt101_64x4d.c1_in1k", "resnext101_64x4d.c1_in1k"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(given_name: str, nearest: str) -> None:
    with pytest.raises(ConfigError) as raised:
        find_entry(given_name)
    message = str(raised.value)
    assert repr(given_name) in message
    assert nearest in message
    assert "resnext weights list" in message


@given(st.text(max_size=30))
def test_no_text_is_answered_with_anything_but_an_entry_or_our_error(text: str) -> None:
    known = {entry.name for entry in entries()}
    try:
        assert find_entry(text).name in known
    except ConfigError:
        assert text.strip().lower() not in known


@given(st.lists(st.sampled_from(["TIMM", "32x4d", "nc", "cifar", "mit", "v2", "50"]), max_size=3))
def test_filtering_by_more_words_is_filtering_again(words: list[str]) -> None:
    found = set(filter_entries(" ".join(words)))
    each = [set(filter_entries(word)) for word in words]
    assert found == set(entries()).intersection(*each)


def test_words_are_sought_in_each_of_the_facts() -> None:
    assert {entry.family for entry in filter_entries("torch7")} == {"torch7"}
    assert {entry.licence for entry in filter_entries("apache")} == {"Apache-2.0"}
    assert {entry.classes for entry in filter_entries("svhn")} == {"svhn"}
    assert {entry.network for entry in filter_entries("1x128d timm")} == {
        "resnet50_1x128d",
        "resnet101_1x128d",
    }
    assert filter_entries("no such words") == ()


def test_the_catalogue_is_narrowed_to_a_network_and_to_commercial_use() -> None:
    of_one = filter_entries(network="resnext101_32x4d")
    assert {entry.network for entry in of_one} == {"resnext101_32x4d"}
    free = filter_entries(network="resnext101_32x4d", commercial_only=True)
    assert {entry.name for entry in of_one} - {entry.name for entry in free} == {
        "resnext101_32x4d.authors",
        "resnext101_32x4d.fb_ssl_yfcc100m_ft_in1k",
        "resnext101_32x4d.fb_swsl_ig1b_ft_in1k",
    }


@each_classifier
def test_errors_have_no_digits_that_rounding_left(entry: WeightsEntry) -> None:
    assert entry.top1_error is not None
    assert math.isclose(entry.top1_error, float(f"{entry.top1_error:.3f}"), abs_tol=0)


def test_the_catalogue_needs_no_torch() -> None:
    run_python(
        "import sys; from resnext.weights.catalogue import entries; entries();"
        "sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    )
