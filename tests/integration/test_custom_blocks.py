"""The page on blocks of one's own, executed from its own code blocks."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from digits_network import CARD
from own_parts import BLOCK, COMMANDS, PROGRAM, page_files

from resnext import plugins
from resnext.cli.main import main
from resnext.export.export import SUFFIX
from resnext.model import registry
from resnext.model.create import create_model
from resnext.model.names import config_from, name_of
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import Format
from resnext.weights.own_file import save_weights

__all__ = ["page_files"]


def forget() -> None:
    """Be a process that no plugin was loaded in."""
    os.environ[plugins.VARIABLE] = ""
    plugins._loaded.clear()
    registry._parts.clear()
    for name in [name for name in sys.modules if name.startswith("resnext_plugin_")]:
        del sys.modules[name]


def run(command: str) -> int:
    program, *words = shlex.split(command)
    assert program == "resnext"
    forget()
    return main(words)


@pytest.mark.slow
def test_the_commands_of_the_page_run_one_after_the_other(
    page_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in COMMANDS.splitlines():
        assert run(command) == 0, command
    output = capsys.readouterr().out
    assert "se (reduction=16)" in output  # of describe
    environment = json.loads((page_files / "runs/se/environment.json").read_text())
    assert [Path(name).name for name in environment["plugins"]] == ["se.py"]
    results = list((page_files / "studies").glob("trials/*/result.json"))
    assert len(results) == 6  # three networks, two seeds
    assert (page_files / "studies/gates/report.html").exists()
    _refuse_without_plugin(page_files)


def _refuse_without_plugin(folder: Path) -> None:
    """Check that files say which plugin is missing, and import nothing although it lies there."""
    (folder / "se.py").write_text(f"raise SystemExit('was imported')\n{BLOCK}")
    of_settings = "no block is registered as 'se'; plugin 'se.py' registers it"
    of_weights = "block 'se' of plugin 'se.py', which is not registered"
    for words, told in (
        (["evaluate", "runs/se"], of_settings),
        (["describe", "./se.safetensors"], of_weights),
        (["study", "report", "gates"], of_settings),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "resnext", *words],
            cwd=folder,
            env=os.environ | {plugins.VARIABLE: ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 2
        assert told in ended.stderr
        assert "was imported" not in ended.stderr


@pytest.mark.usefixtures("page_files")
def test_the_program_of_the_page_counts_and_solves(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(PROGRAM, "custom-blocks.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    # each block: reduce and expand, a sixteenth of the channels between them
    stages = zip((256, 512, 1024, 2048), (3, 4, 6, 3), strict=True)
    gates = sum(n * 2 * c * (c // 16) for c, n in stages)
    assert first.startswith(f"{25_028_904 + gates:,} parameters")
    assert second.startswith("8x")


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "openvino", "pt2", "torchscript"])
def test_a_network_with_a_block_is_exported_and_opened_without_the_plugin(
    page_files: Path, to: Format
) -> None:
    plugins.load_plugin("se.py")
    config = config_from("resnext_1-1_2x4d_cifar_se", in_channels=1)
    save_weights(page_files / "se.safetensors", create_model(config), config, CARD)
    assert main(["export", "se.safetensors", "--to", to, "--out", f"se{SUFFIX[to]}"]) == 0
    forget()
    exported = open_exported(page_files / f"se{SUFFIX[to]}")
    assert name_of(exported.config) == "resnext_1-1_2x4d_cifar_se"
