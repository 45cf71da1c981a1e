"""`resnext benchmark`: its table, its files, its messages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from resnext.cli.benchmark import main
from resnext.errors import ConfigError

NAME = "resnext_1-1-1-1_4x4d"
SMALL = ("--size", "32", "--rounds", "2")

Capture = pytest.CaptureFixture[str]


@pytest.mark.slow
def test_ours_and_a_peer_are_measured_and_one_that_cannot_run_is_told(
    capsys: Capture, tmp_path: Path
) -> None:
    csv, plot = tmp_path / "speed.csv", tmp_path / "speed.svg"
    runtimes = ("--runtime", "eager", "onnxruntime", "torchvision")
    assert main([NAME, *SMALL, *runtimes, "--csv", str(csv), "--plot", str(plot)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("batch 1, 1 thread(s)", "eager", "onnxruntime", "images/s", "MiB", "2 rounds"):
        assert part in text
    assert f"{NAME}, torchvision: not run: torchvision has no network named" in text
    assert "computes something else" not in text
    assert csv.read_text(encoding="utf-8").startswith("network,runtime,batch,threads")
    assert plot.stat().st_size > 0


@pytest.mark.slow
def test_json_alone_is_printed_and_status_1_where_nothing_could_run(capsys: Capture) -> None:
    assert main([NAME, *SMALL, "--runtime", "torchvision", "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)["results"]
    assert row["latency_ms"] is None
    assert row["reason"].startswith("torchvision has no network named")


def test_without_a_network_the_message_shows_how() -> None:
    with pytest.raises(ConfigError, match="resnext benchmark resnext50_32x4d"):
        main([])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--rounds", "1"), "rounds=1: give 2 to"),
        (("--csv", "nowhere/a.csv"), "--csv nowhere/a.csv: there is no folder nowhere"),
        (("--plot", "nowhere/a.svg"), "--plot nowhere/a.svg: there is no folder nowhere"),
        (("--plot", "a.doc"), "a plot's file ends in"),
    ],
)
def test_wrong_flags_are_told_before_anything_is_measured(
    flags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        main([NAME, *flags])


def test_help_and_wrong_flags_do_not_import_torch() -> None:
    code = (
        "import sys\nfrom resnext.cli.benchmark import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules and 'onnxruntime' not in sys.modules"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "resnext benchmark" in shown.stdout
