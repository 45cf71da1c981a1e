import csv
import io
import json
from pathlib import Path

import pytest
from command import Command
from PIL import Image

from resnext.inference import parity, predictor
from resnext.runs import runtime


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty-one images, of which one is bad, below a folder."""
    root = tmp_path / "images"
    (root / "deep").mkdir(parents=True)
    for number in range(40):
        Image.new("RGB", (10, 10), (6 * number, 90, 30)).save(root / "deep" / f"{number:02}.png")
    (root / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    return root


def test_json_is_one_list_with_an_object_for_each_file(
    digits_run: Path, folder: Path, command: Command
) -> None:
    status, out, err = command("predict", digits_run, folder, "--json", "--top", "3")
    assert status == 1
    rows = json.loads(out)
    assert [Path(row["path"]).name for row in rows] == [f"{n:02}.png" for n in range(40)] + [
        "torn.jpg"
    ]
    for row in rows[:-1]:
        assert set(row) == {"path", "predictions", "error", "precision"}
        assert row["error"] is None
        probabilities = [guess["probability"] for guess in row["predictions"]]
        assert len(probabilities) == 3
        assert probabilities == sorted(probabilities, reverse=True)
        assert {guess["class"] for guess in row["predictions"]} <= set("0123456789")
    assert rows[-1]["predictions"] == []
    assert rows[-1]["error"]
    assert "1 of 41 files could not be read" in err


def test_csv_has_a_line_for_each_class_of_each_file(
    digits_run: Path, folder: Path, command: Command
) -> None:
    status, out, _ = command("predict", digits_run, folder, "--csv", "--top", "2")
    assert status == 1
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 40 * 2 + 1
    assert [row["rank"] for row in rows[:4]] == ["1", "2", "1", "2"]
    assert all(0 <= float(row["probability"]) <= 1 for row in rows[:-1])
    assert rows[-1]["error"]
    assert rows[-1]["class"] == ""


def test_people_get_tables(digits_run: Path, folder: Path, command: Command) -> None:
    status, printed, _ = command("predict", digits_run, folder)
    assert status == 1
    assert printed.count("probability") == 2  # 32 rows and the rest
    assert "cannot be read" in printed


def test_success_is_0(digits_run: Path, folder: Path, command: Command) -> None:
    status, out, err = command("predict", digits_run, folder / "deep" / "00.png", "--json")
    assert (status, len(json.loads(out)), err) == (0, 1, "")


def test_flags_may_stand_between_run_and_images(
    digits_run: Path, folder: Path, command: Command
) -> None:
    image = str(folder / "deep" / "00.png")
    assert len(command.json("predict", digits_run, "--top", "1", image)[0]["predictions"]) == 1


def test_odd_file_names_can_be_printed(digits_run: Path, tmp_path: Path, command: Command) -> None:
    names = [b"caf\xe9.png", "\u732b [bold].png".encode()]  # not UTF-8; markup of rich
    for name in names:
        path = tmp_path / "odd" / name.decode("utf-8", "surrogateescape")
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(path)
    for form in ([], ["--csv"], ["--json"]):
        printed = command.prints("predict", digits_run, tmp_path / "odd", *form)
        assert "[bold]" in printed


def test_files_of_a_folder_that_are_no_images_are_counted_by_their_extension(
    digits_run: Path, tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / "photo", "PNG")
    Image.new("L", (8, 8)).save(folder / "photo.JFIF", "JPEG")
    for name in ("a.heic", "b.heic", "c.txt", ".hidden", "README"):
        (folder / name).write_bytes(b"x")
    printed = command("predict", digits_run, folder, "--csv")
    assert printed.status == 0
    assert "photo.JFIF" in printed.out
    assert "/photo," in printed.out
    assert "skipped files that are not images: 2 .heic" in printed.err
    assert "1 without extension" in printed.err


def test_what_is_left_out_is_said_where_nothing_is_left(
    digits_run: Path, tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.heic").write_bytes(b"x")
    assert "(left out: 1 .heic)" in command.refusal("predict", digits_run, folder)


@pytest.mark.parametrize(
    ("images", "message"),
    [([], "predict needs images: give image files or folders"), (["EMPTY"], "no image found in")],
)
def test_nothing_to_predict_is_a_clear_error(
    digits_run: Path, tmp_path: Path, command: Command, images: list[str], message: str
) -> None:
    (tmp_path / "EMPTY").mkdir()
    given = [str(tmp_path / name) for name in images]
    assert message in command.refusal("predict", digits_run, *given)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--json", "--csv"], "give either --json or --csv"),
        (["--top", "0"], "--top 0: give 1 or more"),
        (["--batch-size", "0"], "--batch-size 0: give 1 to 65,536"),
    ],
)
def test_mistakes_are_one_message(
    digits_run: Path, folder: Path, command: Command, flags: list[str], message: str
) -> None:
    assert message in command.refusal("predict", digits_run, folder, *flags)


def test_answers_say_their_precision(digits_run: Path, folder: Path, command: Command) -> None:
    image = folder / "deep" / "00.png"
    assert command.json("predict", digits_run, image)[0]["precision"] == "fp32"
    _, out, _ = command("predict", digits_run, image, "--csv", "--top", "1")
    assert next(csv.DictReader(io.StringIO(out)))["precision"] == "fp32"


def test_bf16_is_compared_with_fp32_and_said(
    digits_run: Path, folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor, "_check_bf16", lambda _: None)  # torch imitates it anywhere
    status, out, err = command(
        "predict", digits_run, folder / "deep", "--json", "--precision", "bf16"
    )
    assert status == 0
    assert {row["precision"] for row in json.loads(out)} == {"bf16"}
    assert "bf16 against fp32 on 32 images (the first of the input): largest difference" in err


def test_bf16_that_changes_too_much_is_refused(
    digits_run: Path, folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor, "_check_bf16", lambda _: None)
    monkeypatch.setattr(parity, "BF16_TOLERANCE", 1e-6)
    status, _, err = command("predict", digits_run, folder / "deep", "--precision", "bf16")
    assert status == 2
    assert "bf16 changes its answers too much" in err
    assert "--precision fp32" in err


def test_a_processor_without_bf16_is_told(
    digits_run: Path, folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_multiplies_bf16", lambda _: False)
    status, _, err = command("predict", digits_run, folder / "deep", "--precision", "bf16")
    assert status == 2
    assert "this cpu has no bf16 arithmetic" in err
