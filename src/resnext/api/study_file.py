"""Opens a named study, or a study from a file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from resnext.api.study_signals import fit_signals, with_signals
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError
from resnext.files import is_there
from resnext.recipes.studies import STUDIES
from resnext.recipes.study_heads import with_heads
from resnext.recipes.study_scale import Choice, recipe_settings, refuse_said_otherwise
from resnext.runs.config import TrainConfig
from resnext.settings import Settings, override_all, override_together
from resnext.studies.records.study_folder import STUDY, read_yaml
from resnext.studies.space import Space, expand
from resnext.studies.study import Comparison, Halving, Seed, Slug, Study


class StudyFile(Settings):
    """A study as written in a file.

    Attributes:
        name: Name of the results folder.
        question: Question of the study.
        space: Design space.
        data: Data sets, as for `--data`.
        recipe: Recipe of all trials; by default fast, or that of signals.
        set: Settings to change, by dotted name: {schedule.epochs: 10}.
        seeds: Each design is trained once per seed.
        baseline: Label of the design that all others are compared with.
        compare: Pairs of labels: the one that should have the lower error, and the other.
        kind: As in `Study`; by default a table, or a distribution for random designs.
        halving: As in `Study`.
        note: As in `Study`.
    """

    name: Slug
    question: str = ""
    space: Space
    data: Annotated[tuple[str, ...], Field(min_length=1)]
    recipe: str | None = None
    set: dict[str, str | bool | float | int | list[float] | None] = Field(default_factory=dict)
    seeds: tuple[Seed, ...] = (0, 1, 2)
    baseline: str | None = None
    compare: tuple[tuple[str, str], ...] = ()
    kind: Literal["table", "distribution"] | None = None
    halving: Halving | None = None
    note: str = ""


def open_study(name_or_file: str, choice: Choice) -> Study:
    """Return a named study, or the study in a file.

    Args:
        name_or_file: A key of `STUDIES`; or a YAML file, written by the user or from the folder of
            a study.
        choice: Scale, data, seeds and changes; a file only accepts seeds and changes. Sets of
            signals are opened.

    Raises:
        ConfigError: There is no such study, or something in it is wrong.
        RunError: The file cannot be read.
    """
    if name_or_file in STUDIES:
        return with_heads(STUDIES[name_or_file](with_signals(choice)), choice.head)
    path = Path(name_or_file)
    if not (is_there(path) or path.suffix in (".yaml", ".yml")):
        near = difflib.get_close_matches(name_or_file, STUDIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"studies are {', '.join(STUDIES)}"
        raise ConfigError(f"study {name_or_file!r}: no such study or file; {hint}")
    if choice.data or choice.recipe or not choice.is_paper:
        raise ConfigError(
            f"{path} defines data, recipe and scale; leave out --data, --recipe and --scale, or "
            "edit the file"
        )
    if path.is_dir() and not (path / STUDY).exists():
        raise ConfigError(f"{path} is not the folder of a study: it contains no {STUDY}")
    study = _change(_read(path / STUDY if path.is_dir() else path), choice)
    return with_heads(study, choice.head)


def _read(file: Path) -> Study:
    values = read_yaml(file)
    try:
        return Study(**values) if "settings" in values else _write_out(StudyFile(**values))
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _change(study: Study, choice: Choice) -> Study:
    refuse_said_otherwise(choice.changes)
    settings = tuple(override_all(settings, choice.changes) for settings in study.settings)
    return study.replace(settings=settings, seeds=choice.seeds or study.seeds)


def _settings_of(file: StudyFile, settings: TrainConfig) -> TrainConfig:
    refuse_said_otherwise(file.set)
    return override_together(settings, file.set.items())


def _write_out(file: StudyFile) -> Study:
    """Resolve the recipe and the design space of a file."""
    sets = tuple(parse_data(text) for text in file.data)
    signals = fit_signals(sets, file.recipe)
    if signals:
        settings = tuple(_settings_of(file, fit.settings) for fit in signals)
        designs = expand(file.space, signals[0].sides, signals[0].shape)
    else:
        recipe, is_chosen = file.recipe or "fast", file.recipe is not None
        base = (recipe_settings(recipe, data, is_chosen=is_chosen) for data in sets)
        settings = tuple(_settings_of(file, one) for one in base)
        designs = expand(file.space, settings[0].data.image_size_px)
    pairs = list(file.compare)
    if file.baseline is not None:
        pairs += [(d.label, file.baseline) for d in designs if d.label != file.baseline]
    return Study(
        name=file.name,
        question=file.question,
        kind=file.kind or ("distribution" if file.space.kind == "random" else "table"),
        designs=designs,
        settings=settings,
        seeds=file.seeds,
        comparisons=tuple(Comparison(better=better, than=than) for better, than in pairs),
        halving=file.halving,
        note=file.note,
    )
