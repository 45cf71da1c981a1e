"""Random designs of similar cost, and the distribution of their errors."""

from __future__ import annotations

from resnext.recipes.study_scale import (
    Choice,
    input_size,
    paper_network,
    settings_for,
    small_network,
)
from resnext.studies.space import RandomSpace, expand
from resnext.studies.study import Design, Halving, Study

_NUM_DESIGNS = {"paper": 64, "small": 16}


def design_space(choice: Choice) -> Study:
    """Return random networks within 20 % of a reference's multiply-adds.

    Depth, cardinality and width are sampled; the designs form two groups, dense and aggregated. The
    reference is ResNet-50 or, at small scale, the small network of 11 layers.

    Source of the method: Radosavovic et al., "On Network Design Spaces for Visual
    Recognition", arXiv 1905.13214.
    """
    widths: tuple[int, ...]
    cardinalities: tuple[int, ...]
    if choice.is_paper:
        base = paper_network("resnet50")
        blocks, widths, cardinalities = (
            (1, 12),
            (4, 8, 12, 16, 24, 32, 48, 64),
            (1, 2, 4, 8, 16, 32),
        )
    else:
        base = small_network(choice, num_blocks=1)
        blocks, widths, cardinalities = (1, 3), (4, 6, 8, 12, 16, 24, 32), (1, 2, 4, 8, 16)
    space = RandomSpace(
        kind="random",
        base=base,
        num=_NUM_DESIGNS[choice.scale],
        blocks=blocks,
        cardinality=cardinalities,
        bottleneck_width=widths,
    )
    drawn = expand(space, None if choice.is_paper else input_size(choice))
    return Study(
        name=choice.name("design-space"),
        question="How are the errors of random designs of similar cost distributed?",
        source="arXiv 1905.13214; the question of cardinality from arXiv 1611.05431",
        kind="distribution",
        designs=tuple(_grouped(design) for design in drawn),
        settings=settings_for(choice, "imagenet"),
        seeds=choice.seeds or (0,),
        halving=Halving(min_epochs=2, factor=2),
        note=choice.note("about 11 layers, widths half of the paper's")
        + " Halving is used only on request.",
    )


def _grouped(design: Design) -> Design:
    cardinality = getattr(design.model, "cardinality", 1)
    return design.replace(row="cardinality 1" if cardinality == 1 else "cardinality above 1")
