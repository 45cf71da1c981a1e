"""Time series and volumes through the verbs: train, evaluate, predict, resume, report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command import Command
from made_series import write_volumes, write_waves
from runs import assert_same_bits, epoch_rows, finish, finish_in_two, finish_killed_after_a_save

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.model.config import ResNeXtConfig
from resnext.recipes.signals import SignalFacts, signals
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.weights.source import open_weights

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=4, stage_widths=(16, 32),
    stem_width=8,
)  # fmt: skip


def _series(folder: Path) -> TrainConfig:
    data = DataConfig(name="series", root=write_waves(folder, vary=3))
    config = signals(TINY, data, SignalFacts(24, 35, 1))
    return _short(config, SignalAugmentConfig(crop=0.8, shift=0.1, scale=0.1, jitter=0.1, mask=0.2))


def _volumes(folder: Path) -> TrainConfig:
    data = DataConfig(name="volume", root=write_volumes(folder / "cubes.npz"))
    config = signals(TINY, data, SignalFacts(12, 6, 3))
    return _short(config, SignalAugmentConfig(shift=0.2, flip=True, rotate=True))


def _short(config: TrainConfig, vary: SignalAugmentConfig) -> TrainConfig:
    return config.replace(
        augment=AugmentConfig(mixup=0.2),
        signal_augment=vary,
        schedule=config.schedule.replace(epochs=6),
        runtime=RuntimeConfig(device="cpu", threads=1),
        batch_size=6,
        checkpoint_minutes=1e-4,
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", [_series, _volumes])
def test_a_run_killed_in_mid_epoch_and_resumed_ends_with_the_same_bits(
    tmp_path: Path, make: Callable[[Path], TrainConfig]
) -> None:
    config = make(tmp_path)
    finish(config, tmp_path / "whole")
    finish_killed_after_a_save(config, tmp_path / "killed")
    assert_same_bits(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_two_processes_see_the_same_series_and_agree_on_the_figures(tmp_path: Path) -> None:
    config = _series(tmp_path)
    finish_in_two(config, tmp_path / "two")
    last = epoch_rows(tmp_path / "two")[-1]
    assert last["epoch"] == 6
    assert 0 <= last["top1_error"] <= 100


@pytest.mark.slow
def test_series_are_learned_evaluated_and_predicted_by_the_recipe(
    tmp_path: Path, command: Command
) -> None:
    path = write_waves(tmp_path, 40, 30, vary=2)
    run = tmp_path / "run"
    words = ("train", "--data", f"series:{path}", "--epochs", "16", "--out", run, "--threads", "1")
    figures = command.json(*words, "--quiet")
    assert figures["top1_error"] <= 20  # guessing: 50
    assert figures["num_images"] == 30
    assert figures["signal"]["size"] == 34

    card = open_weights(run).card
    assert card.signal is not None
    assert (card.signal.kind, card.signal.shape, card.signal.fit) == (
        "series",
        "1 x 34",
        "resample",
    )
    again = command.json("evaluate", run, "--data", f"series:{tmp_path / 'Waves_TEST.ts'}")
    assert again["top1_error"] == figures["top1_error"]

    rows = command.json("predict", run, tmp_path / "Waves_TEST.ts")
    assert len(rows) == 30
    assert rows[0]["path"].endswith("Waves_TEST.ts[0]")
    labels = ["fast" if number % 2 else "slow" for number in range(40, 70)]
    wrong = sum(
        row["predictions"][0]["class"] != label for row, label in zip(rows, labels, strict=True)
    )
    assert 100 * wrong / 30 == pytest.approx(figures["top1_error"])

    report = (run / "report.html").read_text()
    assert "30 series of 2 classes" in report
    assert "1 x 34" in report


@pytest.mark.slow
def test_volumes_are_learned_evaluated_and_predicted(tmp_path: Path, command: Command) -> None:
    path = write_volumes(tmp_path / "cubes.npz")
    run = tmp_path / "run"
    words = ("train", "--data", f"volume:{path}", "--epochs", "25", "--out", run, "--threads", "1")
    rate = ("--batch-size", "4", "--lr", "4e-3")
    figures = command.json(*words, "--model", "resnext_1-1_2x4d_cifar", *rate, "--quiet")
    assert figures["top1_error"] <= 20  # guessing: 50
    assert open_weights(run).config.ndim == 3  # type: ignore[union-attr]
    test = command.json("evaluate", run, "--split", "test")
    assert test["num_images"] == 12
    rows = command.json("predict", run, path)
    assert len(rows) == 36
    assert rows[0]["path"].endswith("cubes.npz/train_images[0]")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run on series, and leave its files next to it."""
    folder = tmp_path_factory.mktemp("signals")
    finish(_series(folder), folder / "run")
    return folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "RUN", "--input", "pixels"), "input='pixels' is for images"),
        (("export", "RUN", "--size", "20"), "size and dynamic_size are for images"),
        (
            ("study", "show", "cardinality", "--data", "series:DATA", "digits"),
            "make a study of each",
        ),
        (
            ("study", "show", "cardinality", "--data", "series:DATA", "--recipe", "fast"),
            "signals have their own recipe",
        ),
        (
            ("study", "show", "table5", "--data", "series:DATA"),
            "this study tests other crops of images",
        ),
        (("benchmark", "RUN", "--size", "20"), "leave out --size"),
        (("predict", "RUN", "DATA", "--draw", "OUT"), "--draw needs a network for images"),
        (("predict", "RUN", "DATA", "--precision", "bf16"), "--precision bf16"),
        (("evaluate", "RUN", "--ten-crop"), "signals are evaluated whole"),
        (("evaluate", "RUN", "--data", "digits"), "the network takes a series of 1 x 35"),
        (("pack", "series:DATA", "OUT"), "would be read no faster"),
        (("train", "--data", "series:DATA", "--recipe", "cifar"), "signals have their own recipe"),
        (("train", "--data", "series:DATA", "--model", "vgg16"), "is for images"),
        (("train", "--data", "series:DATA", "--image-size", "8"), "is for images"),
        (("train", "--data", "series:DATA", "--set", "augment.flip=true"), "varies images"),
        (("train", "--data", "series:DATA", "--set", "size_schedule=[0.5,1]"), "one size"),
        (("train", "--data", "series"), "--data series:FILE"),
        (("train", "--data", "series:nothing.ts"), "cannot read"),
    ],
)
def test_what_does_not_work_for_series_is_one_message(
    tmp_path: Path, command: Command, trained: Path, words: tuple[str, ...], message: str
) -> None:
    data = trained.parent / "Waves_TRAIN.ts"
    places = {"RUN": str(trained), "DATA": str(data), "OUT": str(tmp_path / "out")}
    for name, place in places.items():
        words = tuple(word.replace(name, place) if name in word else word for word in words)
    assert message in " ".join(command.refusal(*words).split())


