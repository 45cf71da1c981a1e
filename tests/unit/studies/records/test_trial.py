from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from own_parts import page_files

import resnext
from resnext import plugins
from resnext.data.config import DataConfig, ViewConfig
from resnext.errors import ConfigError
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.studies.records.trial import (
    Trial,
    _essence,
    create_trial,
    key_of_test,
    moved,
    plan_trials,
    read_trial,
)
from resnext.studies.study import Comparison, Design, Study, Test

__all__ = ["page_files"]

DESIGN = Design(label="8x8d", model=config_from("resnext_1-1_8x8d_cifar"))


def study(**changes: Any) -> Study:
    other = Design(label="1x64d", model=config_from("resnet_1-1_cifar"))
    given = {"name": "s", "question": "?", "designs": (DESIGN, other), "settings": (TrainConfig(),)}
    return Study(**given | changes)


RUNTIME = RuntimeConfig(device="cpu", precision="fp32", threads=1)


def key(**changes: Any) -> str:
    given = {"runtime": RUNTIME} | changes
    return Trial(DESIGN, TrainConfig(model=DESIGN.model).replace(**given)).key


def test_settings_without_effect_on_the_outcome_share_a_trial() -> None:
    config = TrainConfig()
    same: list[dict[str, Any]] = [
        {"recipe": "other"},
        {"checkpoint_minutes": 1.0},
        {"runtime": RUNTIME.replace(timeout_minutes=3.0)},
        {"data": config.data.replace(workers=5)},
        {"model": DESIGN.model.replace(num_classes=7, in_channels=1)},  # the data decide
    ]
    assert {key(), *(key(**change) for change in same)} == {key()}


def test_settings_with_effect_make_other_trials() -> None:
    config = TrainConfig()
    changes: list[dict[str, Any]] = [
        {"seed": 1},
        {"batch_size": 64},
        {"model": config_from("resnext_1-1_8x4d_cifar")},
        {"optim": config.optim.replace(lr=0.2)},
        {"runtime": RUNTIME.replace(precision="bf16")},
        {"runtime": RUNTIME.replace(threads=2)},
        {"runtime": RUNTIME.replace(device="cuda")},
        {"runtime": RUNTIME.replace(compile=True)},
        {"runtime": RUNTIME.replace(layout="contiguous")},
        {"data": config.data.replace(num_train=100)},
        {"data": DataConfig(name="cifar10")},
        {"keep": "last"},
    ]
    assert len({key(), *(key(**change) for change in changes)}) == len(changes) + 1


def test_the_number_of_a_device_has_no_effect_but_that_of_processes_has() -> None:
    keys = {key(runtime=RUNTIME.replace(device=f"cuda:{number}")) for number in range(2)}
    assert len(keys) == 1
    config = TrainConfig(model=DESIGN.model, runtime=RUNTIME)
    assert len({Trial(DESIGN, config, processes=number).key for number in (1, 2)}) == 2


def test_a_trial_from_before_its_arithmetic_was_recorded_keeps_its_name() -> None:
    open_settings = TrainConfig(model=DESIGN.model)
    config = open_settings.replace(runtime=RuntimeConfig(compile=True, layout="contiguous"))
    assert Trial(DESIGN, config).key == "resnext_1-1_8x8d_cifar-digits-s0-532a0680a2"


def test_the_layout_of_a_trial_is_named_as_in_earlier_versions() -> None:
    runtime = RUNTIME.replace(layout="contiguous")
    values = _essence(TrainConfig(model=DESIGN.model, runtime=runtime), 1)
    assert values["runtime"]["channels_last"] is False
    assert "layout" not in values["runtime"]


def test_the_place_of_a_known_set_has_no_effect_but_a_folder_is_its_place(tmp_path: Path) -> None:
    known = [key(data=DataConfig(name="cifar10", root=tmp_path / name)) for name in "ab"]
    assert known[0] == known[1]
    for kind in ("folder", "imagenet"):  # the latter may be some of ImageNet's classes
        folders = [key(data=DataConfig(name=kind, root=tmp_path / name / "it")) for name in "ab"]
        assert folders[0] != folders[1]


def test_a_key_is_the_name_of_one_folder() -> None:
    assert key().startswith("resnext_1-1_8x8d_cifar-digits-s0-")
    assert Path(key()).name == key()


def test_every_design_is_trained_once_with_each_seed_on_each_set() -> None:
    sets = (TrainConfig(), TrainConfig(data=DataConfig(name="cifar10")))
    trials = plan_trials(study(seeds=(3, 5), settings=sets))
    assert len(trials) == len({trial.key for trial in trials}) == 2 * 2 * 2
    assert [trial.seed for trial in trials] == [3] * 4 + [5] * 4
    assert {trial.design.label for trial in trials[:2]} == {"8x8d", "1x64d"}
    assert all(trial.config.model == trial.design.model for trial in trials)


