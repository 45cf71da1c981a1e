"""The named studies hold the paper's networks; their small forms keep the paper's logic."""

from __future__ import annotations

from pathlib import Path

import pytest
from nonempty import nonempty

import resnext
from resnext.api.study_file import open_study
from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.recipes.studies import STUDIES
from resnext.recipes.study_scale import Choice
from resnext.studies.analysis.corrections import correction_of
from resnext.studies.study import Study

SMALL = Choice("small", (DataConfig(name="cifar10"),))


def models(study: Study) -> list[ResNeXtConfig]:
    found = [d.model for d in study.designs if isinstance(d.model, ResNeXtConfig)]
    assert len(found) == len(study.designs)
    return found


def names(study: Study) -> list[str]:
    return [name_of(model) for model in models(study)]


def block_parameters(model: ResNeXtConfig) -> int:
    """The paper's template: C (w d + 9 d d + d w), section 3.3."""
    c, d, w = model.cardinality, model.bottleneck_width, model.stage_widths[0]
    return c * (w * d + 9 * d * d + d * w)


def test_table_3_holds_the_paper_s_ten_networks_and_errors() -> None:
    study = open_study("table3", Choice())
    templates = ["1x64d", "2x40d", "4x24d", "8x14d", "32x4d"]
    assert [model.template for model in models(study)] == templates * 2
    assert [model.depth for model in models(study)] == [50] * 5 + [101] * 5
    assert [figure.value for figure in study.paper][-1] == 21.2
    assert len(study.comparisons) == 8
    assert study.settings[0].recipe == "imagenet"
    assert study.settings[0].schedule.epochs == 100


def test_table_4_doubles_the_cost_in_the_paper_s_ways() -> None:
    study = open_study("table4", Choice())
    expected = ["resnet101", "resnext101_32x4d", "resnet200", "resnet101_1x100d"]
    assert names(study) == [*expected, "resnext101_2x64d", "resnext101_64x4d"]
    assert {figure.design for figure in study.paper} == {d.label for d in study.designs}


def test_the_ablation_differs_in_the_shortcuts_only() -> None:
    with_b, without, *_ = models(open_study("residual", Choice()))
    assert with_b.shortcut == "B"
    assert without == with_b.replace(shortcut="none")


def test_table_7_runs_both_cifar_sets_ten_times_by_the_paper_s_recipe() -> None:
    study = open_study("table7", Choice())
    assert names(study) == ["resnext29_8x64d", "resnext29_16x64d"]
    assert len(study.seeds) == 10
    assert [settings.data.name for settings in study.settings] == ["cifar10", "cifar100"]
    assert {settings.schedule.epochs for settings in study.settings} == {300}


def test_table_6_trains_for_as_many_mini_batches_as_on_1k_and_tests_twice() -> None:
    study = open_study("table6", Choice())
    epochs = study.settings[0].schedule.epochs
    assert epochs * 6_800_000 == pytest.approx(100 * 1_281_167, rel=0.03)
    assert [(test.name, test.all_classes) for test in study.tests] == [
        ("5k-way", True),
        ("1k-way", False),
    ]
    # the folder that `resnext data imagenet5k` makes has fewer classes to test on than to train on
    assert study.settings[0].data == DataConfig(name="imagenet", root=Path.cwd() / "imagenet5k")


def test_epochs_that_are_asked_for_win_over_those_of_table_6() -> None:
    study = open_study("table6", Choice(changes=("schedule.epochs=3",)))
    assert study.settings[0].schedule.epochs == 3


def test_table_5_adds_a_crop_of_320_pixels() -> None:
    view = open_study("table5", Choice()).tests[0].view
    assert view is not None
    assert view.size_px == 320


def test_each_network_of_figure_7_stands_beside_a_dense_one_of_its_cost() -> None:
    study = open_study("figure7", Choice())
    cost = {design.label: resnext.count(design.model).parameters for design in study.designs}
    for comparison in nonempty(study.comparisons):
        assert cost[comparison.better] == pytest.approx(cost[comparison.than], rel=0.02)
        than = study.design(comparison.than).model
        assert isinstance(than, ResNeXtConfig)
        assert than.cardinality == 1