@pytest.mark.slow
def test_weights_of_series_start_another_training(
    tmp_path: Path, command: Command, trained: Path
) -> None:
    data = f"series:{write_waves(tmp_path, length=20)}"
    words = ("train", "--data", data, "--weights", trained, "--epochs", "2", "--threads", "1")
    figures = command.json(*words, "--out", tmp_path / "run", "--quiet")
    assert figures["num_images"] == 16
    other = tmp_path / "two.csv"
    rows = "".join(f"{i},{t},{i % 2},{t},{t * i}\n" for i in range(20) for t in range(9))
    other.write_text(f"id,time,label,x,y\n{rows}")
    message = command.refusal("train", "--data", f"series:{other}", "--weights", trained)
    assert "take 1 channel(s) in 1 dimension(s), two has 2 in 1" in " ".join(message.split())


@pytest.mark.slow
def test_a_file_that_does_not_fit_is_reported_and_the_rest_goes_on(
    tmp_path: Path, command: Command, trained: Path
) -> None:
    bad = tmp_path / "two.ts"
    bad.write_text("@classLabel false\n@data\n1,2:3,4\n")
    good = tmp_path / "one.ts"
    good.write_text("@classLabel false\n@data\n1,2,?,3\n")
    status, out, err = command("predict", trained, bad, good, tmp_path / "none.ts", "--json")
    rows = json.loads(out)
    assert status == 1
    assert "2 channel(s), the network takes 1" in rows[0]["error"]
    assert rows[1]["predictions"]
    assert "cannot read" in rows[2]["error"]
    assert "2 of 3 files could not be read" in err


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "pt2"])
def test_an_exported_file_takes_the_place_of_a_run_on_series(
    tmp_path: Path, command: Command, trained: Path, to: str
) -> None:
    file, test = tmp_path / f"waves.{to}", trained.parent / "Waves_TEST.ts"
    written = command.json("export", trained, "--to", to, "--out", file)
    assert written["parity"]["source"] == "Waves_TRAIN, val split"
    assert written["input"] == "values"
    wanted = command.json("evaluate", trained, "--quiet")
    found = command.json("evaluate", file, "--data", f"series:{test}", "--quiet")
    assert (found["top1_error"], found["macs"]) == (wanted["top1_error"], wanted["macs"])
    rows = [command.json("predict", source, test) for source in (trained, file)]
    best = [[row["predictions"][0]["class"] for row in one] for one in rows]
    assert best[0] == best[1]


@pytest.mark.slow
def test_features_of_series_are_written_and_probed(
    tmp_path: Path, command: Command, trained: Path
) -> None:
    import pyarrow.parquet as pq

    out = tmp_path / "waves.parquet"
    written = command.json("features", trained, "--out", out, "--split", "val")
    assert (written["num_images"], written["dimension"]) == (16, 32)
    columns = pq.read_table(out).to_pydict().values()
    names = [f"Waves_TEST.ts[{number}]" for number in range(16)]
    assert names in list(columns)
    (found,) = command.json("probe", trained, "--method", "knn", "--k", "3")
    assert (found["num_train"], found["num_images"]) == (24, 16)


