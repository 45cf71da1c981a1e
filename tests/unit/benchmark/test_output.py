"""Figures as JSON, CSV and a plot."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from racing import course

from resnext.benchmark.benchmark import BenchmarkReport
from resnext.benchmark.contestant import Setting
from resnext.benchmark.networks import open_network
from resnext.benchmark.peak import Peak
from resnext.benchmark.plot import check_plot_file, draw
from resnext.benchmark.race import Timings
from resnext.benchmark.result import Result, summarise
from resnext.benchmark.rows import as_csv, as_json
from resnext.errors import ConfigError

NETWORK = open_network("resnext_1-1-1-1_4x4d", 32)
PEAK = Peak(1, 100.0, 50.0)


def report(error: float | None = None) -> BenchmarkReport:
    network = replace(NETWORK, top1_error=error)
    results: list[Result] = []
    for setting in (Setting(1, 1), Setting(8, 1)):
        courses = {
            "eager": course([[0.02], [0.04]]),
            "onnxruntime": course([[0.01], [0.02]]),
            "timm": Timings(reason="needs timm"),
        }
        results += summarise(network, courses, setting, 2, PEAK)
    return BenchmarkReport(results, [PEAK], "a machine")


def test_json_has_plain_names_and_a_row_for_everyone() -> None:
    values = json.loads(as_json(report(error=20.0)))
    assert values["machine"] == "a machine"
    assert values["peaks"] == [{"threads": 1, "matmul_gflops": 100.0, "conv_gflops": 50.0}]
    rows = values["results"]
    assert [(row["runtime"], row["batch"]) for row in rows] == [
        (runtime, batch) for batch in (1, 8) for runtime in ("eager", "onnxruntime", "timm")
    ]
    names = ("latency_ms", "p95_ms", "images_per_second", "macs", "share_of_peak")
    assert set(names) | {"peak_memory_mib", "top1_error", "ratio"} < set(rows[0])
    assert rows[0]["latency_ms"] == pytest.approx(30)
    assert rows[0]["macs"] == NETWORK.macs
    assert (rows[2]["latency_ms"], rows[2]["reason"]) == (None, "needs timm")


def test_csv_has_the_rows_of_the_json() -> None:
    made = report()
    rows = list(csv.DictReader(io.StringIO(as_csv(made))))
    wanted = json.loads(as_json(made))["results"]
    assert wanted[0].pop("round_ms") == pytest.approx([20, 40])
    texts = [
        {key: "" if value is None else str(value) for key, value in row.items() if key in rows[0]}
        for row in wanted
    ]
    assert rows == texts


@pytest.mark.parametrize(
    ("error", "label"), [(20.0, "top-1 error, %"), (None, "multiply-adds of an image, 10^9")]
)
def test_the_plot_shows_errors_where_all_have_one_else_multiply_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: float | None, label: str
) -> None:
    monkeypatch.setitem(__import__("matplotlib").rcParams, "svg.fonttype", "none")
    path = tmp_path / "speed.svg"
    draw(report(error).results, path)
    text = path.read_text(encoding="utf-8")
    for part in (label, "eager", "onnxruntime", "batch 8, 1 thread(s)", NETWORK.label):
        assert part in text


def test_a_plot_of_nothing_is_empty_and_no_error(tmp_path: Path) -> None:
    failed = summarise(NETWORK, {"timm": Timings(reason="why")}, Setting(1, 1), 2, PEAK)
    draw(failed, tmp_path / "empty.png")
    assert (tmp_path / "empty.png").stat().st_size > 0


def test_an_ending_that_cannot_be_drawn_is_told() -> None:
    with pytest.raises(ConfigError, match=r"speed\.doc: the file name must end in \.svg"):
        check_plot_file(Path("speed.doc"))


def test_the_plot_draws_a_name_that_looks_like_a_formula(tmp_path: Path) -> None:
    made = report()
    network = replace(NETWORK, label=r"runs/$\frac{$")
    results = [replace(result, network=network) for result in made.results]
    draw(results, tmp_path / "speed.svg")
    assert (tmp_path / "speed.svg").stat().st_size > 0


def test_no_cell_is_a_formula() -> None:
    made = report()
    network = replace(NETWORK, label="=1+1")
    made = replace(made, results=[replace(result, network=network) for result in made.results])
    rows = list(csv.DictReader(io.StringIO(as_csv(made))))
    assert {row["network"] for row in rows} == {"'=1+1"}