def test_a_trial_keeps_its_last_weights_so_that_nothing_is_chosen_on_the_test_images() -> None:
    assert {trial.config.keep for trial in plan_trials(study())} == {"last"}


def test_the_file_of_a_test_is_named_by_what_is_evaluated() -> None:
    large = Test(name="large", view=ViewConfig(size_px=320))
    assert key_of_test(large).startswith("large-")
    assert key_of_test(large) != key_of_test(Test(name="large", view=ViewConfig(size_px=288)))
    assert key_of_test(large)[6:] == key_of_test(large.replace(name="other"))[6:]


def test_a_test_on_a_known_set_is_the_same_wherever_its_images_lie(tmp_path: Path) -> None:
    keys = {
        key_of_test(Test(name="c", data=DataConfig(name="cifar10", root=root, workers=workers)))
        for root, workers in ((None, None), (tmp_path, None), (None, 2))
    }
    assert len(keys) == 1
    folders = [DataConfig(name="folder", root=tmp_path / name) for name in "ab"]
    assert len({key_of_test(Test(name="c", data=data)) for data in folders}) == 2


def test_a_trial_that_is_asked_for_again_follows_its_images_and_the_machine(tmp_path: Path) -> None:
    def asked(root: str, device: str) -> Trial:
        config = TrainConfig(
            model=DESIGN.model,
            data=DataConfig(name="cifar10", root=tmp_path / root, workers=1),
            runtime=RuntimeConfig(device=device, precision="bf16", threads=1),
        )
        return Trial(DESIGN, config)

    folder = create_trial(asked("before", "cuda:0"), tmp_path)
    later = asked("after", "cuda:1")
    assert create_trial(later, tmp_path) == folder
    config = read_trial(folder).config
    assert config == later.config
    begun = asked("before", "cuda:0").config.replace(batch_size=7)
    assert moved(begun, config) == later.config.replace(batch_size=7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"designs": (DESIGN, DESIGN)}, "designs: 8x8d occurs more than once"),
        ({"seeds": (1, 1)}, "seeds: 1 occurs more than once"),
        (
            {"comparisons": (Comparison(better="8x8d", than="x"),)},
            "no design 'x'; designs are 8x8d",
        ),
        ({"settings": (TrainConfig(), TrainConfig())}, "digits occurs more than once"),
        ({"designs": ()}, "designs"),
        ({"designs": ({"label": "two\nlines", "model": DESIGN.model},)}, "label="),
        ({"name": "a/b"}, "name='a/b'"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study(**change)


def test_a_trial_on_a_folder_is_named_by_its_split_and_older_ones_keep_their_names() -> None:
    by_class = DataConfig(name="folder", root=Path("/photos"))
    by_hash = by_class.replace(val_split="hash")
    assert key(data=by_class) != key(data=by_hash)
    older = {k: v for k, v in by_class.model_dump().items() if k != "val_split"}
    assert DataConfig(**older) == by_hash
    known = DataConfig(name="digits")
    assert DataConfig(**{k: v for k, v in known.model_dump().items() if k != "val_split"}) == known


def test_a_table_is_named_by_its_place() -> None:
    one, two = (DataConfig(name="table", root=Path(f"/{name}.csv")) for name in "ab")
    assert key(data=one) != key(data=two)


def test_a_part_is_in_the_name_of_a_trial_with_its_settings_and_not_with_its_file(
    page_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resnext.load_plugin(page_files / "se.py")
    model = config_from("resnext_1-1_8x8d_cifar_se")
    first = key(model=model)
    assert first.startswith("resnext_1-1_8x8d_cifar_se-digits-s0-")
    monkeypatch.setattr("resnext.model.parts.plugin_name", lambda _: "another.py")
    assert key(model=model) == first
    wider = {"name": "se", "reduction": 4}
    others = [DESIGN.model, model.replace(block=wider)]
    assert len({first, *(key(model=other) for other in others)}) == 3


def test_a_trial_whose_process_would_not_find_a_part_is_refused(
    page_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resnext.load_plugin(page_files / "se.py")
    model = config_from("resnext_1-1_8x8d_cifar_se")
    trial = Trial(Design(label="se", model=model), TrainConfig(model=model, runtime=RUNTIME))
    create_trial(trial, page_files)
    monkeypatch.setattr(plugins, "_loaded", {})  # as if the program had defined it
    with pytest.raises(ConfigError, match="other processes do not import it; load it with"):
        create_trial(trial, page_files)
