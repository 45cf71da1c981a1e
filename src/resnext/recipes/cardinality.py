"""The paper's studies of cardinality: against width, against depth, and without shortcuts."""

from __future__ import annotations

from resnext.complexity.budget import Budget
from resnext.complexity.solve import equal_cost_family, solve_depth, solve_width
from resnext.model.choices import Shortcut
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.recipes.study_scale import (
    Choice,
    input_size,
    paper_network,
    settings_for,
    small_network,
)
from resnext.studies.study import Comparison, Design, PaperResult, Study

# arXiv 1611.05431, table 3: top-1 error in percent of one 224 crop
_TABLE_3 = {
    50: {"1x64d": 23.9, "2x40d": 23.0, "4x24d": 22.6, "8x14d": 22.3, "32x4d": 22.2},
    101: {"1x64d": 22.0, "2x40d": 21.7, "4x24d": 21.4, "8x14d": 21.3, "32x4d": 21.2},
}
_SMALL_CARDINALITIES = (1, 2, 4, 8, 16)


def table3(choice: Choice) -> Study:
    """Return table 3: cardinality against width at equal cost of a block.

    At small scale: the same family at half the widths, 11 layers, C = 1 to 16.
    """
    if choice.is_paper:
        designs = [
            _template_design(paper_network(f"resnext{depth}_{template}"), f"{depth} layers")
            for depth, errors in _TABLE_3.items()
            for template in errors
        ]
    else:
        base = small_network(choice, num_blocks=1)
        budget = Budget.like(base, "params", "block", input_size(choice))
        designs = [
            _template_design(solution.config, f"{solution.config.depth} layers")
            for solution in equal_cost_family(base, _SMALL_CARDINALITIES, budget)
        ]
    rows = dict.fromkeys(design.row for design in designs)
    families = [[design for design in designs if design.row == row] for row in rows]
    return Study(
        name=choice.name("table3"),
        question="Does the error decrease as cardinality grows at equal cost of a block?",
        source="arXiv 1611.05431, table 3 and figure 5",
        designs=tuple(designs),
        settings=settings_for(choice, "imagenet"),
        seeds=choice.seeds or (0, 1, 2),
        comparisons=tuple(
            Comparison(better=design.label, than=family[0].label)
            for family in families
            for design in family[1:]
        ),
        paper=_paper_table_3([] if choice.is_paper else designs),
        note=choice.note("11 layers, all widths half of the paper's"),
    )


def _template_design(config: ResNeXtConfig, row: str) -> Design:
    return Design(label=f"{row}, {config.template}", model=config, row=row, column=config.template)


def _paper_table_3(small: list[Design]) -> tuple[PaperResult, ...]:
    """Return the paper's errors; small designs correspond to its networks of both depths."""
    return tuple(
        PaperResult(
            design=f"{depth} layers, {template}",
            data="imagenet",
            value=error,
            beside=small[number].label if small else "",
        )
        for depth, errors in _TABLE_3.items()
        for number, (template, error) in enumerate(errors.items())
    )


# arXiv 1611.05431, table 4: what is doubled, the network, top-1 and top-5 error
_TABLE_4 = (
    ("1x: ResNet", "resnet101", 22.0, 6.0),
    ("1x: ResNeXt", "resnext101_32x4d", 21.2, 5.6),
    ("2x deeper", "resnet200", 21.7, 5.8),
    ("2x wider", "resnet101_1x100d", 21.3, 5.7),
    ("2x cardinality", "resnext101_2x64d", 20.7, 5.5),
    ("2x cardinality", "resnext101_64x4d", 20.4, 5.3),
)


