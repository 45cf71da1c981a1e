"""Compares inference: our default path with all others, our export, and cardinality.

It answers three questions, each with a table of paired ratios (below 1: the first is faster) and
the 95 % interval of their median:

default      our default path (ONNX Runtime on our export) against the best of all others
export       our export against torch.onnx.export's of the same weights, both on ONNX Runtime
cardinality  grouped networks against dense ones of equal cost, both on our default path

The ratio of CPU times is shown next to that of wall times, since other processes disturb it less;
with one thread both should agree.

    python -m bench.inference [default export cardinality] [--rounds 31] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resnext.benchmark.benchmark import BenchmarkReport, run_benchmark
from resnext.benchmark.contestant import RUNTIMES, Plan, RuntimeName, Setting
from resnext.benchmark.ratio import paired_ratio
from resnext.benchmark.result import Result
from resnext.benchmark.rows import as_json

NETWORKS = ("resnext50_32x4d", "resnext101_32x4d", "resnet50", "resnet101")
DEFAULT: RuntimeName = "onnxruntime"
# The paper's networks of equal cost (table 3), the dense one last.
EQUAL_COST = (
    ("resnext50_32x4d", "resnext50_8x14d", "resnext50_4x24d", "resnext50_2x40d", "resnet50"),
    ("resnext101_32x4d", "resnet101"),
)
QUESTIONS = ("default", "export", "cardinality")
_HEAD = (
    "| {} | batch | ms | against | ms | ratio, wall | ratio, CPU | of conv. peak |\n|" + "---|" * 8
)


def main() -> None:
    arguments = _parse()
    for question in arguments.questions:
        print(f"\n## {question}\n")
        for number, names in enumerate(_races(question, arguments.networks)):
            plan = Plan(
                runtimes=_runtimes(question),
                batches=tuple(arguments.batch),
                threads=(arguments.threads,),
                size_px=arguments.size,
                rounds=arguments.rounds,
            )
            report = run_benchmark(names, plan, _tell)
            if arguments.out is not None:
                arguments.out.mkdir(parents=True, exist_ok=True)
                text = as_json(report)
                (arguments.out / f"{question}-{number}.json").write_text(text, encoding="utf-8")
            _print(question, report, is_first=number == 0)


def _races(question: str, networks: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the networks of each race; ratios are taken within one."""
    if question == "cardinality":
        return [names for names in EQUAL_COST if set(names) & set(networks)]
    return [(name,) for name in networks]


def _runtimes(question: str) -> tuple[RuntimeName, ...]:
    if question == "default":
        return RUNTIMES
    return (DEFAULT, "onnx-plain") if question == "export" else (DEFAULT,)


def _print(question: str, report: BenchmarkReport, *, is_first: bool) -> None:
    if is_first:
        (peak,) = report.peaks
        print(
            f"{report.machine}, {peak.threads} thread(s), n={report.results[0].rounds} rounds; "
            f"matrix multiplication {peak.matmul_gflops:.0f}, convolution {peak.conv_gflops:.0f} "
            "GFLOP/s at best\n"
        )
        print(_HEAD.format("network"))
    for setting in dict.fromkeys(result.setting for result in report.results):
        race = [result for result in report.results if result.setting == setting]
        for ours, other in _pairs(question, race):
            print(_line(ours, other, setting), flush=True)
        for result in race:
            if result.reason:
                print(
                    f"  {result.network.label}, {result.runtime}: {result.reason}", file=sys.stderr
                )


def _pairs(question: str, race: Sequence[Result]) -> list[tuple[Result, Result]]:
    """Return the pairs to compare."""
    finished = [result for result in race if result.figures is not None]
    ours = [result for result in finished if result.runtime == DEFAULT]
    if question == "cardinality":
        *grouped, dense = ours
        return [(result, dense) for result in grouped]
    others = [result for result in finished if result.runtime != DEFAULT]
    if question == "default":
        others = sorted(others, key=lambda result: statistics.median(result.round_ms))[:1]
    return [(result, other) for result in ours for other in others]


def _line(ours: Result, other: Result, setting: Setting) -> str:
    assert ours.figures is not None
    assert other.figures is not None
    wall = paired_ratio(ours.round_ms, other.round_ms)
    cpu = paired_ratio(ours.round_cpu_ms, other.round_cpu_ms)
    against = other.runtime if other.network is ours.network else other.network.label
    cells = (
        ours.network.label,
        setting.batch,
        f"{ours.figures.latency_ms:.1f}",
        against,
        f"{other.figures.latency_ms:.1f}",
        wall,
        cpu,
        f"{ours.figures.share_of_conv_peak:.2f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _tell(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{done}/{total} {what}", end="", file=sys.stderr, flush=True)


def _parse() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("questions", nargs="*", default=[], metavar="QUESTION")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--out", type=Path, help="folder for the times of every round, as JSON")
    arguments = parser.parse_args()
    if unknown := set(arguments.questions) - set(QUESTIONS):
        parser.error(f"{', '.join(unknown)}: questions are {', '.join(QUESTIONS)}")
    arguments.questions = arguments.questions or QUESTIONS
    return arguments


if __name__ == "__main__":
    main()
