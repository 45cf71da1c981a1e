"""The paper's studies against the state of the art: tables 5, 6 and 7, and figure 7."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnext.complexity.budget import Budget
from resnext.complexity.solve import equal_cost_family, solve_width
from resnext.data.config import DataConfig, ViewConfig
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.recipes.study_scale import (
    Choice,
    data_of,
    input_size,
    paper_network,
    settings_for,
    side_px,
    small_network,
)
from resnext.studies.study import Comparison, Design, PaperResult, Study, Test

# arXiv 1611.05431, table 5: top-1 and top-5 error at 224 and 320
_TABLE_5 = {
    "resnet101": ((22.0, 6.0), None),
    "resnet200": ((21.7, 5.8), (20.1, 4.8)),
    "resnext101_64x4d": ((20.4, 5.3), (19.1, 4.4)),
}


def table5(choice: Choice) -> Study:
    """Return table 5: a crop at the training size and one at 320 pixels.

    At small scale: a dense network, one of twice its depth, and one of twice its cost by
    cardinality; the larger crop is 10/7 of the training crop, as 320 is of 224.
    """
    if choice.is_paper:
        networks = [paper_network(name) for name in _TABLE_5]
    else:
        dense = small_network(choice, num_blocks=1)
        block = Budget.like(dense, "params", "block", input_size(choice))
        aggregated = solve_width(dense, 16, block).config
        deeper = dense.replace(blocks_per_stage=(2, 2, 2))
        networks = [dense, deeper, aggregated.replace(cardinality=32)]
    designs = _by_name(networks)
    large_px = 320 if choice.is_paper else round(side_px(choice) * 10 / 7)
    large = Test(name=str(large_px), view=ViewConfig(size_px=large_px))
    return Study(
        name=choice.name("table5"),
        question="How do the largest networks compare, including on larger crops?",
        source="arXiv 1611.05431, table 5",
        designs=designs,
        settings=settings_for(choice, "imagenet"),
        seeds=choice.seeds or (0, 1, 2),
        comparisons=_last_against_others(designs),
        tests=(large,),
        paper=_paper_table_5(choice, designs, large.name),
        note=choice.note("11 to 20 layers, all widths half of the paper's")
        + " The paper cites the Inception networks from their own papers (Inception-v3 at 299: "
        "21.2 / 5.6; Inception-v4 20.0 / 5.0; Inception-ResNet-v2 19.9 / 4.9).",
    )


def _paper_table_5(
    choice: Choice, designs: tuple[Design, ...], large: str
) -> tuple[PaperResult, ...]:
    """Return the paper's errors next to our networks, whose larger crop may differ."""
    return tuple(
        PaperResult(
            design=name,
            data="imagenet" if choice.is_paper or not test else "imagenet at 320 px",
            test=test,
            value=pair[0],
            top5_error=pair[1],
            beside="" if choice.is_paper else design.label,
        )
        for design, (name, pairs) in zip(designs, _TABLE_5.items(), strict=True)
        for test, pair in zip(("", large), pairs, strict=True)
        if pair is not None
    )


def _by_name(networks: list[ResNeXtConfig]) -> tuple[Design, ...]:
    names = [name_of(config) for config in networks]
    return tuple(
        Design(label=name, model=config, row=name)
        for name, config in zip(names, networks, strict=True)
    )


def _last_against_others(designs: tuple[Design, ...]) -> tuple[Comparison, ...]:
    return tuple(Comparison(better=designs[-1].label, than=design.label) for design in designs[:-1])


# arXiv 1611.05431, table 6: top-1 and top-5 error as a choice of 5,000 and of 1,000 classes
_TABLE_6 = {
    "resnet50": ((45.5, 19.4), (27.1, 8.2)),
    "resnext50_32x4d": ((42.3, 16.8), (24.4, 6.6)),
    "resnet101": ((42.4, 16.9), (24.2, 6.8)),
    "resnext101_32x4d": ((40.1, 15.1), (22.2, 5.7)),
}
_EPOCHS_1K, _IMAGES_1K, _IMAGES_5K = 100, 1_281_167, 6_800_000


def table6(choice: Choice) -> Study:
    """Return table 6: trained on 5,000 classes, tested on the 1,000 classes of ImageNet-1K.

    It takes two data sets: the folder created by `resnext data imagenet5k`, and ImageNet-1K. At
    small scale: trained on all classes, tested on the images of the first half of the classes,
    predicting among all classes and among those.
    """
    train, test = _table_6_data(choice)
    changes = choice.changes
    if choice.is_paper:  # the same number of mini-batches as on 1K, unless asked otherwise
        changes = (f"schedule.epochs={round(_EPOCHS_1K * _IMAGES_1K / _IMAGES_5K)}", *changes)
    (settings,) = settings_for(replace(choice, data=(train,), changes=changes), "imagenet")
    test = test or _half_of_classes(settings.data)
    if choice.is_paper:
        networks = [paper_network(name) for name in _TABLE_6]
    else:
        dense = small_network(choice, num_blocks=1)
        block = Budget.like(dense, "params", "block", input_size(choice))
        networks = [dense, solve_width(dense, 16, block).config]
    designs = _by_name(networks)
    names = ("5k-way", "1k-way") if choice.is_paper else ("all-way", "half-way")
    return Study(
        name=choice.name("table6"),
        question="Does cardinality help on a larger data set, tested on more and on fewer classes?",
        source="arXiv 1611.05431, table 6",
        designs=designs,
        settings=(settings,),
        seeds=choice.seeds or (0, 1, 2),
        comparisons=tuple(
            Comparison(better=better.label, than=than.label)
            for than, better in zip(designs[::2], designs[1::2], strict=True)
        ),
        tests=tuple(
            Test(name=name, data=test, all_classes=all_classes)
            for name, all_classes in zip(names, (True, False), strict=True)
        ),
        paper=tuple(
            PaperResult(
                design=name,
                data=train.label if choice.is_paper else "imagenet-5k",
                test=test_name,
                value=top1,
                top5_error=top5,
                beside="" if choice.is_paper else designs[number % 2].label,
            )
            for number, (name, pairs) in enumerate(_TABLE_6.items())
            for test_name, (top1, top5) in zip(names, pairs, strict=True)
        ),
        note=choice.note("11 layers, all widths half of the paper's"),
    )


