"""The Python API does what the command does, with the same bits, and leaves no trace behind."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats  # noqa: F401  adds filters of warnings when it is first imported
import torch
from command import Command
from PIL import Image
from python_sets import CLASSES, Pictures, digit_pictures
from runs import assert_same_bits
from torch.utils.data import DataLoader

import resnext
from resnext.data.augment.config import AugmentConfig
from resnext.errors import ConfigError, DataError, RunError

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"model": "resnext_1-1_2x4d_cifar", "epochs": 2, "threads": 1, "seed": 5}
WIDTHS = {"model.stage_widths": [16, 32], "model.stem_width": 8}
FLAGS = ("--model", "resnext_1-1_2x4d_cifar", "--epochs", "2", "--threads", "1", "--seed", "5")
SET = ("--set", "model.stage_widths=[16, 32]", "model.stem_width=8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> resnext.Run:
    """Train a tiny network on the digits."""
    folder = tmp_path_factory.mktemp("api") / "run"
    return resnext.train("digits", out=folder, settings=WIDTHS, **SMALL)


def frame_of(rows: list[dict[str, Any]]) -> Any:
    """Return rows as a table of pandas."""
    return pytest.importorskip("pandas").DataFrame(rows)


def state_of_process() -> dict[str, Any]:
    """Return what a call could leave changed."""
    cudnn = torch.backends.cudnn
    return {
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "wakeup": signal.set_wakeup_fd(-1),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "dtype": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "kernels": (cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark, cudnn.enabled),
        "matmul": torch.get_float32_matmul_precision(),
        "grad": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "seed": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),
        "filters": list(warnings.filters),
        "root": (logging.getLogger().level, list(logging.getLogger().handlers)),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "threads alive": sorted(thread.name for thread in threading.enumerate()),
        "fusion": torch.jit.onednn_fusion_enabled(),  # type: ignore[no-untyped-call]
        "collector": gc.isenabled(),
    }


@contextmanager
def unchanged_process() -> Iterator[None]:
    """Check that a call leaves the process as it was."""
    before = state_of_process()
    yield
    after = state_of_process()
    assert {name for name in before if before[name] != after[name]} == set()


def test_it_trains_to_the_bits_of_the_command(
    run: resnext.Run, tmp_path: Path, command: Command
) -> None:
    command.prints("train", "--data", "digits", *FLAGS, "--out", tmp_path / "run", *SET, "--quiet")
    assert_same_bits(run.folder, tmp_path / "run")
    ours, theirs = run.folder, tmp_path / "run"
    for name in ("config.yaml", "classes.json", "evaluation.json"):
        assert (ours / name).read_text() == (theirs / name).read_text(), name


def test_nothing_is_printed_and_the_process_is_as_before(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    more = {**WIDTHS, "augment.policy": "trivialaugment"}  # draws from torch's generator
    with unchanged_process():
        run = resnext.train("digits", out=tmp_path / "run", settings=more, **{**SMALL, "epochs": 1})
        run.evaluate()
        run.predict(np.zeros((8, 8), np.uint8))
        run.figures()
        run.report(tmp_path / "report.html")
        resnext.evaluate(run.load(), digit_pictures("val"))
    assert capfd.readouterr() == ("", "")


def test_an_error_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    with unchanged_process(), pytest.raises(ConfigError):
        resnext.train("digits", out=tmp_path / "run", settings={"optim.lr": -1}, **SMALL)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").touch()
    with unchanged_process(), pytest.raises(RunError, match="never overwrites another"):
        resnext.train("digits", out=tmp_path / "run", settings=WIDTHS, **SMALL)


def test_it_trains_in_another_thread_and_again_to_the_same_bits(
    run: resnext.Run, tmp_path: Path
) -> None:
    found: list[resnext.Run] = []

    def work() -> None:
        found.append(resnext.train("digits", out=tmp_path / "run", settings=WIDTHS, **SMALL))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert_same_bits(found[0].folder, run.folder)


def test_a_run_says_what_it_measured(run: resnext.Run) -> None:
    frame = frame_of(run.metrics)
    assert frame["epoch"].tolist() == [1, 2]
    assert frame["top1_error"].between(0, 100).all()
    assert frame_of(run.steps)["step"].iloc[-1] == frame["step"].iloc[-1]
    assert set(run.figures()) == {"losses", "measures", "lr"}
    assert all(figure.axes for figure in run.figures().values())
    assert run.problems == {} or set(run.problems) <= {"useless", "overfitting", "exploding"}
    assert run.config.seed == 5
    assert repr(resnext.open_run(run.folder)) == repr(run)


def test_a_run_is_a_path_too(run: resnext.Run) -> None:
    assert os.fspath(run) == str(run.folder)
    assert resnext.load(run).card == run.load().card


def test_a_run_measures_its_network_as_the_command_does(run: resnext.Run, command: Command) -> None:
    expected = command.json("evaluate", run.folder)
    assert run.evaluate().figures == expected
    assert resnext.evaluate(str(run.folder)).figures == expected
    assert resnext.evaluate(run).figures == expected
    classes = frame_of(run.evaluate().rows)
    assert classes["class"].tolist() == list(CLASSES)
    flipped = command.json("evaluate", run.folder, "--flip")
    assert run.evaluate(flip=True).figures == flipped != expected
    assert run.report() == run.folder / "report.html"


def test_a_loaded_network_is_measured_on_any_data_and_keeps_its_mode(run: resnext.Run) -> None:
    network = run.load()
    network.module.train()
    val = digit_pictures("val")
    figures = resnext.evaluate(network, val).figures
    assert network.module.training
    expected = run.evaluate().figures
    assert figures["top1_error"] == expected["top1_error"]
    assert figures["num_images"] == len(val)
    assert resnext.evaluate(network, DataLoader(val, batch_size=50)).figures == figures
    assert resnext.evaluate(run.folder, val, classes=CLASSES).figures == figures
    with pytest.raises(ConfigError, match="a bare network is not a run folder"):
        resnext.evaluate(network)


def test_images_of_every_form_are_predicted_alike(run: resnext.Run, tmp_path: Path) -> None:
    arrays = [image.numpy() for image in digit_pictures("val", 5).images_nhw]
    (tmp_path / "digits").mkdir()
    for number, array in enumerate(arrays):
        Image.fromarray(array).save(tmp_path / "digits" / f"{number}.png")
    paths = sorted((tmp_path / "digits").iterdir())
    tensors = torch.from_numpy(np.stack(arrays))[:, None]
    expected = run.predict(paths)
    answers = [one.answer for one in expected]
    forms: tuple[Any, ...] = (
        *(tmp_path / "digits", str(tmp_path / "digits"), [str(path) for path in paths]),
        *([path.read_bytes() for path in paths], [Image.open(path) for path in paths]),
        *(arrays, np.stack(arrays)[..., None], np.stack(arrays)[..., None] / 255),
        *(tensors, list(tensors), tensors / 255, (tensor for tensor in tensors)),
    )
    for form in forms:
        assert [one.answer for one in run.predict(form)] == answers, type(form)
    assert [one.path for one in expected] == paths
    assert run.predict(tensors[0])[0].name == "image 0"
    assert run.predict(paths[0])[0].label == expected[0].label  # a batch of one rounds otherwise
    assert run.predict([]) == []
    network = run.load()
    assert [one.answer for one in resnext.predict(network, arrays)] == answers
    assert [one.answer for one in resnext.predict(run, arrays)] == answers


def test_predictions_are_rows_and_bad_files_among_them(
    run: resnext.Run, tmp_path: Path, command: Command
) -> None:
    Image.fromarray(digit_pictures("val", 1).images_nhw[0].numpy()).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    found = run.predict([tmp_path / "a.png", tmp_path / "b.png"], top=2)
    frame = frame_of(found.rows)
    assert frame["image"].tolist() == [str(tmp_path / "a.png")] * 2 + [str(tmp_path / "b.png")]
    assert frame["class"].tolist()[0] == found[0].label
    assert frame["probability"].tolist()[0] == found[0].probability
    with pytest.raises(DataError, match=r"b\.png: cannot identify"):
        _ = found[1].label
    status, out, _ = command("predict", run.folder, tmp_path / "a.png", tmp_path / "b.png", "--csv")
    assert status == 1
    assert found[0].label in out


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.predict(17), "images of type int: give a path"),
        (lambda run: run.predict([np.zeros((2, 2, 7))]), "is not an image"),
        (lambda run: run.predict([], batch_size=0), "batch_size=0: give a whole number, 1 to"),
        (lambda run: run.predict([], top=0), "top=0: give a whole number, 1 or more"),
        (lambda run: run.evaluate(split="vla"), "split='vla': did you mean 'val'?"),
        (lambda run: run.evaluate(flop=True), "flop: no such setting; did you mean 'flip'?"),
        (lambda run: run.export(to="onx"), "to='onx': did you mean 'onnx'?"),
        (lambda run: run.resume("digits"), "a run can only be resumed on the data it"),
        (lambda _: resnext.predict(torch.nn.ReLU(), []), "of type ReLU"),  # type: ignore[arg-type]
        (lambda _: resnext.predict(Path, []), "a network of type type"),  # type: ignore[arg-type]
    ],
)
def test_wrong_arguments_are_one_clear_error(
    run: resnext.Run, call: Callable[[resnext.Run], object], message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        call(run)


def test_a_run_is_exported_as_by_the_command(run: resnext.Run, tmp_path: Path) -> None:
    report = run.export(tmp_path / "digits.pt2", to="pt2")
    assert report.paths == (tmp_path / "digits.pt2",)
    images = digit_pictures("val", 20).images_nhw[:, None]
    names = [one.label for one in resnext.predict(tmp_path / "digits.pt2", images)]
    assert names == [one.label for one in run.predict(images)]
    with pytest.raises(ConfigError, match="exists; choose another file"):
        run.export(tmp_path / "digits.pt2", to="pt2")
    assert run.export(tmp_path / "digits.pt2", to="pt2", force=True).parity.top1_agreement == 100


def test_a_dataset_is_trained_on_to_the_bits_of_the_same_set(
    run: resnext.Run, tmp_path: Path
) -> None:
    statistics = {"data.mean": run.config.data.mean, "data.std": run.config.data.std}
    given: dict[str, Any] = {"config": run.folder, "settings": statistics}
    train, val = digit_pictures("train"), digit_pictures("val")
    found = resnext.train(train, val=val, classes=CLASSES, out=tmp_path / "run", **given)
    assert_same_bits(found.folder, run.folder)
    assert found.config.data.name == "python"
    assert found.metrics[-1]["top1_error"] == run.metrics[-1]["top1_error"]
    with_workers = resnext.train(
        DataLoader(train, batch_size=run.config.batch_size, num_workers=2),
        val=val,
        out=tmp_path / "loader",
        **given,
    )
    assert_same_bits(with_workers.folder, run.folder)
    assert with_workers.config.data.workers == 2


class Stopping(Pictures):
    """A dataset whose program is stopped by Ctrl-C when it has been read for a while."""

    stop_at = 10**9

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        if self.num_read == self.stop_at:
            signal.raise_signal(signal.SIGINT)
        return super().__getitem__(index)


def test_a_run_on_a_dataset_is_resumed_exactly_and_only_with_it(
    tmp_path: Path, command: Command
) -> None:
    pictures = digit_pictures("train", 300)
    given = Stopping(pictures.images_nhw, pictures.labels_n)
    options: dict[str, Any] = {**SMALL, "settings": {**WIDTHS, "data.val_fraction": 0.2}}
    whole = resnext.train(given, out=tmp_path / "whole", **options)
    given.stop_at, given.num_read = 300 + 16 + 300, 0  # labels, a look, then somewhere in training
    with unchanged_process(), pytest.raises(KeyboardInterrupt, match="stopped by SIGINT and saved"):
        resnext.train(given, out=tmp_path / "cut", **options)
    given.stop_at = 10**9
    for action in (("train", "--resume"), ("evaluate",)):
        assert "came from a Python program" in command.refusal(*action, tmp_path / "cut")
    run = resnext.open_run(tmp_path / "cut")
    with pytest.raises(DataError, match=r"open_run\(RUN\).resume\(dataset\)"):
        run.resume()
    with pytest.raises(
        DataError, match="A run can only be resumed on the data it was started with"
    ):
        run.resume(digit_pictures("train", 200))
    assert run.resume(given).folder == tmp_path / "cut"
    assert_same_bits(run.folder, whole.folder)
    assert run.evaluate().figures == whole.evaluate().figures


def test_a_run_on_files_is_resumed(run: resnext.Run, tmp_path: Path) -> None:
    first = resnext.train("digits", out=tmp_path / "run", settings=WIDTHS, **SMALL)
    assert first.resume() is first  # nothing is left to do
    assert_same_bits(first.folder, run.folder)


def test_the_augmentation_of_a_dataset_may_draw_from_torch(tmp_path: Path) -> None:
    class Noisy(Pictures):
        def __getitem__(self, index: int) -> tuple[Image.Image, int]:
            noise = torch.randint(0, 50, (8, 8)).to(torch.uint8)
            image = self.images_nhw[index].clamp(max=200) + noise
            return Image.fromarray(image.numpy()), int(self.labels_n[index])

    pictures = digit_pictures("train", 200)
    given = Noisy(pictures.images_nhw, pictures.labels_n)
    own = AugmentConfig(crop="none")
    options: dict[str, Any] = {**SMALL, "settings": {**WIDTHS, "augment": own}}
    val = digit_pictures("val", 50)
    first = resnext.train(given, val=val, out=tmp_path / "first", **options)
    torch.manual_seed(1)
    again = resnext.train(given, val=val, out=tmp_path / "again", workers=2, **options)
    assert_same_bits(again.folder, first.folder)


def test_settings_are_checked_as_those_of_the_command(tmp_path: Path, command: Command) -> None:
    for settings, flags in (
        ({"schedule.epoch": 3}, ("--set", "schedule.epoch=3")),
        ({"optim.lr": "fast"}, ("--set", "optim.lr=fast")),
        ({"optim": {"kind": "adam"}}, ("--set", 'optim={"kind": "adam"}')),
    ):
        with pytest.raises(ConfigError) as error:
            resnext.train("digits", out=tmp_path / "run", settings=settings)
        refusal = command.refusal("train", "--data", "digits", *flags)
        assert refusal == f"resnext: error: {error.value}\n"
    with pytest.raises(ConfigError, match="epoch: no such setting; did you mean 'epochs'"):
        resnext.train("digits", epoch=3)  # type: ignore[call-arg]  # the mistake
    with pytest.raises(ConfigError, match="recipe='fst': did you mean 'fast'"):
        resnext.train("digits", recipe="fst")
    with pytest.raises(ConfigError, match="train needs data"):
        resnext.train()
    with pytest.raises(ConfigError, match="val= is only for a dataset"):
        resnext.train("digits", val=digit_pictures("val", 20))
    with pytest.raises(RunError, match="is not a run folder"):
        resnext.open_run(tmp_path)
    assert not (tmp_path / "run").exists()


STUDY_FILE = """
name: tiny
question: Does cardinality pay?
space:
  kind: list
  networks: [resnext_1_1x4d_cifar, resnext_1_2x2d_cifar]
data: [digits]
set: {schedule.epochs: 1, data.num_train: 60}
seeds: [0]
"""


def test_a_study_runs_in_any_thread_and_returns_its_rows(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(STUDY_FILE)
    found: list[Any] = []

    def work() -> None:
        found.append(resnext.run_study(tmp_path / "tiny.yaml", root=tmp_path / "studies", jobs=1))

    with unchanged_process():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    study = found[0]
    assert len(study.rows) == 2
    assert {row["state"] for row in study.rows} == {"done"}
    assert study.answer
    assert study.answer in study.summary
    assert study.report == tmp_path / "studies" / "tiny" / "report.html"
    assert study.report.exists()
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ConfigError, match="jbs: no such setting; did you mean 'jobs'"):
        resnext.run_study("table3", jbs=2)  # type: ignore[call-arg]  # the mistake
