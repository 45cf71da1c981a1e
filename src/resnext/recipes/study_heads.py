"""Gives the designs of a study the heads that its data need: for masks, or for boxes."""

from __future__ import annotations

from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS
from resnext.data.sets.masks.target import has_mask_targets
from resnext.errors import ConfigError
from resnext.model.choices import HEADS, Head
from resnext.model.config import DetectorConfig, ModelConfig
from resnext.model.detector_config import DETECTORS, DetectorHead
from resnext.recipes.detection import fit_size, put_detector
from resnext.recipes.segmentation import put_head
from resnext.studies.study import Study


def with_heads(study: Study, head: Head | DetectorHead | None) -> Study:
    """Return a study whose designs fit its data.

    Costs are equal in the backbones; all designs have the same head.

    Args:
        study: The study, with designs that classify or have heads already.
        head: The head; None takes the default, and leaves designs that have one.

    Raises:
        ConfigError: The data sets need different heads, or a head does not suit them.
    """
    needs = {_need(settings.data) for settings in study.settings}
    if len(needs) > 1:
        raise ConfigError(
            f"{study.name}: some data sets have {' or '.join(sorted(needs - {'classes'}))} and "
            "others do not; no network fits all: make a study of each"
        )
    (need,) = needs
    heads = {"masks": HEADS, "boxes": DETECTORS}.get(need, ())
    if head is not None and head not in heads:
        accepted = f"accepted are {', '.join(heads)}" if heads else "leave it out"
        raise ConfigError(f"--head {head}: the data have {need}; {accepted}")
    if need == "classes":
        return study
    data = study.settings[0].data
    designs = [
        design.replace(model=_with_head(design.model, head, data)) for design in study.designs
    ]
    return study.replace(designs=tuple(designs))


def _need(data: DataConfig) -> str:
    if data.name in BOX_SETS:
        return "boxes"
    return "masks" if has_mask_targets(data) else "classes"


def _with_head(
    model: ModelConfig, head: Head | DetectorHead | None, data: DataConfig
) -> ModelConfig:
    if data.name not in BOX_SETS:
        assert head is None or head in HEADS
        return put_head(model, head)
    assert head is None or head in DETECTORS
    detector = put_detector(model, head, None)
    return detector if isinstance(model, DetectorConfig) else fit_size(detector, data, None)
