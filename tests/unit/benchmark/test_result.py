"""Figures follow from times by formulas."""

import pytest
from racing import course

from resnext.benchmark.contestant import Setting
from resnext.benchmark.networks import open_network
from resnext.benchmark.peak import Peak
from resnext.benchmark.race import Timings
from resnext.benchmark.result import RuntimeFigures, difference_of, summarise

PEAK = Peak(threads=1, matmul_gflops=100.0, conv_gflops=50.0)
NETWORK = open_network("resnext_1-1-1-1_4x4d", 32)


def figures_of(courses: dict[str, Timings], batch: int = 1) -> dict[str, RuntimeFigures]:
    results = summarise(NETWORK, courses, Setting(batch, 1), 3, PEAK)
    return {r.runtime: r.figures for r in results if r.figures is not None}


def test_latency_throughput_and_shares_are_those_of_the_times() -> None:
    figures = figures_of({"eager": course([[0.1], [0.2], [0.4]])}, batch=4)["eager"]
    assert figures.latency_ms == pytest.approx(200)
    assert figures.images_per_second == pytest.approx(4 / 0.2)
    rate = 2 * NETWORK.macs * 4 / 0.2
    assert figures.share_of_peak == pytest.approx(rate / 100e9)
    assert figures.share_of_conv_peak == pytest.approx(rate / 50e9)
    assert figures.p95_ms == pytest.approx(200 + 0.9 * 200)
    assert (figures.runs, figures.peak_memory_mib) == (3, 100.0)


def test_the_ratio_is_the_median_of_the_rounds_and_load_that_hits_both_cancels() -> None:
    load = [1.0, 5.0, 2.0]
    figures = figures_of(
        {
            "eager": course([[0.3 * factor] for factor in load]),
            "onnxruntime": course([[0.1 * factor] for factor in load]),
        }
    )
    assert figures["onnxruntime"].ratio == 1.0
    assert figures["eager"].ratio == pytest.approx(3)
    assert figures["eager"].ratio_low == pytest.approx(figures["eager"].ratio_high)


def test_who_failed_is_listed_with_the_reason_and_no_figures() -> None:
    courses = {"timm": Timings(reason="needs timm"), "eager": course([[0.1]] * 3)}
    failed, finished = summarise(NETWORK, courses, Setting(1, 1), 3, PEAK)
    assert (failed.figures, failed.reason) == (None, "needs timm")
    assert finished.figures is not None
    assert finished.figures.ratio == 1.0


def test_all_may_fail() -> None:
    (failed,) = summarise(NETWORK, {"timm": Timings(reason="why")}, Setting(1, 1), 3, PEAK)
    assert failed.figures is None


def test_logits_are_compared_except_with_networks_of_other_weights() -> None:
    times = [[0.1]] * 3
    figures = figures_of(
        {
            "timm": course(times, (9.0, 9.0)),
            "eager": course(times, (1.0, -2.0)),
            "openvino": course(times, (1.5, -2.0)),
        }
    )
    assert figures["timm"].difference is None
    assert figures["eager"].difference == 0
    assert figures["openvino"].difference == pytest.approx(0.5 / 2.0)
    assert difference_of([3.0], [4.0]) == pytest.approx(1 / 4)
