import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command import Command

from resnext.cli.main import main


@pytest.mark.slow
def test_the_figures_are_one_json_document(digits_run: Path, command: Command) -> None:
    figures = command.json("evaluate", digits_run)
    assert figures["num_images"] == sum(map(sum, figures["confusion"]))
    assert 0 <= figures["top1_error"] <= 100
    assert len(figures["per_class_error"]) == 10
    assert set(figures["per_class"]["3"]) == {"precision", "recall", "f1", "images"}
    recalls = [row["recall"] for row in figures["per_class"].values()]
    assert figures["balanced_accuracy"] == pytest.approx(sum(recalls) / 10)
    f1s = [row["f1"] for row in figures["per_class"].values()]
    assert figures["macro_f1"] == pytest.approx(sum(f1s) / 10)


@pytest.mark.slow
def test_people_get_a_table_and_the_places_of_the_files(digits_run: Path, command: Command) -> None:
    printed = command.prints("evaluate", digits_run)
    for heading in ("top-1 error", "balanced accuracy", "macro F1", "precision", "recall"):
        assert heading in printed
    assert str(digits_run / "report.html").replace("\n", "") in printed.replace("\n", "")


@pytest.mark.slow
def test_quiet_is_silent(digits_run: Path, command: Command) -> None:
    assert command("evaluate", digits_run, "--quiet") == (0, "", "")
    assert (digits_run / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags", [["--flip"], ["--split", "train"], ["--data", "digits"], ["--size", "16"]]
)
def test_another_protocol_does_not_touch_the_run(digits_run: Path, flags: list[str]) -> None:
    before = sorted(digits_run.iterdir())
    assert main(["evaluate", str(digits_run), "--quiet", *flags]) == 0
    assert sorted(digits_run.iterdir()) == before


@pytest.mark.slow
def test_another_protocol_is_written_where_asked(digits_run: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "flip.json", tmp_path / "flip.html"
    flags = ["--flip", "--quiet", "--out", str(out), "--report", str(report)]
    assert main(["evaluate", str(digits_run), *flags]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["view"]["flip"] is True
    assert "crop and mirror image" in report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_ten_crops_come_from_the_resized_image(digits_run: Path, command: Command) -> None:
    view = command.json("evaluate", digits_run, "--ten-crop", "--resize", "10")["view"]
    assert view == {
        "size_px": 8,
        "resize_px": 10,
        "interpolation": "bilinear",
        "ten_crop": True,
        "flip": False,
    }


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "nowhere"], "neither a known set"),
        (["--real", "real.json"], "--data imagenet:FOLDER"),
        (["--imagenet-v2"], "takes its folder from --data"),
        (["--ten-crop"], "ten_crop"),
        (["--batch-size", "0"], "--batch-size 0"),
        (["--device", "abacus"], "device='abacus'"),
    ],
)
def test_mistakes_are_one_message(
    digits_run: Path, command: Command, flags: list[str], message: str
) -> None:
    assert message in command.refusal("evaluate", digits_run, *flags)


@pytest.mark.parametrize("flag", ["--out", "--report"])
@pytest.mark.parametrize(
    ("place", "message"), [("no/x", "a folder that does not exist"), ("", "is a folder")]
)
def test_a_place_where_no_file_can_be_is_refused_before_the_work(
    tmp_path: Path, command: Command, flag: str, place: str, message: str
) -> None:
    argv = ["evaluate", str(tmp_path / "no-run"), "--data", "digits", flag, str(tmp_path / place)]
    assert f"error: {flag} {tmp_path / place}" in (told := command.refusal(*argv))
    assert message in told


def test_a_run_that_may_not_be_written_is_refused_before_the_work_unless_nothing_is_kept_there(
    digits_run: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: path != digits_run)
    (digits_run / "best.safetensors").rename(digits_run / "else.safetensors")
    assert f"{digits_run} is not writable" in command.refusal("evaluate", digits_run)
    assert main(["evaluate", str(digits_run / "else.safetensors"), "--data", "digits"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--flip", "--out", "evaluation.json"]])
def test_a_write_that_fails_is_one_message_after_the_figures(
    digits_run: Path, command: Command, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    monkeypatch.chdir(digits_run)
    partial = f"evaluation.json.{socket.gethostname()}.{os.getpid()}.partial"
    (digits_run / partial).mkdir()
    status, out, err = command("evaluate", digits_run, "--json", *flags)
    assert (status, json.loads(out)["num_images"]) == (2, 359)
    assert "\nresnext: error: cannot write" in err
    assert "Is a directory" in err


def test_a_missing_run_is_one_message(tmp_path: Path, command: Command) -> None:
    assert "none" in command.refusal("evaluate", tmp_path / "none", "--data", "digits")


@pytest.mark.slow
def test_two_processes_print_the_figures_of_one(digits_run: Path, command: Command) -> None:
    alone = command.json("evaluate", digits_run)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    rendezvous = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    verb = ["-m", "resnext", "evaluate", str(digits_run), "--json", "--device", "cpu"]
    done = subprocess.run(
        [*torchrun, *rendezvous, *verb],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    together = json.loads(done.stdout)
    for name in ("num_images", "top1_error", "top5_error", "confusion", "per_class_error"):
        assert together[name] == alone[name]
    assert together["loss"] == pytest.approx(alone["loss"], rel=1e-6)


@pytest.mark.parametrize("flag", ["--size", "--resize", "--batch-size", "--workers"])
@pytest.mark.parametrize("value", ["0", "-1", "9" * 25])
def test_a_number_out_of_range_is_refused_and_never_ignored(
    digits_run: Path, command: Command, flag: str, value: str
) -> None:
    if (flag, value) == ("--workers", "0") or (flag == "--batch-size" and value[0] == "9"):
        pytest.skip("this is in range")
    assert command.refusal("evaluate", digits_run, flag, value).startswith(
        f"resnext: error: {flag} {value}: give "
    )
