"""The start of a training: weights, images, and the recipe for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resnext.api.checks import check_choice
from resnext.api.train_weights import Start, choose_pretrained, open_start
from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS, PYTHON, SIGNAL_NAMES
from resnext.data.sets.masks.target import has_mask_targets
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError
from resnext.model.choices import HEADS
from resnext.model.config import SegmenterConfig
from resnext.model.detector_config import DETECTORS
from resnext.model.names import config_from
from resnext.recipes.detection import (
    PAPER_HEAD,
    default_detector,
    detection,
    fit_size,
    paper,
    put_detector,
)
from resnext.recipes.finetune import finetune
from resnext.recipes.presets import RECIPES, default_model, fast
from resnext.recipes.segmentation import (
    DEFAULT_HEAD,
    default_segmenter,
    put_head,
    segmentation,
)
from resnext.runs.config import TrainConfig
from resnext.settings import override_all
from resnext.training.restart import begun_settings
from resnext.untrusted.names import shown

if TYPE_CHECKING:
    from resnext.api.train_request import TrainRequest
    from resnext.data.split import DataSet
    from resnext.recipes.photos import PhotoFacts


def start_of(request: TrainRequest, *, quiet: bool = False) -> tuple[Start | None, str]:
    """Open the initial weights, given or chosen by --pretrained, and describe the choice.

    Args:
        request: The request.
        quiet: Do not show download progress.

    Raises:
        ResNeXtError: Flags contradict each other, or there are no such weights.
    """
    if isinstance(request.model, str) and {"/", "."} & set(request.model):
        raise ConfigError(
            f"--model {shown(request.model)}: give the name of a network, such as "
            "resnext50_32x4d; to start from trained weights, give them to --weights"
        )
    accept = request.accept_licence
    data = None if request.config is not None else data_of(request)  # before any download
    if not request.pretrained:
        if request.weights is not None:
            return open_start(request.weights, accept_licence=accept, quiet=quiet), ""
        if accept:
            raise ConfigError(
                "--accept-licence is for --weights NAME and --pretrained; leave it out"
            )
        return None, ""
    if request.weights is not None or data is None:
        other = "--weights" if request.weights is not None else "--config"
        raise ConfigError(f"--pretrained chooses the weights to start from; leave out {other}")
    begun = begun_settings(request.out, goes_on=request.continue_)
    if begun is not None and begun.weights is not None:
        return open_start(begun.weights, accept_licence=accept, quiet=quiet), ""
    device = request.device or "auto"
    name, note = choose_pretrained(data, request.model, device, accept_licence=accept)
    return open_start(name, accept_licence=accept, quiet=quiet), note


def from_recipe(
    request: TrainRequest, start: Start | None, given: DataSet | None = None
) -> TrainConfig:
    """Return the settings of the given recipe, or of one for the data and weights.

    Args:
        request: The request.
        start: The opened initial weights.
        given: The images, if they come from a Python program.

    Raises:
        ConfigError: The recipe needs weights.
        DataError: The images are missing, or cannot be used for training.
    """
    data = data_of(request)
    if data.name in BOX_SETS:
        return _with_boxes(request, data, start)
    if start is not None:
        # loads torch, as opening them did
        from resnext.weights.change import to_start_from, undilated_backbone

        start = replace(start, weights=to_start_from(start.weights))
    if data.name in SIGNAL_NAMES:
        from resnext.api.signal_start import signal_settings

        if (settings := signal_settings(request, data, start)) is not None:
            return settings
    if has_mask_targets(data):
        return _with_masks(request, data, start)
    if request.head is not None:
        raise ConfigError(
            f"--head {request.head} is for segmentation or detection, but {data.label} has "
            "neither masks nor boxes; leave it out, or give a folder with images/ and masks/, or "
            "coco:DIR"
        )
    if start is not None and isinstance(start.weights.config, SegmenterConfig):
        start = replace(start, weights=undilated_backbone(start.weights))
    recipe = _recipe(request, start)
    suits_data = recipe == "finetune" or (recipe == "fast" and start is None)
    facts = _look(request, data, given) if suits_data else None
    if start is not None and request.model is None:
        model = start.weights.config
    else:
        chosen = default_model(data, facts) if request.model is None else request.model
        model = config_from(chosen)
    if recipe == "finetune":
        assert start is not None
        return finetune(model, data, start.name, start.weights.card, facts)
    if recipe == "fast":
        return fast(model, data, facts)
    return RECIPES[recipe](model, data)


def _with_masks(request: TrainRequest, data: DataConfig, start: Start | None) -> TrainConfig:
    """Return the settings for images with masks: a network with a head, and its recipe."""
    if request.recipe not in (None, "segmentation"):
        raise ConfigError(
            f"--recipe {request.recipe} is for classification; leave it out: masks have their "
            "own recipe"
        )
    head = request.head
    if head is not None and head not in HEADS:
        raise ConfigError(
            f"--head {head} is for boxes, but {data.label} has masks; accepted are "
            f"{', '.join(HEADS)}"
        )
    facts = _look(request, data, None)
    if request.model is not None:
        model = put_head(config_from(request.model), head)
    elif start is not None:
        model = put_head(start.weights.config, head)
    else:
        model = default_segmenter(data, facts, head or DEFAULT_HEAD)
    return segmentation(model, data, facts, None if start is None else start.name)


def _with_boxes(request: TrainRequest, data: DataConfig, start: Start | None) -> TrainConfig:
    """Return the settings for images with boxes: a detector, and its recipe."""
    if request.recipe not in (None, "detection", "paper"):
        raise ConfigError(
            f"--recipe {request.recipe} is for classification; leave it out: boxes have their own "
            "recipes, detection and paper"
        )
    is_paper = request.recipe == "paper"
    if is_paper and start is None:
        raise ConfigError(
            "--recipe paper needs the weights of a trained backbone; give --weights or --pretrained"
        )
    head = request.head
    if head is not None and head not in DETECTORS:
        raise ConfigError(
            f"--head {head} is for masks, but {data.label} has boxes; accepted are "
            f"{', '.join(DETECTORS)}"
        )
    if is_paper and head is None and request.model is None:
        head = PAPER_HEAD
    facts = _look(request, data, None)
    if request.model is not None:
        model = put_detector(config_from(request.model), head, facts)
    elif start is not None:
        model = put_detector(start.weights.config, head, facts)
    else:
        model = default_detector(facts, head)
    if is_paper and start is not None:
        return paper(model, data, start.name)
    model = fit_size(model, data, facts)
    return detection(model, data, facts, None if start is None else start.name)


def _recipe(request: TrainRequest, start: Start | None) -> str:
    """Return the recipe: the given one, or the default with or without weights."""
    if request.recipe is not None:
        check_choice("recipe", request.recipe, (*RECIPES, "finetune"))
        if request.recipe == "finetune" and start is None:
            raise ConfigError("--recipe finetune needs weights; give --weights or --pretrained")
        return request.recipe
    if start is None:
        return "fast"
    begun = begun_settings(
        request.out, goes_on=request.continue_
    )  # until there was a recipe for it, weights were trained by `fast`
    return "fast" if begun is not None and begun.recipe == "fast" else "finetune"


def named_data(request: TrainRequest) -> DataConfig:
    """Return the given data set."""
    if isinstance(request.data, DataConfig):
        return request.data
    return parse_data("digits" if request.data is None else request.data)


def data_of(request: TrainRequest) -> DataConfig:
    """Return the data set with its flags applied: size, columns, classes, splits."""
    data = named_data(request)
    if request.image_size is not None:
        data = data.replace(image_size_px=request.image_size)
    changes = [text for text in request.set if text.startswith("data.")]
    return override_all(TrainConfig(data=data), changes).data


def _look(request: TrainRequest, data: DataConfig, given: DataSet | None) -> PhotoFacts | None:
    """Inspect the images for the choice of the recipe."""
    if data.name not in ("folder", "table", "masks", "shards", PYTHON, *BOX_SETS):
        return None
    from resnext.api.photo_facts import look
    from resnext.runs.runtime import resolve_device

    device = resolve_device(request.device or "auto")
    facts = look(data, given, has_gpu=device.type != "cpu")
    if facts is not None and request.image_size is not None:
        facts = replace(facts, short_side_px=request.image_size)
    return facts
