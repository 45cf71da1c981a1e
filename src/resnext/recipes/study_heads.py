"""Gives the designs of a study segmentation heads, if its data are images with masks."""

from __future__ import annotations

from resnext.errors import ConfigError
from resnext.model.choices import Head
from resnext.recipes.segmentation import put_head
from resnext.studies.study import Study


def with_heads(study: Study, head: Head | None) -> Study:
    """Return a study whose designs fit its data.

    Costs are equal in the backbones; all designs have the same head.

    Args:
        study: The study, with designs that classify or have heads already.
        head: The head; None takes the default, and leaves designs that have one.

    Raises:
        ConfigError: Only a part of the data has masks, or a head is given without masks.
    """
    masks = [settings.data.name == "masks" for settings in study.settings]
    if not any(masks):
        if head is not None:
            raise ConfigError(f"--head {head}: the data have no masks; leave it out")
        return study
    if not all(masks):
        raise ConfigError(
            f"{study.name}: some data sets have masks and others do not; no network fits both: "
            "make two studies"
        )
    designs = [design.replace(model=put_head(design.model, head)) for design in study.designs]
    return study.replace(designs=tuple(designs))
