"""`resnext design`: what it solves, what it says of the paper, and its messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from command import Command
from python_process import run_python

import resnext
from resnext.benchmark import latency_search
from resnext.benchmark.latency import Latency
from resnext.model.config import ResNeXtConfig


def designs(command: Command, *arguments: str) -> list[dict[str, Any]]:
    found = command.json("design", *arguments)["designs"]
    assert isinstance(found, list)
    return found


def test_table_2_comes_out(command: Command) -> None:
    rows = designs(command, "--cardinality", "2", "4", "8", "32", "--scope", "block")
    assert [row["bottleneck_width"] for row in rows] == [40, 24, 14, 4]
    assert [row["group_width"] for row in rows] == [80, 96, 112, 128]


def test_each_dimension_can_be_solved(command: Command) -> None:
    assert designs(command, "--width", "4")[0]["cardinality"] in (32, 33)
    doubled = ["--like", "resnet101", "--factor", "2", "--by", "macs"]
    assert designs(command, *doubled, "--depth")[0]["depth"] > 150
    half = designs(command, "--like", "resnet29", "--factor", "0.5", "--multiplier")[0]
    assert half["stage_widths"][0] < 256
    assert all(
        abs(row["deviation"]) <= 0.005
        for row in designs(command, "--pareto", "--tolerance", "0.005")
    )


def test_the_table_says_where_the_paper_chose_another_width(command: Command) -> None:
    arguments = ["--like", "resnet101", "--factor", "2", "--by", "macs", "--cardinality", "1", "64"]
    out = command.prints("design", *arguments)
    assert re.search(r"resnet101_1x101d .* 1x100d, -2.11% *\n", out)
    assert re.search(r"resnext101_64x4d .* the same *\n", out)
    rows = designs(command, *arguments)
    macs = resnext.count("resnet101_1x100d").macs
    assert rows[0]["paper"]["cost"] == macs
    assert rows[0]["paper"]["deviation"] == macs / (2 * resnext.count("resnet101").macs) - 1


def test_the_paper_is_some_percent_off_its_doubled_depth(
    command: Command,
) -> None:
    (row,) = designs(command, "--like", "resnet101", "--factor", "2", "--by", "macs", "--depth")
    assert row["paper"]["name"] == "resnet200"
    assert row["paper"]["deviation"] == pytest.approx(-0.038, abs=5e-4)


@pytest.mark.parametrize(
    ("arguments", "is_posed"),
    [
        (["--like", "resnet50", "--cardinality", "8"], True),
        (["--like", "resnext50_32x4d", "--cardinality", "2"], True),
        (["--like", "resnet50", "--factor", "2", "--cardinality", "1"], False),
        (["--like", "resnet29", "--base", "resnet50", "--cardinality", "2"], False),
        (["--like", "resnet101", "--factor", "2", "--depth"], True),
        (["--like", "resnet50", "--factor", "2", "--depth"], False),
        (["--like", "resnet50", "--cardinality", "16"], False),
    ],
)
def test_the_paper_is_quoted_where_it_posed_the_question(
    arguments: list[str], is_posed: bool, command: Command
) -> None:
    assert ("the paper's" in command.prints("design", *arguments)) == is_posed


def test_a_design_far_from_the_cost_and_its_own_widths_are_pointed_out(command: Command) -> None:
    small = ["--like", "resnet29", "--factor", "0.01"]
    assert "the closest there is, though more than 10% off" in command.prints(
        "design", *small, "--cardinality", "2"
    )
    assert "* resnet50_1x48d with stem_width 48, stage_widths [" in command.prints(
        "design", "--factor", "0.5", "--multiplier", "--multiple-of", "8"
    )


def test_measured_designs_are_marked_with_spread_age_and_doubt(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(configs: Sequence[ResNeXtConfig], *_: Any, **__: Any) -> list[Latency]:
        widths = [config.bottleneck_width for config in configs]
        return [Latency(d, d - 9, d + 9, 3, "chip", "torch 0", "a day", True) for d in widths]

    monkeypatch.setattr(latency_search, "measure_latencies", measure)
    arguments = ["design", "--by", "latency", "--like", "resnet50", "--cardinality", "1"]
    out = command.prints(*arguments)
    assert re.search(r"-> +64 +resnet50 +64.00 \(55.00 to 73.00\) +1.00x +cached, a day", out)
    assert "within the measurement noise of the target" in out
    (search,) = command.json(*arguments)
    assert search["closest"]["bottleneck_width"] == 64
    assert search["target_ms"] == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of --cardinality"),
        (["--cardinality", "2", "--depth"], "got --cardinality and --depth"),
        (["--cardinality", "0"], "give 1 or more"),
        (["--cardinality", "2", "--factor", "0"], "above 0"),
        (["--like", "vgg16", "--cardinality", "2"], "use a ResNet or ResNeXt"),
        (["--like", "resnet18", "--cardinality", "2"], "wider dense block"),
        (["--depth", "--scope", "block"], "count the whole network"),
        (["--by", "latency", "--cardinality", "2", "--repeats", "1"], "--repeats 1"),
        (["--by", "latency", "--cardinality", "2", "--threads", "0"], "--threads 0"),
        (["--by", "latency", "--cardinality", "2", "--scope", "block"], "--scope has no"),
        (["--by", "latency", "--pareto"], "--pareto has no effect"),
        (["--cardinality", "2", "--runtime", "compiled"], "it belongs to --by latency"),
        (["--cardinality", "2", "--no-cache"], "it belongs to --by latency"),
        (["--cardinality", "2", "--tolerance", "0.1"], "it belongs to --pareto"),
        (["--cardinality", "2", "--multiple-of", "8"], "it belongs to --multiplier"),
        (["--pareto", "--tolerance", "1.5"], "from 0 to below 1"),
        (["--cardinality", "2", "--factor", "nan"], "above 0"),
        (["--cardinality", "2", "--factor", "1e-9"], "target cost would be 0"),
        (["--cardinality", "2", "--factor", "1e30"], "target cost would be 2"),
    ],
)
def test_a_wrong_request_is_one_message(
    arguments: list[str], message: str, command: Command
) -> None:
    assert message in command.refusal("design", *arguments)


@pytest.mark.slow
def test_counted_budgets_need_no_torch() -> None:
    run_python(
        "import sys; from resnext.cli.main import main; "
        "main(['design', '--cardinality', '8']); sys.exit('torch' in sys.modules)"
    )