@pytest.mark.parametrize("name", sorted(STUDIES.keys() - {"table8"}))  # which needs boxes
def test_every_study_has_a_small_form_on_small_images_and_on_photos(
    name: str, tmp_path: Path
) -> None:
    for label in "abcd":
        for split in ("train", "val"):
            (tmp_path / split / label).mkdir(parents=True)
            (tmp_path / split / label / "0.png").write_bytes(b"")
    for data in (DataConfig(), DataConfig(name="folder", root=tmp_path)):
        study = open_study(name, Choice("small", (data,)))
        stem = "cifar" if data.name == "digits" else "imagenet"
        assert {model.stem for model in models(study)} == {stem}
        largest = max(
            resnext.count(model, study.settings[0].data.image_size_px or 8).macs
            for model in models(study)
        )
        assert largest < 1e9
        assert "small" in study.name
        assert not {figure.design for figure in study.paper} & {d.label for d in study.designs}


def test_small_images_from_files_get_the_cifar_stem(tmp_path: Path) -> None:
    data = (DataConfig(name="folder", root=tmp_path),)
    study = open_study("table3", Choice("small", data, changes=("data.image_size_px=32",)))
    assert {model.stem for model in models(study)} == {"cifar"}
    assert study.settings[0].data.image_size_px == 32


def test_the_small_family_keeps_the_cost_of_a_block() -> None:
    family = models(open_study("table3", SMALL))
    assert [model.cardinality for model in family] == [1, 2, 4, 8, 16]
    target = block_parameters(family[0])
    for model in family:
        width = model.bottleneck_width
        others = [model.replace(bottleneck_width=width + step) for step in (-1, 1)]
        missed_by = abs(block_parameters(model) - target)
        assert all(missed_by < abs(block_parameters(other) - target) for other in others)


def test_the_small_doubled_designs_cost_about_twice() -> None:
    dense, aggregated, *doubled = models(open_study("table4", SMALL))
    single = resnext.count(dense).macs
    assert resnext.count(aggregated).macs == pytest.approx(single, rel=0.15)
    for model in doubled:
        assert 1.6 * single < resnext.count(model).macs < 2.4 * single


def test_small_table_6_tests_on_half_of_the_classes() -> None:
    study = open_study("table6", Choice("small", (DataConfig(),)))
    for test in nonempty(study.tests):
        assert test.data is not None
        assert test.data.classes == ("0", "1", "2", "3", "4")


def test_seeds_and_settings_can_be_chosen() -> None:
    study = open_study("table3", Choice("small", SMALL.data, (7,), None, ("schedule.epochs=2",)))
    assert study.seeds == (7,)
    assert study.settings[0].schedule.epochs == 2


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My Photos", "table3-small-my-photos"), ("Äpfel (2)", "table3-small--pfel-2-")],
)
def test_a_folder_of_any_name_can_be_studied(tmp_path: Path, folder: str, name: str) -> None:
    data = DataConfig(name="folder", root=tmp_path / folder)
    assert open_study("table3", Choice("small", (data,))).name == name


def test_a_file_becomes_a_study(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\n"
        "space: {kind: equal_cost, like: resnet29, cardinality: [1, 4]}\n"
        "data: [digits]\n"
        "recipe: cifar\n"
        "set: {schedule.epochs: 3, optim.lr: 0.05, schedule.milestones: [0.5],"
        " ema_decay: null}\n"
        "baseline: 1x64d\n"
    )
    study = open_study(str(file), Choice())
    assert [design.label for design in study.designs] == ["1x64d", "4x24d"]
    assert study.comparisons[0].better == "4x24d"
    settings = study.settings[0]
    assert (settings.schedule.epochs, settings.optim.lr) == (3, 0.05)
    assert settings.schedule.milestones == (0.5,)
    assert settings.ema_decay is None