@pytest.mark.slow
def test_a_published_network_of_series_says_how_and_its_code_runs(
    tmp_path: Path, command: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command("publish", trained, "--to", "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert "input: series of 1 x 35, channels first" in text
    assert "resampled by linear interpolation" in text
    assert "whole series" in text
    assert "time-series-classification" in text
    assert "image" not in text
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["signal"]["kind"], config["signal"]["size"]) == ("series", 35)
    code = text.split("```python\n")[1].split("```")[0]
    found: dict[str, object] = {}
    exec(code, found)
    assert found["probabilities"].shape == (1, 2)  # type: ignore[attr-defined]
    rows = command.json("predict", tmp_path / "out", trained.parent / "Waves_TEST.ts")
    assert len(rows) == 16


@pytest.mark.slow
def test_the_rate_is_searched_and_the_network_timed(
    tmp_path: Path, command: Command, trained: Path
) -> None:
    data = f"series:{trained.parent / 'Waves_TRAIN.ts'}"
    words = ("--model", "resnext_1-1_2x4d_cifar", "--threads", "1", "--json")
    found = command.json("train", "--data", data, "--find-lr", tmp_path / "lr.png", *words)
    assert len(found["lrs"]) > 10
    file = tmp_path / "waves.torchscript"
    command("export", trained, "--to", "torchscript", "--out", file)
    timed = command.json("benchmark", trained, file, "--runtime", "eager", "--rounds", "2")
    assert [row["images_per_second"] > 0 for row in timed["results"]] == [True, True]


@pytest.mark.slow
def test_a_run_on_series_is_served(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np
    from starlette.testclient import TestClient

    from resnext.serving.app import create_app
    from resnext.serving.limits import Limits
    from resnext.serving.service import Service
    from resnext.serving.source import ModelSource

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = ModelSource(trained, threads=1)
    service = Service(source.open, Limits())
    wave = np.sin(np.linspace(0, 8 * np.pi, 50)).tolist()
    with TestClient(create_app(service)) as client:
        answer = client.post("/v1/predict", json={"signals": [wave, wave[:20]]})
    assert answer.status_code == 200
    assert [len(one["predictions"]) for one in answer.json()["signals"]] == [2, 2]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["series", "volume"])
def test_a_study_compares_cardinalities_at_equal_multiply_adds(
    tmp_path: Path, command: Command, kind: str
) -> None:
    if kind == "series":
        data = f"series:{write_waves(tmp_path)}"
    else:
        data = f"volume:{write_volumes(tmp_path / 'cubes.npz')}"
    words = ("--data", data, "--seeds", "0", "1", "--set", "schedule.epochs=1")
    shown = command.json("study", "show", "cardinality", *words)
    designs = shown["designs"]
    assert [one["model"]["cardinality"] for one in designs] == [1, 4, 16]
    assert {one["model"]["ndim"] for one in designs} == {1 if kind == "series" else 3}
    assert max(one["macs"] for one in designs) <= 1.25 * min(one["macs"] for one in designs)
    place = ("--root", tmp_path / "studies", "--threads", "1", "--jobs", "1")
    command("study", "run", "cardinality", *words, *place, "--quiet")
    found = command.json("study", "report", "cardinality", *words, "--root", tmp_path / "studies")
    assert len(found["trials"]) == 6
    assert {row["state"] for row in found["trials"]} == {"done"}
    macs = {one["label"]: one["macs"] for one in designs}
    assert all(row["macs"] == macs[row["design"]] for row in found["trials"])


def test_data_check_tells_length_and_normalisation(tmp_path: Path, command: Command) -> None:
    path = write_waves(tmp_path, vary=1)
    text = command.prints("data", "check", f"series:{path}")
    assert "40 series; 2 classes" in text
    assert "series of 1 x 33, resampled; each channel is normalised" in text
    found = command.json("data", "check", f"series:{path}", "--set", "data.fit=pad")
    assert found["signal"]["fit"] == "pad"


def test_networks_of_one_and_three_dimensions_are_described(command: Command) -> None:
    found = command.json("describe", "resnext50_32x4d", "--ndim", "1", "--input", "1x16000")
    assert found["config"]["ndim"] == 1
    assert found["config"]["in_channels"] == 1
    # the stem: 64 filters of 1 x 7 at every second step
    flat = command.json("describe", "resnext50_32x4d", "--ndim", "3", "--input", "1x32x32x32")
    assert flat["config"]["ndim"] == 3
    assert flat["parameters"] > found["parameters"]


def test_bytes_of_volumes_are_kept_as_bytes(tmp_path: Path) -> None:
    from resnext.data.sets.load import load_data
    from resnext.data.signals.split import SignalSplit

    path = write_volumes(tmp_path / "cubes.npz")
    data = load_data(DataConfig(name="volume", root=path))
    assert isinstance(data.train, SignalSplit)
    assert data.train.values_ncx.dtype == torch.uint8
    assert data.info.signal is not None
    values = data.train.values_ncx.double() / 255
    assert data.info.signal.mean[0] == pytest.approx(float(values.mean()), rel=1e-5)
