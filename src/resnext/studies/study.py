"""A study as data: which networks, on which images, how often, and what is compared with what."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, PositiveInt, model_validator

from resnext.data.config import DataConfig, ViewConfig
from resnext.errors import ConfigError
from resnext.model.config import ModelConfig
from resnext.runs.config import TrainConfig
from resnext.settings import Settings

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=200)]

MAX_DESIGNS = 1000
MAX_TRIALS = 10_000
MAX_BLOCKS = 1000
_MAX_NAMED = 20
_MAX_LABEL = 200

Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Design(Settings):
    """One network of a study, with its place in the table.

    Attributes:
        label: Short unique name in one line, such as `50 layers, 32x4d`.
        model: The network; its classes and channels follow the data.
        row: Row of the table.
        column: Column of the table; empty if the table has one.
    """

    label: Annotated[
        str, Field(min_length=1, max_length=_MAX_LABEL, pattern=r"^[^\x00-\x1f\x7f]+$")
    ]
    model: ModelConfig
    row: Annotated[str, Field(max_length=_MAX_LABEL)] = ""
    column: Annotated[str, Field(max_length=_MAX_LABEL)] = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_depth(self.model)
        return self


ModelT = TypeVar("ModelT", bound=BaseModel)


def check_depth(model: ModelT) -> ModelT:
    """Return a network that is not too deep to be counted and built.

    Raises:
        ConfigError: It has more than `MAX_BLOCKS` blocks.
    """
    num_blocks = sum(getattr(model, "blocks_per_stage", ()))
    if num_blocks > MAX_BLOCKS:
        raise ConfigError(
            f"blocks_per_stage gives {num_blocks:,} blocks; a design has at most {MAX_BLOCKS:,}"
        )
    return model


class Comparison(Settings):
    """A claim: one design has a lower error than another.

    Attributes:
        better: Label of the design that should win.
        than: Label of the other.
    """

    better: str
    than: str


class Test(Settings):
    """An evaluation beside the validation of training.

    Attributes:
        name: Unique name, such as `320` or `5K-way`.
        view: Crops; by default those of validation.
        data: Images; by default those of training's validation.
        all_classes: Choose between all classes of the network, also where `data` has fewer.
    """

    __test__ = False  # not a test of pytest's

    name: Slug
    view: ViewConfig | None = None
    data: DataConfig | None = None
    all_classes: bool = False


_Error = Annotated[float, Field(gt=0, le=100)]


class PaperError(Settings):
    """A figure that the paper reports.

    Attributes:
        design: Label of the design, or of a network of the paper's that the study does not have.
        data: Name of the data set.
        test: Name of the test; empty for the validation of training.
        top1_error: In percent.
        top5_error: In percent, if reported.
        beside: Label of the design that stands for that network in a study of other networks;
            the figure is shown beside its own, on whatever images.
    """

    design: str
    data: str
    top1_error: _Error
    top5_error: _Error | None = None
    test: str = ""
    beside: str = ""

    def __str__(self) -> str:
        top5 = "" if self.top5_error is None else f" / {self.top5_error}"
        return f"{self.top1_error}{top5}"


class Halving(Settings):
    """Successive halving: stop the worse designs early.

    Attributes:
        min_epochs: Epochs that every trial gets.
        factor: Of each `factor` trials at a rung one goes on, for `factor` times as long.
    """

    min_epochs: PositiveInt = 1
    factor: Annotated[int, Field(ge=2)] = 3


class Study(Settings):
    """Designs x data sets x seeds, and the question that they answer.

    Attributes:
        name: Names the folder of results.
        question: What the study asks, in one sentence.
        source: Where the question comes from, such as a table of the paper.
        kind: `table` compares designs one by one, and bounds the chance of any false verdict;
            `distribution` looks at all of them together, and bounds the share of false verdicts.
        designs: The networks.
        settings: One for each data set; model and seed of each trial are put in.
        seeds: Each design is trained once with each.
        comparisons: Claims to test.
        tests: Evaluations beside the validation of training.
        paper: Figures to show beside ours.
        halving: How to stop the worse designs early when a run asks for it.
        note: How far the study is the paper's, and how far it is not.
        processes: Processes of one trial; None until it first runs, as are device, precision and
            threads of its settings where they say nothing. See `arithmetic`.
    """

    name: Slug
    question: str
    source: str = ""
    kind: Literal["table", "distribution"] = "table"
    designs: Annotated[tuple[Design, ...], Field(min_length=1, max_length=MAX_DESIGNS)]
    settings: Annotated[tuple[TrainConfig, ...], Field(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MAX_TRIALS)] = (0, 1, 2)
    comparisons: tuple[Comparison, ...] = ()
    tests: tuple[Test, ...] = ()
    paper: tuple[PaperError, ...] = ()
    halving: Halving | None = None
    note: str = ""
    processes: PositiveInt | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        num_trials = len(self.designs) * len(self.settings) * len(self.seeds)
        if num_trials > MAX_TRIALS:
            raise ConfigError(
                f"{len(self.designs)} designs x {len(self.settings)} data sets x "
                f"{len(self.seeds)} seeds = {num_trials:,} trials; a study has at most "
                f"{MAX_TRIALS:,}"
            )
        labels = [design.label for design in self.designs]
        known = set(labels)
        _check_unique("designs", labels)
        _check_unique("seeds", list(self.seeds))
        _check_unique("tests", [test.name for test in self.tests])
        _check_unique("settings (one for each data set)", [s.data.label for s in self.settings])
        compared = [label for pair in self.comparisons for label in (pair.better, pair.than)]
        for part, named in (
            ("comparisons", compared),
            ("paper", [figure.beside for figure in self.paper if figure.beside]),
        ):
            for label in named:
                if label not in known:
                    raise ConfigError(
                        f"{part}: no design {label!r}; designs are {', '.join(labels[:_MAX_NAMED])}"
                    )
        return self

    def design(self, label: str) -> Design:
        """Return the design of a label."""
        return next(design for design in self.designs if design.label == label)


def claims_of(study: Study) -> tuple[Comparison, ...]:
    """Return what a study compares: its claims, or each design with the first.

    All are compared, not the best alone: the best of several is too good by being chosen, which
    only the correction for all of them makes up for.
    """
    if study.comparisons or study.kind == "distribution":
        return study.comparisons
    first = study.designs[0].label
    return tuple(Comparison(better=design.label, than=first) for design in study.designs[1:])


def _check_unique(what: str, values: list[Any]) -> None:
    repeated = sorted(value for value, number in Counter(values).items() if number > 1)
    if repeated:
        raise ConfigError(f"{what}: {', '.join(map(str, repeated))} occurs more than once")