@pytest.mark.parametrize(
    ("name", "choice", "message"),
    [
        ("tabel3", Choice(), "did you mean 'table3'"),
        ("table3", Choice("small"), "needs images: add --data"),
        ("table3", Choice(recipe="quick"), "recipes are fast, modern"),
        ("table6", Choice(data=(DataConfig(),)), "takes two data sets, got 1"),
        ("table6", Choice("small", (DataConfig(),) * 2), "takes one data set, got 2"),
        ("table3", Choice(changes=("schedule.epocs=1",)), "epochs"),
        ("table3", Choice(changes=("seed=3",)), "--seeds"),
        ("table3", Choice(changes=("keep=best",)), "last weights"),
        ("table3", Choice(changes=("recipe=modern",)), "--recipe"),
        ("table3", Choice(changes=("model.cardinality=4",)), "the designs define the networks"),
        ("table3", Choice(changes=("data.name=cifar10",)), "--data"),
        ("table3", Choice(changes=("runtime.threads=9",)), "--threads"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_remedy(name: str, choice: Choice, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_study(name, choice)


def test_what_a_study_says_otherwise_is_refused_in_a_file_and_in_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = "name: mine\nspace: {kind: list, networks: [resnet29]}\ndata: [digits]\n"
    file.write_text(text + "set: {seed: 3}\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: seed cannot be set for a study"):
        open_study(str(file), Choice())
    file.write_text(text)
    with pytest.raises(ConfigError, match="seed cannot be set for a study"):
        open_study(str(file), Choice(changes=("seed=3",)))
    with pytest.raises(ConfigError, match="is not the folder of a study"):
        open_study(str(tmp_path), Choice())


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nspace: {kind: equal}\ndata: [digits]\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: space"):
        open_study(str(file), Choice())


@pytest.mark.parametrize(
    ("lines", "kind", "correction"),
    [
        ("space: {kind: random, base: resnet29, num: 3}", "distribution", "Benjamini-Hochberg"),
        ("space: {kind: random, base: resnet29, num: 3}\nkind: table", "table", "Holm"),
        ("space: {kind: list, networks: [resnet29, resnet50, resnet38]}", "table", "Holm"),
    ],
)
def test_random_designs_are_explored_and_others_are_compared(
    tmp_path: Path, lines: str, kind: str, correction: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"name: mine\ndata: [digits]\n{lines}\n")
    study = open_study(str(file), Choice())
    assert study.kind == kind
    assert correction_of(study, 2) == correction


def test_small_table_6_tests_on_images_that_training_did_not_see(tmp_path: Path) -> None:
    for label in "abcd":
        (tmp_path / label).mkdir()
        for number in range(8):
            (tmp_path / label / f"{number}.png").write_bytes(b"")
    choice = Choice(
        "small",
        (DataConfig(name="folder", root=tmp_path),),
        changes=("data.val_fraction=0.3", "data.num_train=5"),
    )
    study = open_study("table6", choice)
    for test in nonempty(study.tests):
        assert test.data is not None
        assert test.data.val_fraction == study.settings[0].data.val_fraction == 0.3
        assert (test.data.classes, test.data.num_train) == (("a", "b"), None)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("{kind: grid, base: resnet29, vary: {%s}}", "1,000,000,000 designs; a study has at most"),
        ("{kind: random, base: resnet29, num: 1000000000}", "num="),
        ("{kind: random, base: resnet29, blocks: [1, 1000000000]}", "blocks"),
        ("{kind: equal_cost, like: resnet9000002, cardinality: [1]}", "at most 1,000"),
        ("{kind: equal_cost, like: resnet29, cardinality: [1], factor: .inf}", "factor"),
        ("{kind: list, networks: [resnext_999999999_2x4d]}", "blocks_per_stage"),
        ("{kind: list, networks: [resnext_900-900_2x4d]}", "at most 1,000"),
        ("{kind: list, networks: [resnet" + "9" * 5000 + "]}", "at most 100 characters"),
        ("{kind: list, networks: [{name: resnet29, self: 1}]}", "self: no such setting"),
        ("{kind: list, networks: [{name: resnet29, name_or_config: 1}]}", "no such setting"),
        ("{kind: random, base:", "not valid YAML"),
        ("{kind: random, base: null}", "base"),
        ("{kind: list, networks: &a [*a]}", "alias"),
    ],
)
def test_a_hostile_space_is_refused_before_it_is_built(
    tmp_path: Path, space: str, message: str
) -> None:
    digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
    many = ", ".join(f"k{number}: {digits}" for number in range(9))
    file = tmp_path / "hostile.yaml"
    text = space % many if "%s" in space else space
    file.write_text(f"name: hostile\ndata: [digits]\nspace: {text}\n")
    with pytest.raises(ConfigError, match=message) as caught:
        open_study(str(file), Choice())
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize("data", ["~nobody-here/x", "x" * 5000, "a/../\\0"])
def test_data_that_no_file_system_has_are_one_message(tmp_path: Path, data: str) -> None:
    file = tmp_path / "hostile.yaml"
    file.write_text(f'name: x\ndata: ["{data}"]\nspace: {{kind: list, networks: [resnet29]}}\n')
    with pytest.raises(ConfigError, match="is neither a known set"):
        open_study(str(file), Choice())


def test_a_name_that_no_file_system_has_is_no_study() -> None:
    with pytest.raises(ConfigError, match="no such study or file"):
        open_study("x" * 5000, Choice())
