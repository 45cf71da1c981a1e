"""How much memory there is, which a container may limit."""

from pathlib import Path

import pytest

from resnext import machine


@pytest.mark.parametrize(("text", "is_limit"), [("1048576\n", True), ("max\n", False)])
def test_a_container_s_limit_counts_where_there_is_one(
    text: str, is_limit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_CGROUP_LIMIT", tmp_path / "none")
    whole = machine.memory_bytes()
    assert whole is not None
    limit = tmp_path / "memory.max"
    limit.write_text(text)
    monkeypatch.setattr(machine, "_CGROUP_LIMIT", limit)
    assert machine.memory_bytes() == (2**20 if is_limit else whole)


def test_a_gpu_is_looked_for_only_where_a_driver_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "driver"
    monkeypatch.setattr(machine, "_GPU_DRIVERS", (driver,))
    assert not machine.may_have_gpu()
    driver.touch()
    assert machine.may_have_gpu()
