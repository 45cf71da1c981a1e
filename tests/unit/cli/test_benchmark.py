"""`resnext benchmark`: its table, its files, its messages."""

import json
from pathlib import Path

import pytest
from command import Command

from resnext.cli.benchmark import main
from resnext.errors import ConfigError

NAME = "resnext_1-1-1-1_4x4d"
SMALL = ("--size", "32", "--rounds", "2")


@pytest.mark.slow
def test_ours_and_a_peer_are_measured_and_one_that_cannot_run_is_told(
    command: Command, tmp_path: Path
) -> None:
    csv, plot = tmp_path / "speed.csv", tmp_path / "speed.svg"
    runtimes = ("--runtime", "eager", "onnxruntime", "torchvision")
    said = command.prints("benchmark", NAME, *SMALL, *runtimes, "--csv", csv, "--plot", plot)
    text = " ".join(said.split())
    for part in ("batch 1, 1 thread(s)", "eager", "onnxruntime", "images/s", "MiB", "2 rounds"):
        assert part in text
    assert f"{NAME}, torchvision: not run: torchvision has no network named" in text
    assert "computes something else" not in text
    assert csv.read_text(encoding="utf-8").startswith("network,runtime,batch,threads")
    assert plot.stat().st_size > 0


@pytest.mark.slow
def test_json_alone_is_printed_and_status_1_where_nothing_could_run(command: Command) -> None:
    status, out, _ = command("benchmark", NAME, *SMALL, "--runtime", "torchvision", "--json")
    assert status == 1
    (row,) = json.loads(out)["results"]
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
        (("--plot", "a.doc"), "the file name must end in"),
    ],
)
def test_wrong_flags_are_told_before_anything_is_measured(
    flags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        main([NAME, *flags])