def _table_6_data(choice: Choice) -> tuple[DataConfig, DataConfig | None]:
    """Return the training and the test data; at small scale, both are from one data set."""
    if not choice.is_paper:
        if len(choice.data) > 1:
            raise ConfigError(
                f"table6 at small scale takes one data set, got {len(choice.data)}: it tests on "
                "the images of half of its classes"
            )
        return data_of(choice)[0], None
    if not choice.data:
        train, test = (
            DataConfig(name="imagenet", root=Path(folder).absolute())
            for folder in ("imagenet5k", "imagenet")
        )
        return train, test
    if len(choice.data) != 2:
        raise ConfigError(
            f"table6 takes two data sets, got {len(choice.data)}: ImageNet-5K, as created by "
            "`resnext data imagenet5k`, and ImageNet-1K: --data imagenet:5K imagenet:1K"
        )
    return choice.data[0], choice.data[1]


def _half_of_classes(data: DataConfig) -> DataConfig:
    """Return the first half of the classes, with the same split as in training."""
    from resnext.data.sets.load import load_data  # the class names are needed

    classes = load_data(data).info.classes
    return data.replace(classes=classes[: -(-len(classes) // 2)], num_train=None)


# arXiv 1611.05431, table 7: mean test error of 10 runs on CIFAR-10 and CIFAR-100
_TABLE_7 = {"resnext29_8x64d": (3.65, 17.77), "resnext29_16x64d": (3.58, 17.31)}
_CIFAR = (DataConfig(name="cifar10"), DataConfig(name="cifar100"))


def table7(choice: Choice) -> Study:
    """Return table 7: CIFAR-10 and CIFAR-100, mean of ten runs.

    At small scale: 11 layers at half the stage widths, 4 and 8 paths of a quarter of the width.
    """
    choice = _with_cifar(choice)
    if choice.is_paper:
        networks = [paper_network(name) for name in _TABLE_7]
    else:
        dense = small_network(choice, num_blocks=1)
        networks = [dense.replace(cardinality=c, bottleneck_width=16) for c in (4, 8)]
    designs = _by_name(networks)
    return Study(
        name=choice.name("table7"),
        question="How much does twice the cardinality help on CIFAR?",
        source="arXiv 1611.05431, table 7",
        designs=designs,
        settings=settings_for(choice, "cifar", "cifar10"),
        seeds=choice.seeds or tuple(range(10 if choice.is_paper else 3)),
        comparisons=_last_against_others(designs),
        paper=tuple(
            PaperResult(
                design=name,
                data=data.name,
                value=error,
                beside="" if choice.is_paper else design.label,
            )
            for design, (name, errors) in zip(designs, _TABLE_7.items(), strict=True)
            for data, error in zip(_CIFAR, errors, strict=True)
        ),
        note=choice.note("11 layers, paths of a quarter of the paper's width")
        + " The paper also cites Wide ResNet, 36.5M parameters: 4.17 and 20.50.",
    )


def figure7(choice: Choice) -> Study:
    """Return figure 7: error against parameters, growing by cardinality or by width.

    Each network with more paths is paired with a dense one of the same cost.
    """
    choice = _with_cifar(choice)
    base = paper_network("resnet29") if choice.is_paper else small_network(choice, num_blocks=1)
    if not choice.is_paper:
        base = base.replace(bottleneck_width=16)
    cardinalities = (2, 4, 8, 16) if choice.is_paper else (2, 4, 8)
    more_paths = [base.replace(cardinality=c) for c in (1, *cardinalities)]
    budgets = [Budget.like(config, "params", "network") for config in more_paths[1:]]
    wider = [equal_cost_family(base, (1,), budget)[0].config for budget in budgets]
    designs = tuple(
        Design(label=config.template, model=config, row=row, column=column)
        for row, configs in (("more cardinality", more_paths), ("more width", [base, *wider]))
        for config, column in zip(configs, ("1x", *(f"{c}x" for c in cardinalities)), strict=True)
        if not (row == "more width" and config is base)
    )
    pairs = zip(more_paths[1:], wider, strict=True)
    return Study(
        name=choice.name("figure7"),
        question="Are parameters better spent on cardinality than on width?",
        source="arXiv 1611.05431, figure 7",
        designs=designs,
        settings=settings_for(choice, "cifar", "cifar10"),
        seeds=choice.seeds or (0, 1, 2),
        comparisons=tuple(Comparison(better=a.template, than=b.template) for a, b in pairs),
        note=choice.note("11 layers, stage widths half and paths a quarter of the paper's"),
    )


def _with_cifar(choice: Choice) -> Choice:
    if choice.data or not choice.is_paper:
        return choice
    return replace(choice, data=_CIFAR)
