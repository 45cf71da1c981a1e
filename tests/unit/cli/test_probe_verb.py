from pathlib import Path

import pytest
from command import Command
from image_trees import write_grey

from resnext.cli import probe
from resnext.errors import CheckpointError, ConfigError


@pytest.mark.slow
def test_both_classifiers_are_one_json_document(digits_run: Path, command: Command) -> None:
    linear, knn = command.json("probe", digits_run, "--stage", "1")
    shared = {"num_train": 1438, "num_images": 359, "data": "digits", "stage": 1}
    for found, method in ((linear, "linear"), (knn, "knn")):
        assert found.items() >= shared.items()
        assert found["method"] == method
        assert 0 <= found["top5_error"] <= found["top1_error"] < 30  # chance is 90
    assert (knn["k"], knn["temperature"]) == (20, 0.07)
    assert linear["seed"] == 0


@pytest.mark.slow
def test_people_get_a_table(digits_run: Path, command: Command) -> None:
    flags = ["digits", "--method", "knn", "--k", "5", "--temperature", "inf"]
    printed = command.prints("probe", digits_run, *flags)
    assert "knn" in printed
    assert "k 5, temperature inf" in printed
    assert "linear" not in printed


def test_the_classes_are_those_of_the_data_set(
    tmp_path: Path, digits_run: Path, command: Command
) -> None:
    write_grey(tmp_path / "data", 4, "train/dark", "val/dark", first=20, step=1)
    write_grey(tmp_path / "data", 4, "train/light", "val/light", first=230, step=1)
    flags = ["--method", "linear", "--workers", "0"]
    (found,) = command.json("probe", digits_run, tmp_path / "data", *flags)
    assert (found["top1_error"], found["top5_error"]) == (0.0, None)
    assert (found["num_train"], found["num_images"]) == (8, 8)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--k", "2000"], "--k 2000: there are only 1,438 training images"),
        (["--k", "0"], "--k 0"),
        (["--temperature", "0"], "--temperature 0.0: give a number above 0"),
        (["--method", "linear", "--k", "3"], "it belongs to --method knn"),
        (
            ["--method", "linear", "--temperature", "1"],
            "--temperature has no effect here",
        ),
        (
            ["--method", "knn", "--seed", "3"],
            "it belongs to --method linear",
        ),
        (["--seed", "-1"], "--seed -1: give 0 or more"),
        (["--stage", "4"], "--stage 4: the network has stages 1 to 3"),
        (["nowhere"], "neither a known set"),
    ],
)
def test_mistakes_are_one_message(
    digits_run: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        probe.main([str(digits_run), *flags])
    assert capsys.readouterr().out == ""


def test_a_missing_run_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        probe.main([str(tmp_path / "none")])
