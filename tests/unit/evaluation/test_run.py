import json
from pathlib import Path

import pytest
import torch
from digits_network import save_network, save_run
from image_trees import write_grey
from torch import nn

from resnext.data.config import DataConfig, ViewConfig
from resnext.data.prepare.normalise import normalise
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError
from resnext.evaluation.run import EvaluationOptions, evaluate_run, measure
from resnext.evaluation.target import Protocol
from resnext.inference import fused
from resnext.inference.load import load
from resnext.runs.data import write_data
from resnext.runs.folder import read_config, write_config
from resnext.runs.runtime import Runtime


@pytest.fixture
def digits_run(tmp_path: Path) -> Path:
    return save_run(tmp_path / "run")


HERE = Runtime(torch.device("cpu"), torch.float32)


def outputs(run: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the network's outputs on the digits' validation images, and the labels."""
    model, data = load(run), load_data(DataConfig(name="digits"))
    assert data.val.stored_nhwc is not None
    images = data.val.stored_nhwc.permute(0, 3, 1, 2)
    with torch.no_grad():
        logits = model.module(normalise(images, model.card.mean, model.card.std, HERE.device))
    return logits, data.val.targets_n


def test_a_run_is_evaluated_as_its_network_says(digits_run: Path) -> None:
    figures = evaluate_run(digits_run)
    logits, labels = outputs(digits_run)
    wrong = int((logits.argmax(1) != labels).sum())
    assert figures["num_images"] == len(labels)
    assert figures["top1_error"] == pytest.approx(100 * wrong / len(labels))
    assert figures["loss"] == pytest.approx(
        float(nn.functional.cross_entropy(logits, labels)), rel=1e-5
    )
    assert figures["parameters"] == sum(p.numel() for p in load(digits_run).module.parameters())
    assert figures["view"] == {
        "size_px": 8,
        "resize_px": None,
        "interpolation": "bilinear",
        "ten_crop": False,
        "flip": False,
    }
    assert figures["data"] == {"name": "digits", "split": "val"}


def test_data_that_changed_since_training_are_recorded(digits_run: Path) -> None:
    data = load_data(DataConfig(name="digits"))
    write_data(digits_run, data)
    notes: list[str] = []
    effort = EvaluationOptions(note=notes.append)
    figures = measure(digits_run, Protocol(), HERE, effort).figures
    assert "changed_since_training" not in figures["data"]
    counts = json.loads((digits_run / "classes.json").read_text())
    (digits_run / "classes.json").write_text(json.dumps(counts | {"3": counts["3"] - 1}))
    figures = measure(digits_run, Protocol(), HERE, effort).figures
    assert figures["data"]["changed_since_training"] is True
    assert "images that it was trained on may be among those evaluated" in notes[-1]
    other = Protocol(data=DataConfig(name="digits"))
    assert "changed_since_training" not in measure(digits_run, other, HERE).figures["data"]
    (digits_run / "classes.json").write_text("{")
    assert "changed_since_training" not in measure(digits_run, Protocol(), HERE).figures["data"]


def test_a_run_is_evaluated_on_its_own_device(digits_run: Path) -> None:
    config = read_config(digits_run)
    runtime = config.runtime.replace(device="cuda:99")
    write_config(digits_run, config.replace(runtime=runtime))
    with pytest.raises(ConfigError, match="cuda:99"):
        evaluate_run(digits_run)


def test_the_figures_have_the_promised_names(digits_run: Path) -> None:
    assert list(evaluate_run(digits_run)) == [
        "num_images",
        "top1_error",
        "top5_error",
        "loss",
        "calibration_error",
        "balanced_accuracy",
        "macro_precision",
        "macro_recall",
        "macro_f1",
        "per_class",
        "per_class_error",
        "confusion",
        "parameters",
        "macs",
        "view",
        "data",
        "is_fused",
    ]


def test_many_images_are_computed_as_one_graph_which_is_said(
    digits_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = evaluate_run(digits_run)
    monkeypatch.setattr(fused, "MIN_MACS", 1)
    notes: list[str] = []
    effort = EvaluationOptions(batch_size=64, note=notes.append)
    many = measure(digits_run, Protocol(), HERE, effort).figures
    assert (plain["is_fused"], many["is_fused"]) == (False, True)
    assert any("one graph" in note for note in notes)
    assert many["confusion"] == plain["confusion"]
    assert many["loss"] == pytest.approx(plain["loss"], rel=1e-4)


def test_figures_and_report_are_kept_in_the_run(digits_run: Path) -> None:
    figures = evaluate_run(digits_run)
    assert json.loads((digits_run / "evaluation.json").read_text(encoding="utf-8")) == figures
    assert "top-1 error" in (digits_run / "report.html").read_text(encoding="utf-8")


def test_a_weight_file_needs_the_name_of_a_data_set(tmp_path: Path) -> None:
    digits_file = save_network(tmp_path / "digits.safetensors")
    with pytest.raises(ConfigError, match="--data digits"):
        measure(digits_file, Protocol(), HERE)
    found = measure(digits_file, Protocol(data=DataConfig(name="digits")), HERE)
    assert found.figures["num_images"] > 300


@pytest.mark.slow
def test_the_view_of_training_is_repeated(digits_run: Path) -> None:
    plain = evaluate_run(digits_run)
    config = read_config(digits_run)
    write_config(digits_run, config.replace(view=ViewConfig(flip=True)))
    flipped = evaluate_run(digits_run)
    assert flipped["view"]["flip"]
    assert flipped["loss"] != plain["loss"]


def test_the_batch_size_does_not_change_the_figures(digits_run: Path) -> None:
    one = measure(digits_run, Protocol(), HERE, EvaluationOptions(batch_size=7)).figures
    other = measure(digits_run, Protocol(), HERE, EvaluationOptions(batch_size=500)).figures
    assert one["confusion"] == other["confusion"]
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)


def test_bad_files_are_left_out_and_named(tmp_path: Path) -> None:
    write_grey(tmp_path / "data", 3, "train/0", "train/1", "val/0", "val/1", step=40)
    torn = tmp_path / "data" / "val" / "1" / "1.png"
    torn.write_bytes(torn.read_bytes()[:50])
    data = DataConfig(name="folder", root=tmp_path / "data", workers=0)
    network = save_network(tmp_path / "digits.safetensors")
    found = measure(network, Protocol(data=data), HERE)
    assert found.figures["num_images"] == 5
    assert [row["path"] for row in found.bad_files] == [str(torn)]
    assert found.target.class_subset == [0, 1]
