"""Turns, cache and search; how long anything takes is never tested."""

from __future__ import annotations

import importlib
import importlib.metadata
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from resnext.benchmark import latency, latency_search, same_process
from resnext.benchmark.latency import Latency, LatencySetup, measure_latencies
from resnext.benchmark.latency_search import search_latency
from resnext.benchmark.networks import random_network
from resnext.benchmark.same_process import prepare_inference, runtime_version
from resnext.checked_json import write_checked
from resnext.complexity.family import width_family
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1,), stem_width=4, stage_widths=(8,), num_classes=3
)
SETUP = LatencySetup(input_size=8, rounds=3)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["eager", "onnxruntime"])
def test_each_runtime_runs_the_network(runtime: Any) -> None:
    if runtime == "onnxruntime":
        for package in ("onnxruntime", "onnx", "onnxscript"):
            pytest.importorskip(package, reason="the extra `export` is not installed")
    prepare_inference(TINY, LatencySetup(runtime, 8))()


def test_what_was_measured_is_kept_by_network_and_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[ResNeXtConfig] = []

    def prepare(config: ResNeXtConfig, _: LatencySetup) -> Callable[[], None]:
        measured.append(config)
        return lambda: None

    monkeypatch.setattr(latency, "prepare_inference", prepare)
    wide = TINY.replace(bottleneck_width=8)
    cache = tmp_path / "cache" / "measured.json"
    first = measure_latencies([TINY], SETUP, cache=cache)
    again = measure_latencies([TINY, wide], SETUP, cache=cache)
    known = measure_latencies([wide, TINY], SETUP, cache=cache)
    # beside a new network the known one is measured again, in turns with it
    assert measured == [TINY, TINY, wide]
    assert [row.is_cached for row in (*first, *again, *known)] == [False] * 3 + [True] * 2
    assert [row.median_ms for row in known] == [again[1].median_ms, again[0].median_ms]
    measure_latencies([TINY], LatencySetup(input_size=16, rounds=3), cache=cache)
    measure_latencies([TINY], SETUP, cache=None)
    assert measured == [TINY, TINY, wide, TINY, TINY]


def test_a_damaged_cache_counts_as_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "prepare_inference", lambda *_: lambda: None)
    cache = tmp_path / "measured.json"
    for content in ("{", "[]", '{"a": {"b": 1}}'):
        cache.write_text(content)
        assert not measure_latencies([TINY], SETUP, cache=cache)[0].is_cached
    assert measure_latencies([TINY], SETUP, cache=cache)[0].is_cached


def test_a_flipped_bit_in_the_cache_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "prepare_inference", lambda *_: lambda: None)
    cache = tmp_path / "measured.json"
    measure_latencies([TINY], SETUP, cache=cache)
    whole, known = cache.read_bytes(), latency._read(cache)
    assert known
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        cache.write_bytes(changed)
        assert latency._read(cache) in ({}, known)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, None, [], "x", 10**400])
def test_a_forged_time_in_the_cache_is_not_used(tmp_path: Path, value: object) -> None:
    row = asdict(fake_latency(TINY, 1.0))
    write_checked(tmp_path / "measured.json", {"a": row})
    assert latency._read(tmp_path / "measured.json")
    write_checked(tmp_path / "measured.json", {"a": row | {"median_ms": value}})
    assert latency._read(tmp_path / "measured.json") == {}


def test_what_cannot_be_kept_is_said_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "prepare_inference", lambda *_: pytest.fail("measured"))
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"XDG_CACHE_HOME.*--no-cache"):
        measure_latencies([TINY], SETUP, cache=tmp_path / "file" / "measured.json")


def test_measuring_leaves_threads_and_random_numbers_as_they_were() -> None:
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    setup = LatencySetup(input_size=8, threads=threads + 1, rounds=2)
    assert measure_latencies([TINY], setup, cache=None)[0].rounds == 2
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.slow
def test_no_compiled_network_falls_back_to_eager_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch
    from torch._dynamo.testing import CompileCounter

    counter = CompileCounter()
    compile_network = torch.compile

    def count_compilations(model: Any, **options: Any) -> Any:
        return compile_network(model, backend=counter, **options)

    monkeypatch.setattr(torch, "compile", count_compilations)
    torch._dynamo.reset()
    for width in range(1, 12):
        infer = prepare_inference(TINY.replace(bottleneck_width=width), LatencySetup("compiled", 8))
        infer()
        assert counter.frame_count == width
    torch._dynamo.reset()


