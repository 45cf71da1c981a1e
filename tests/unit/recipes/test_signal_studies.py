"""Studies of signals: the same designs, with dimensions, channels and cost of the data."""

from pathlib import Path

import pytest
from made_series import write_volumes, write_waves

from resnext.api.study_file import open_study
from resnext.complexity.count import count
from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.recipes.study_scale import Choice
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Study


def _choice(folder: Path, **changes: object) -> Choice:
    data = DataConfig(name="series", root=write_waves(folder, length=40))
    return Choice(data=(data,), **changes)  # type: ignore[arg-type]


def _models(study: Study) -> list[ResNeXtConfig]:
    found = [d.model for d in study.designs if isinstance(d.model, ResNeXtConfig)]
    assert len(found) == len(study.designs)
    return found


def test_cardinality_is_compared_at_equal_multiply_adds_of_the_whole_network(
    tmp_path: Path,
) -> None:
    study = open_study("cardinality", _choice(tmp_path))
    assert [model.cardinality for model in _models(study)] == [1, 4, 16]
    assert {(model.ndim, model.in_channels, model.num_classes) for model in _models(study)} == {
        (1, 1, 2)
    }
    assert study.seeds == (0, 1, 2, 3, 4)
    assert study.settings[0].recipe == "signals"
    assert [(one.better, one.than) for one in study.comparisons] == [
        (design.label, study.designs[0].label) for design in study.designs[1:]
    ]
    usual = study.settings[0].model.replace(in_channels=1, num_classes=2)
    wanted = count(usual, 40).macs  # the network that train takes, at the size of the series
    # The width is a whole number: half a step of the widest path, 1 of about 9, may be missing.
    for model in _models(study):
        assert count(model, 40).macs == pytest.approx(wanted, rel=0.15)


def test_images_are_compared_too() -> None:
    study = open_study("cardinality", Choice("small", (DataConfig(name="digits"),)))
    costs = [count(model, 8).macs for model in _models(study)]
    assert [model.cardinality for model in _models(study)] == [1, 4, 16]
    assert max(costs) <= 1.25 * min(costs)
    paper = open_study("cardinality", Choice())
    assert _models(paper)[0].template == "1x64d"  # ResNet-50 itself


@pytest.mark.parametrize("name", ["table3", "table4", "residual"])
def test_studies_of_the_paper_follow_the_dimensions_of_the_data(name: str, tmp_path: Path) -> None:
    study = open_study(name, _choice(tmp_path))
    assert study.name == f"{name}-small-waves_train"
    assert {model.ndim for model in _models(study)} == {1}
    assert "the recipe that train takes" in study.note


def test_a_file_may_name_signals(tmp_path: Path) -> None:
    cubes = write_volumes(tmp_path / "cubes.npz")
    file = tmp_path / "study.yaml"
    file.write_text(
        f"name: mine\ndata: ['volume:{cubes}']\nseeds: [0]\nset: {{schedule.epochs: 2}}\n"
        "space: {kind: equal_cost, like: resnext_1-1_8x8d_cifar, cardinality: [1, 4], by: macs, "
        "scope: network}\n"
    )
    study = open_study(str(file), Choice())
    assert {model.ndim for model in _models(study)} == {3}
    assert study.settings[0].schedule.epochs == 2
    costs = [count(model, 6).macs for model in _models(study)]
    assert max(costs) <= 1.25 * min(costs)
    file.write_text(file.read_text() + "recipe: fast\n")
    with pytest.raises(ConfigError, match="signals have their own recipe"):
        open_study(str(file), Choice())


def test_sets_of_other_dimensions_need_studies_of_their_own(tmp_path: Path) -> None:
    cubes = DataConfig(name="volume", root=write_volumes(tmp_path / "cubes.npz"))
    waves = _choice(tmp_path).data[0]
    for others in ((waves, cubes), (waves, DataConfig(name="digits"))):
        with pytest.raises(ConfigError, match="make a study of each"):
            open_study("cardinality", Choice(data=others))


def test_a_study_that_tests_larger_crops_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this study tests other crops of images"):
        open_study("table5", _choice(tmp_path))


def test_trials_on_files_of_the_same_name_in_other_folders_are_kept_apart(tmp_path: Path) -> None:
    keys = set()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        study = open_study("cardinality", _choice(tmp_path / name, seeds=(0,)))
        settled = study.settings[0]
        keys |= {trial.key for trial in plan_trials(study.replace(settings=(settled,)))}
    assert len(keys) == 6
