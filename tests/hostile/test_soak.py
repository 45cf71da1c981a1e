"""Twice the capacity, and all attacks at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from effort import Effort
from serving_process import write_colours
from soak import soak


@pytest.mark.slow
@pytest.mark.soak
def test_honest_callers_are_served_while_hostile_ones_attack(
    effort: Effort, seed: int, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    found = soak(write_colours(tmp_path / "colours.onnx"), tmp_path, effort.soak_s, seed)
    text = json.dumps(found.as_json(), indent=1)
    print(text)
    folder: Path | None = pytestconfig.getoption("--results", None)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "soak.json").write_text(text, encoding="utf-8")
    assert found.leaks == []
    assert found.wrong == []
    assert found.lost == []
    assert found.answered > 0
    assert found.sent > found.capacity_per_s * effort.soak_s  # it was more than it could answer
    assert found.health_failures == []
    assert found.odd_log_lines == []
    assert found.tracebacks == 0
    assert found.exit_status == 0
    before, _, after = found.descriptors
    assert after <= before + 20
    first, _, last, _ = found.rss_mib
    assert last < first + 512  # bodies and decoded images have their bounds; nothing grows beyond
    assert all(found.attacks.values())
