"""The paper's Table 8: backbones of a detector, with and without cardinality."""

from __future__ import annotations

from pathlib import Path

from resnext.complexity.budget import Budget
from resnext.complexity.solve import solve_width
from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS
from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.recipes.detection import PAPER_HEAD, paper, put_detector
from resnext.recipes.study_scale import (
    Choice,
    input_size,
    paper_network,
    settings_for,
    small_network,
)
from resnext.runs.config import TrainConfig
from resnext.settings import override_all
from resnext.studies.study import Comparison, Design, PaperResult, Study

# arXiv 1611.05431, table 8: AP in percent on COCO minival, by depth and family
_TABLE_8 = {
    "resnet50": 26.5,
    "resnext50_32x4d": 27.5,
    "resnet101": 29.8,
    "resnext101_32x4d": 30.0,
}
# One library trained all four backbones by the same recipe, to errors close to the paper's.
_WEIGHTS = "mmpretrain"
_CARDINALITY = 16


def table8(choice: Choice) -> Study:
    """Return table 8: a detector on backbones with and without cardinality.

    At small scale: a dense backbone of 14 and one of 26 layers at half the widths, each beside one
    of equal cost with C = 16, trained from scratch with the head that `train` takes.

    Raises:
        ConfigError: The data have no boxes.
    """
    for data in choice.data:
        if data.name not in BOX_SETS:
            raise ConfigError(
                f"table8 compares detectors, and {data.label} has no boxes; give coco:DIR, "
                "voc:DIR or yolo:DIR"
            )
    designs = _paper_designs(choice) if choice.is_paper else _small_designs(choice)
    return Study(
        name=choice.name("table8"),
        question="Does cardinality in the backbone improve detection at equal cost?",
        source="arXiv 1611.05431, table 8",
        designs=designs,
        settings=_paper_settings(choice) if choice.is_paper else settings_for(choice, "detection"),
        seeds=choice.seeds or (0, 1, 2),
        comparisons=tuple(
            Comparison(better=designs[number + 1].label, than=designs[number].label)
            for number in (0, 2)
        ),
        paper=tuple(
            PaperResult(
                design=name,
                data="coco",
                value=value,
                beside="" if choice.is_paper else design.label,
            )
            for design, (name, value) in zip(designs, _TABLE_8.items(), strict=True)
        ),
        note=_note(choice),
    )


def _paper_designs(choice: Choice) -> tuple[Design, ...]:
    data = _paper_data(choice)[0]
    return tuple(
        Design(label=name, model=_paper_model(paper_network(name), data), weights=_weights(name))
        for name in _TABLE_8
    )


def _paper_model(backbone: ResNeXtConfig, data: DataConfig) -> ModelConfig:
    model = put_detector(backbone, PAPER_HEAD, None)
    return paper(model, data, _weights("resnet50")).model


def _paper_settings(choice: Choice) -> tuple[TrainConfig, ...]:
    """Return the paper's recipe; the weights are those of each design."""
    if choice.recipe not in (None, "paper"):
        raise ConfigError(
            f"recipe={choice.recipe!r}: table8 at paper scale has its own; leave it out"
        )
    model = put_detector(paper_network("resnet50"), PAPER_HEAD, None)
    settings = (
        paper(model, data, _weights("resnet50")).replace(task="detection")
        for data in _paper_data(choice)
    )
    return tuple(override_all(one, choice.changes) for one in settings)


def _paper_data(choice: Choice) -> tuple[DataConfig, ...]:
    return choice.data or (DataConfig(name="coco", root=Path("coco").absolute()),)


def _weights(name: str) -> Path:
    return Path(f"{name}.{_WEIGHTS}")


def _small_designs(choice: Choice) -> tuple[Design, ...]:
    designs = []
    for num_blocks in (1, 2):
        dense = small_network(choice, num_blocks=num_blocks)
        budget = Budget.like(dense, "params", "block", input_size(choice))
        aggregated = solve_width(dense, _CARDINALITY, budget).config
        designs += [
            Design(label=f"{config.depth} layers, {config.template}", model=config)
            for config in (dense, aggregated)
        ]
    return tuple(designs)


def _note(choice: Choice) -> str:
    if choice.is_paper:
        return (
            "The paper trains the proposals as a network of their own; here both share the "
            "backbone and are trained together."
        )
    return choice.note("RetinaNet on 14 and 26 layers at half the widths, from scratch")
