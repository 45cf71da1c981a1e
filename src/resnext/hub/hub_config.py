"""The config.json of a repository, in timm's format; it names only networks that timm has."""

from __future__ import annotations

import math
from typing import Any

from resnext._version import __version__
from resnext.hub.published import Published
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.plan import plan_network
from resnext.weights.timm_format import to_timm, why_not_timm

_MAX_DIGITS = 17


def hub_config(published: Published) -> dict[str, Any]:
    """Describe a network in the format of timm's files on the Hub.

    Returns:
        JSON values. `architecture` and `model_args`, from which timm builds the network, are
        present only if timm can build it; otherwise `not_in_timm` says why. `resnext` holds our
        config.

    Source: timm/models/_hub.py (`save_config_for_hf`, `_parse_model_cfg`) and
    timm/models/_pretrained.py (`PretrainedCfg`, which knows no other keys than these).
    """
    config, card = published.config, published.card
    timm = to_timm(config)
    described: dict[str, Any] = {}
    if timm is None:
        described["not_in_timm"] = why_not_timm(config)
    else:
        described["architecture"] = timm["architecture"]
    described["num_classes"] = config.num_classes
    if isinstance(config, ResNeXtConfig):
        described |= {"num_features": plan_network(config).out_channels, "global_pool": "avg"}
    if card.classes:
        described["label_names"] = list(card.classes)
    if timm is not None and timm["model_args"]:
        described["model_args"] = timm["model_args"]
    described["pretrained_cfg"] = _pretrained_cfg(published)
    if card.signal is not None:
        described["signal"] = card.signal.model_dump(mode="json")
    described["resnext"] = {"version": __version__, **config.model_dump(mode="json")}
    return described


def _pretrained_cfg(published: Published) -> dict[str, Any]:
    """Return the preprocessing, and the layers that depend on channels and classes."""
    config, card = published.config, published.card
    values: dict[str, Any] = {
        "input_size": list(published.input_size),
        "fixed_input_size": False,
        "interpolation": card.interpolation,
        "crop_pct": crop_fraction(card),
        "crop_mode": "center",
        "mean": list(card.mean),
        "std": list(card.std),
        "num_classes": config.num_classes,
    }
    if isinstance(config, ResNeXtConfig):
        values |= {"pool_size": None, "first_conv": "conv1", "classifier": "fc"}
    if card.licence:
        values["license"] = card.licence
    if card.source:
        values["notes"] = [f"from {card.source}"]
    return values


def crop_fraction(card: ModelCard) -> float:
    """Return timm's crop fraction: crop side over short side of the resized image.

    timm resizes to floor(crop / fraction), so the fraction gets enough digits to give our side.
    Images used without a resize have the fraction 1: timm resizes them to the crop, which
    changes nothing if they already have its size.
    """
    if card.resize_px is None:
        return 1.0
    exact = card.image_size_px / card.resize_px
    for digits in range(3, _MAX_DIGITS):
        fraction = round(exact, digits)
        if fraction and math.floor(card.image_size_px / fraction) == card.resize_px:
            return fraction
    return card.image_size_px / (card.resize_px + 0.5)
