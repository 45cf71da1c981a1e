"""A study as data: designs, data sets, seeds and planned comparisons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
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
    """One network of a study, with its position in the table.

    Attributes:
        label: Short unique name on one line, such as `50 layers, 32x4d`.
        model: The network; its classes and channels follow the data.
        weights: Trained weights that it starts from, such as a catalogue name; by default those
            of the settings of the study, or none.
        row: Row of the table.
        column: Column of the table; empty if the table has one.
    """

    label: Annotated[
        str, Field(min_length=1, max_length=_MAX_LABEL, pattern=r"^[^\x00-\x1f\x7f]+$")
    ]
    model: ModelConfig
    weights: Path | None = None
    row: Annotated[str, Field(max_length=_MAX_LABEL)] = ""
    column: Annotated[str, Field(max_length=_MAX_LABEL)] = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_depth(self.model)
        return self


ModelT = TypeVar("ModelT", bound=BaseModel)


def check_depth(model: ModelT) -> ModelT:
    """Check that a network is not too deep to count and build, and return it.

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
    """An evaluation in addition to the validation during training.

    Attributes:
        name: Unique name, such as `320` or `5K-way`.
        view: Crops; by default those of the validation.
        data: Images; by default those of the validation.
        all_classes: Predict among all classes of the network, even if `data` has fewer.
    """

    __test__ = False  # not a test of pytest's

    name: Slug
    view: ViewConfig | None = None
    data: DataConfig | None = None
    all_classes: bool = False


_Percent = Annotated[float, Field(gt=0, le=100)]


class PaperResult(Settings):
    """A result that the paper reports.

    Attributes:
        design: Label of the design, or of a network in the paper that the study does not include.
        data: Name of the data set.
        test: Name of the test; empty for the validation.
        value: The measure of the study's task in percent, such as the top-1 error or mAP.
        top5_error: In percent, if reported.
        beside: Label of the design that corresponds to that network in a study of other networks;
            the figure is shown next to its own, on any images.
    """

    design: str
    data: str
    value: _Percent
    top5_error: _Percent | None = None
    test: str = ""
    beside: str = ""

    @model_validator(mode="before")
    @classmethod
    def _take_old_names(cls, values: Any) -> Any:
        """Read the files of earlier versions, which knew only top-1 errors."""
        if isinstance(values, dict) and "top1_error" in values:
            return {"value" if key == "top1_error" else key: values[key] for key in values}
        return values

    def __str__(self) -> str:
        top5 = "" if self.top5_error is None else f" / {self.top5_error}"
        return f"{self.value}{top5}"


class Halving(Settings):
    """Successive halving: stop the worse designs early.

    Attributes:
        min_epochs: Epochs that every trial trains.
        factor: At each rung one in `factor` trials continues, for `factor` times as many epochs.
    """

    min_epochs: PositiveInt = 1
    factor: Annotated[int, Field(ge=2)] = 3


class Study(Settings):
    """Designs x data sets x seeds, and the question they answer.

    Attributes:
        name: Name of the results folder.
        question: What the study asks, in one sentence.
        source: Where the question comes from, such as a table of the paper.
        kind: `table` compares designs individually and controls the family-wise error rate;
            `distribution` compares groups of designs and controls the false discovery rate.
        designs: The networks.
        settings: One for each data set; each trial sets its own model and seed.
        seeds: Each design is trained once per seed.
        comparisons: Claims to test.
        tests: Evaluations in addition to the validation during training.
        paper: Results of the paper to show next to ours.
        halving: How to stop worse designs early when a run requests it.
        note: How the study matches the paper and how it differs.
        processes: Processes of one trial; None until the study first runs, as are unset device,
            precision and threads. See `arithmetic`.
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
    paper: tuple[PaperResult, ...] = ()
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
                        f"{part}: there is no design {label!r}; designs are "
                        f"{', '.join(labels[:_MAX_NAMED])}"
                    )
        return self

    def design(self, label: str) -> Design:
        """Return the design with a label."""
        return next(design for design in self.designs if design.label == label)


def claims_of(study: Study) -> tuple[Comparison, ...]:
    """Return the comparisons of a study: its claims, or each design with the first.

    All designs are compared, not only the best: the best of several is optimistic because it is
    selected, and only a correction for all comparisons accounts for that.
    """
    if study.comparisons or study.kind == "distribution":
        return study.comparisons
    first = study.designs[0].label
    return tuple(Comparison(better=design.label, than=first) for design in study.designs[1:])


def _check_unique(what: str, values: list[Any]) -> None:
    repeated = sorted(value for value, number in Counter(values).items() if number > 1)
    if repeated:
        raise ConfigError(f"{what}: {', '.join(map(str, repeated))} occurs more than once")
