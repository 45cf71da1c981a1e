from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from resnext.cli.main import main


def designs(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["design", *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["designs"]
    assert isinstance(found, list)
    return found


def test_table_2_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    rows = designs(capsys, "--cardinality", "2", "4", "8", "32", "--scope", "block")
    assert [row["bottleneck_width"] for row in rows] == [40, 24, 14, 4]
    assert [row["group_width"] for row in rows] == [80, 96, 112, 128]


def test_each_dimension_can_be_solved(capsys: pytest.CaptureFixture[str]) -> None:
    assert designs(capsys, "--width", "4")[0]["cardinality"] in (32, 33)
    doubled = ["--like", "resnet101", "--factor", "2", "--by", "macs"]
    assert designs(capsys, *doubled, "--depth")[0]["depth"] > 150
    half = designs(capsys, "--like", "resnet29", "--factor", "0.5", "--multiplier")[0]
    assert half["stage_widths"][0] < 256
    assert all(
        abs(row["deviation"]) <= 0.005
        for row in designs(capsys, "--pareto", "--tolerance", "0.005")
    )


def test_the_table_says_where_the_paper_chose_another_width(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--like", "resnet101", "--factor", "2", "--by", "macs", "--cardinality", "1", "64"]
    assert main(["design", *arguments]) == 0
    out = capsys.readouterr().out
    assert "the paper: resnet101_1x100d for resnet101_1x101d" in out
    assert "the paper: the same, resnext101_64x4d" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of --cardinality"),
        (["--cardinality", "2", "--depth"], "got --cardinality and --depth"),
        (["--cardinality", "0"], "at least 1"),
        (["--cardinality", "2", "--factor", "0"], "above 0"),
        (["--like", "vgg16", "--cardinality", "2"], "name a ResNet or ResNeXt"),
        (["--like", "resnet18", "--cardinality", "2"], "wider dense block"),
        (["--depth", "--scope", "block"], "count the whole network"),
        (["--by", "latency", "--depth"], "give --cardinality"),
        (["--by", "latency", "--cardinality", "2", "--repeats", "1"], "--repeats 1"),
    ],
)
def test_a_wrong_request_is_one_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["design", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_counted_budgets_need_no_torch() -> None:
    code = (
        "import sys; from resnext.cli.main import main; "
        "main(['design', '--cardinality', '8']); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
