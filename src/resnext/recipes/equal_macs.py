"""The central question on any kind of data: cardinality against width at equal multiply-adds."""

from __future__ import annotations

from resnext.complexity.budget import Budget
from resnext.complexity.solve import equal_cost_family
from resnext.model.config import ResNeXtConfig
from resnext.recipes.study_scale import (
    Choice,
    input_size,
    paper_network,
    settings_for,
    small_network,
)
from resnext.studies.study import Comparison, Design, Study

_CARDINALITIES = (1, 4, 16)
_SEEDS = (0, 1, 2, 3, 4)


def cardinality(choice: Choice) -> Study:
    """Return cardinality against width at equal multiply-adds, on images or signals, five seeds.

    The cost is that of the whole network: ResNet-50's, or of signals that of the network that
    `train` takes for them.
    """
    base = _base(choice)
    size = None if choice.is_paper else input_size(choice)
    budget = Budget.like(base, "macs", "network", size)
    designs = tuple(
        Design(label=solution.config.template, model=solution.config)
        for solution in equal_cost_family(base, _CARDINALITIES, budget)
    )
    dense, *others = designs
    return Study(
        name=choice.name("cardinality"),
        question="Does cardinality lower the error more than width at equal multiply-adds?",
        source="the central claim of arXiv 1611.05431, section 5",
        designs=designs,
        settings=settings_for(choice, "imagenet"),
        seeds=choice.seeds or _SEEDS,
        comparisons=tuple(Comparison(better=design.label, than=dense.label) for design in others),
        note=choice.note(f"{base.depth} layers"),
    )


def _base(choice: Choice) -> ResNeXtConfig:
    """Return the network whose cost all designs have."""
    if choice.signals:
        fit = choice.signals[0]
        assert isinstance(fit.settings.model, ResNeXtConfig)  # the only family for signals
        return fit.settings.model.replace(**fit.shape)
    return paper_network("resnet50") if choice.is_paper else small_network(choice, num_blocks=1)