def table4(choice: Choice) -> Study:
    """Return table 4: twice the cost, spent on depth, on width or on cardinality.

    At small scale: the same at half the widths, from 11 layers; the solver finds depth and width.
    """
    if choice.is_paper:
        named = [(row, paper_network(name)) for row, name, _, _ in _TABLE_4]
    else:
        named = _small_doubled(choice)
    designs = tuple(
        Design(label=_doubled_label(row, config), model=config, row=row, column="")
        for row, config in named
    )
    dense, aggregated, deeper, wider = designs[:4]
    return Study(
        name=choice.name("table4"),
        question="Is a doubled cost better spent on cardinality than on depth or width?",
        source="arXiv 1611.05431, table 4",
        designs=designs,
        settings=settings_for(choice, "imagenet"),
        seeds=choice.seeds or (0, 1, 2),
        comparisons=(
            Comparison(better=aggregated.label, than=dense.label),
            *(
                Comparison(better=design.label, than=other.label)
                for design in designs[4:]
                for other in (deeper, wider)
            ),
        ),
        paper=tuple(
            PaperResult(
                design=_doubled_label(row, paper_network(name)),
                data="imagenet",
                value=top1,
                top5_error=top5,
                beside="" if choice.is_paper else design.label,
            )
            for design, (row, name, top1, top5) in zip(designs, _TABLE_4, strict=True)
        ),
        note=choice.note("from 11 layers, all widths half of the paper's"),
    )


def _small_doubled(choice: Choice) -> list[tuple[str, ResNeXtConfig]]:
    """Double the small network's multiply-adds in each way of the paper."""
    dense = small_network(choice, num_blocks=1)
    block = Budget.like(dense, "params", "block", input_size(choice))
    aggregated = solve_width(dense, 16, block).config
    doubled = Budget.like(dense, "macs", "network", input_size(choice), 2.0)
    return [
        ("1x: ResNet", dense),
        ("1x: ResNeXt", aggregated),
        ("2x deeper", solve_depth(dense, doubled, block_by_block=True).config),
        ("2x wider", solve_width(dense, 1, doubled).config),
        ("2x cardinality", dense.replace(cardinality=2)),
        ("2x cardinality", aggregated.replace(cardinality=32)),
    ]


def _doubled_label(row: str, config: ResNeXtConfig) -> str:
    return f"{row}: {config.depth} layers, {config.template}"


# arXiv 1611.05431, section 5.1: 50 layers, top-1 error with and without shortcuts
_RESIDUAL = {"1x64d": (23.9, 31.2), "32x4d": (22.2, 26.1)}


_SHORTCUTS: tuple[tuple[str, Shortcut], ...] = (
    ("with shortcuts", "B"),
    ("without shortcuts", "none"),
)


def residual(choice: Choice) -> Study:
    """Return the ablation of shortcuts in a dense and an aggregated network.

    At small scale: 29 layers at a quarter of the widths, as shortcuts matter more with depth.
    """
    if choice.is_paper:
        networks = [paper_network(f"resnext50_{template}") for template in _RESIDUAL]
    else:
        dense = small_network(choice, num_blocks=3, share=4)
        budget = Budget.like(dense, "params", "block", input_size(choice))
        networks = [dense, solve_width(dense, 4, budget).config]
    designs = tuple(
        Design(
            label=f"{config.template} {column}",
            model=config.replace(shortcut=shortcut),
            row=config.template,
            column=column,
        )
        for config in networks
        for column, shortcut in _SHORTCUTS
    )
    return Study(
        name=choice.name("residual"),
        question="How much do shortcuts help, and does cardinality help without them too?",
        source="arXiv 1611.05431, section 5.1",
        designs=designs,
        settings=settings_for(choice, "imagenet"),
        seeds=choice.seeds or (0, 1, 2),
        comparisons=tuple(
            Comparison(better=designs[better].label, than=designs[than].label)
            for better, than in ((0, 1), (2, 3), (2, 0), (3, 1))
        ),
        paper=tuple(
            PaperResult(
                design=f"{template} {column}",
                data="imagenet",
                value=error,
                beside="" if choice.is_paper else f"{config.template} {column}",
            )
            for config, (template, errors) in zip(networks, _RESIDUAL.items(), strict=True)
            for (column, _), error in zip(_SHORTCUTS, errors, strict=True)
        ),
        note=choice.note(f"{name_of(networks[0])}, all widths a quarter of the paper's"),
    )
