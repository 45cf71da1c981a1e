"""The study of cardinality on texts and sounds: whole, at equal cost, and through the verb."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command
from made_texts import write_questions


def _sounds(folder: Path) -> Path:
    pytest.importorskip("soundfile")
    from made_audio import write_tones

    return write_tones(folder, 8, 4)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "write"), [("text", write_questions), ("audio", _sounds)])
def test_designs_of_equal_cost_are_trained_and_compared(
    kind: str, write: object, tmp_path: Path, command: Command
) -> None:
    assert callable(write)
    data = f"{kind}:{write(tmp_path / 'data')}"
    words = ("--scale", "small", "--data", data, "--seeds", "0", "--threads", "1", "--jobs", "1")
    place = ("--root", tmp_path / "studies", "--set", "schedule.epochs=1")
    status, _, problem = command("study", "run", "cardinality", *words, *place, "--quiet")
    assert status == 0, problem
    (folder,) = (tmp_path / "studies").glob("cardinality*")
    trials = json.loads((folder / "results.json").read_text(encoding="utf-8"))["trials"]
    assert [trial["state"] for trial in trials] == ["done"] * 3
    assert [trial["cardinality"] for trial in trials] == [1, 4, 16]
    macs = [trial["macs"] for trial in trials]
    assert max(macs) <= 1.25 * min(macs)
    assert all(0 <= trial["top1_error"] <= 100 for trial in trials)
    assert (folder / "report.html").stat().st_size > 10_000
