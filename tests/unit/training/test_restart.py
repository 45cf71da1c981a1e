"""A command that a launcher starts again goes on with its own run and with no other."""

from pathlib import Path

import pytest

from resnext.errors import ConfigError, RunError
from resnext.runs.config import OptimConfig, TrainConfig
from resnext.runs.folder import write_config
from resnext.training.restart import check_restartable, has_begun, is_restart


@pytest.mark.parametrize("name", ["TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"])
def test_the_launchers_counts_tell_a_restart(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "0")
    assert not is_restart()
    monkeypatch.setenv(name, "2")
    assert is_restart()


def test_restarts_need_a_named_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    check_restartable(has_folder=False)
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "3")
    check_restartable(has_folder=True)
    with pytest.raises(ConfigError, match=r"--max-restarts 3.*--out FOLDER"):
        check_restartable(has_folder=False)


def test_a_run_of_the_same_settings_is_gone_on_with(tmp_path: Path) -> None:
    config = TrainConfig(
        seed=3, optim=OptimConfig(lr=0.123456789), weights=tmp_path / "w.safetensors"
    )
    write_config(tmp_path, config)
    assert has_begun(tmp_path, config)


def test_a_run_of_other_settings_is_refused(tmp_path: Path) -> None:
    write_config(tmp_path, TrainConfig(seed=3))
    with pytest.raises(RunError, match="run with other settings"):
        has_begun(tmp_path, TrainConfig(seed=4))


def test_a_start_that_was_killed_before_there_was_a_run_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "config.yaml.partial").write_text("seed:")
    assert not has_begun(tmp_path, TrainConfig())
    assert list(tmp_path.iterdir()) == []