def fake_latency(config: ResNeXtConfig, spread_ms: float) -> Latency:
    median = float(config.cardinality * config.bottleneck_width)
    low, high = median - spread_ms, median + spread_ms
    return Latency(median, low, high, 3, "machine", "versions", "today")


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Take C d as the latency; return the widths of each round of measurements."""
    found: list[list[int]] = []

    def measure(configs: Sequence[Any], *_: Any, **__: Any) -> list[Latency]:
        found.append([config.bottleneck_width for config in configs[1:]])
        return [fake_latency(config, 3) for config in configs]

    monkeypatch.setattr(latency_search, "measure_latencies", measure)
    return found


def dense(width: int) -> ResNeXtConfig:
    return TINY.replace(cardinality=1, bottleneck_width=width)


def test_the_measured_candidate_closest_to_the_target_is_taken(rounds: list[list[int]]) -> None:
    search = search_latency(dense(64), width_family(TINY, 4), SETUP)
    assert search.target_ms == 64
    assert search.numbers[search.closest] == 16
    assert list(search.numbers) == sorted(search.numbers) == rounds[-1]
    assert not search.is_outside
    # its own quartiles and those of the target are 3 ms wide each: 58 to 70 ms overlap
    overlapping = [n for n, width in enumerate(search.numbers) if abs(4 * width - 64) <= 6]
    assert search.rivals == overlapping


@pytest.mark.parametrize("factor", [0.01, 0.2, 0.5, 1.0, 2.0, 30.0])
def test_nine_are_measured_at_most_and_the_last_round_measures_all(
    rounds: list[list[int]], factor: float
) -> None:
    search = search_latency(dense(640), width_family(TINY, 2), SETUP, factor=factor)
    assert len(search.numbers) <= 9
    assert rounds[-1] == list(search.numbers)
    assert all(set(early) <= set(rounds[-1]) for early in rounds)
    enclosing = search.enclosing
    if enclosing is not None:
        below, above = (search.numbers[n] for n in enclosing)
        assert search.has_gap == (above - below > 1)


def test_a_design_far_from_equal_multiply_adds_is_found_by_going_further_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measure(configs: Sequence[Any], *_: Any, **__: Any) -> list[Latency]:
        slower = [1, *(8 for _ in configs[1:])]
        rows = [fake_latency(config, 0.0) for config in configs]
        return [
            Latency(factor * row.median_ms, 0, 0, 3, "machine", "versions", "today")
            for factor, row in zip(slower, rows, strict=True)
        ]

    monkeypatch.setattr(latency_search, "measure_latencies", measure)
    search = search_latency(dense(64), width_family(TINY, 1), SETUP)
    assert search.numbers[search.closest] in (7, 8, 9)
    assert search.numbers[0] < 8
    assert not search.is_outside


def test_a_target_outside_of_what_was_measured_is_said(rounds: list[list[int]]) -> None:
    search = search_latency(dense(64), width_family(TINY, 4), SETUP, factor=0.01)
    assert search.is_outside
    assert search.numbers[search.closest] == 1
    assert not search.has_gap
    assert rounds


def test_an_unknown_runtime_and_a_missing_package_are_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError, match="accepted are eager, compiled, onnxruntime"):
        runtime_version("tensorrt")

    def fail(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", fail)
    monkeypatch.setattr(same_process, "_PACKAGES", {"onnxruntime": ("onnxscript",)})
    with pytest.raises(ConfigError, match=r"onnxscript.*pip install 'resnext\[export\]'"):
        runtime_version("onnxruntime")


@pytest.mark.parametrize("form", ["b", "c"])
def test_onnx_runtime_is_timed_on_the_graph_that_export_writes(
    form: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnxruntime", "onnxscript"):
        pytest.importorskip(package, reason="the extra `export` is not installed")
    importlib.import_module("resnext.runtimes.onnx_runtime")  # it keeps the session that it has
    onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed")
    from resnext.export.export import export_model
    from resnext.export.options import ExportOptions
    from resnext.runtimes import onnx_session

    opened: list[bytes] = []
    open_session = onnx_session.open_session

    def note(source: Path, *threads: int, **options: bool) -> Any:
        opened.append(source.read_bytes())
        return open_session(source, *threads, **options)

    monkeypatch.setattr(onnx_session, "open_session", note)
    config = TINY.replace(cardinality=8, bottleneck_width=2, form=form)
    prepare_inference(config, LatencySetup("onnxruntime", 8, threads=1))()
    dest = tmp_path / "network.onnx"
    export_model(random_network(config, 8), dest, ExportOptions(input="normalised"))
    timed, exported = (onnx.load_from_string(b).graph for b in (*opened, dest.read_bytes()))
    assert timed.SerializeToString() == exported.SerializeToString()
    groups = [a.i for node in timed.node for a in node.attribute if a.name == "group"]
    assert max(groups) == 1  # 8 x 2 channels make one group of whole blocks
    assert not any(node.op_type == "BatchNormalization" for node in timed.node)
