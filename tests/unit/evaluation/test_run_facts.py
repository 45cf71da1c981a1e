"""The top of a run's report, and why a network is less confident than right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resnext.data.augment.config import AugmentConfig
from resnext.evaluation.report import render_report
from resnext.evaluation.run_facts import read_facts
from resnext.model.config import ResNeXtConfig
from resnext.runs.config import ScheduleConfig, TrainConfig
from resnext.runs.folder import write_config
from resnext.runs.kept_epoch import kept_epoch

CONFIG = TrainConfig(
    model=ResNeXtConfig(stem="cifar", blocks_per_stage=(1, 1, 1), num_classes=10),
    recipe="fast",
    seed=17,
    schedule=ScheduleConfig(epochs=2),
)


def epoch(number: int, **changes: Any) -> dict[str, Any]:
    figures = {"train_loss": 1.0, "train_top1_error": 20.0, "loss": 0.9, "top1_error": 30.0}
    given = {"seconds": 60.0 * number, "guess_error": 89.97}
    return {"kind": "epoch", "step": 10 * number, "epoch": number, **figures, **given, **changes}


def made_run(run: Path, rows: list[dict[str, Any]], config: TrainConfig = CONFIG) -> Path:
    run.mkdir(exist_ok=True)
    write_config(run, config)
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    opening = {"num_images": {"train": 1438, "val": 359}, "lines": [["data", "digits: <b>"]]}
    (run / "opening.json").write_text(json.dumps(opening))
    return run


def test_the_facts_say_what_a_reader_asks_first(tmp_path: Path) -> None:
    rows = [epoch(1, top1_error=12.5), epoch(2, top1_error=12.5, loss=0.8)]
    facts = read_facts(made_run(tmp_path, rows), rows, {"top1_error": 12.25})
    assert facts is not None
    assert facts.facts == [
        ("network", "resnext11_32x4d"),
        ("recipe", "fast"),
        ("seed", "17"),
        ("training", "2 epochs in 2.0 minutes, 1.0 minutes each"),
        ("images", "1,438 train, 359 val"),
        ("classes", "10"),
        ("kept weights", "epoch 2 (the lowest top-1 error in validation)"),
        ("top-1 error", "12.25 %"),
        ("guessing", "89.97 %, by always predicting the largest class"),
    ]
    assert facts.opening == [("data", "digits: <b>")]


def test_the_page_begins_with_them_and_what_was_shown_before_training(tmp_path: Path) -> None:
    page = render_report(made_run(tmp_path, [epoch(1), epoch(2)]))
    assert page.index("<dt>network</dt>") < page.index("<h2>Before training</h2>")
    assert "digits: &lt;b&gt;" in page
    assert "30.00 % during training" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "config", "text"),
    [
        ([epoch(1), epoch(2)], CONFIG, "better than guessing and does not overfit strongly."),
        ([epoch(1)], CONFIG, "No problems in the epochs so far."),
        (
            [epoch(1), epoch(2)],
            CONFIG.replace(augment=AugmentConfig(mixup=0.2)),
            "Overfitting is not checked when images are mixed.",
        ),
        ([epoch(1), epoch(2, loss=1e9)], CONFIG, "<b>Exploding:</b> the loss is 1e+09"),
        (
            [epoch(1, top1_error=95.0), epoch(2, top1_error=95.0)],
            CONFIG,
            "<b>Useless:</b> the best top-1 error, 95.00 %, is no better than always",
        ),
        (
            [epoch(1, loss=0.5), epoch(2, train_top1_error=0.0, top1_error=40.0)],
            CONFIG,
            "<b>Overfitting:</b> the top-1 error is 0.00 % in training and 40.00 % in",
        ),
    ],
)
def test_the_page_says_in_plain_words_whether_training_went_wrong(
    rows: list[dict[str, Any]], config: TrainConfig, text: str, tmp_path: Path
) -> None:
    page = render_report(made_run(tmp_path, rows, config))
    assert " ".join(text.split()) in " ".join(page.split())
    assert page.count('class="good"') + page.count('class="bad"') == 1


def test_a_run_that_did_not_record_the_error_of_guessing_is_not_judged(tmp_path: Path) -> None:
    rows = [epoch(1), epoch(2)]
    for row in rows:
        del row["guess_error"]
    page = render_report(made_run(tmp_path, rows))
    assert 'class="good"' not in page
    assert 'class="bad"' not in page
    assert "<dt>network</dt>" in page


@pytest.mark.parametrize(
    "opening",
    [
        '{"lines": 3, "num_images": {"train": "x"}}',
        '{"lines": [["a"], ["b", 1], 7, ["c", "d"]], "num_images": 7}',
        "[]",
        "{",
    ],
)
def test_a_damaged_summary_is_left_out(opening: str, tmp_path: Path) -> None:
    run = made_run(tmp_path, [epoch(1)])
    (run / "opening.json").write_text(opening)
    facts = read_facts(run, [epoch(1)], {"top1_error": 1.0, "num_images": 7})
    assert facts is not None
    assert dict(facts.facts)["images"] == "7 evaluated"
    assert facts.opening in ([], [("c", "d")])


def test_a_weight_file_or_damaged_settings_have_no_facts(tmp_path: Path) -> None:
    assert read_facts(tmp_path / "best.safetensors", [], None) is None
    (tmp_path / "config.yaml").write_text("[1, 2]")
    assert read_facts(tmp_path, [], None) is None


def test_of_equal_errors_the_lower_loss_is_kept() -> None:
    rows = [epoch(1, loss=0.9), epoch(2, loss=0.8), epoch(3, loss=0.85)]
    assert kept_epoch(CONFIG, rows)["epoch"] == 2
    assert kept_epoch(CONFIG.replace(keep="last"), rows)["epoch"] == 3
