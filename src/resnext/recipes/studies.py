"""The named studies."""

from __future__ import annotations

from collections.abc import Callable

from resnext.recipes.cardinality import residual, table3, table4
from resnext.recipes.design_space import design_space
from resnext.recipes.equal_macs import cardinality
from resnext.recipes.state_of_the_art import figure7, table5, table6, table7
from resnext.recipes.study_scale import Choice
from resnext.recipes.table8 import table8
from resnext.studies.study import Study

STUDIES: dict[str, Callable[[Choice], Study]] = {
    "table3": table3,
    "table4": table4,
    "residual": residual,
    "table5": table5,
    "table6": table6,
    "table7": table7,
    "table8": table8,
    "figure7": figure7,
    "design-space": design_space,
    "cardinality": cardinality,
}
