"""Writes the results as a documentation page."""

from __future__ import annotations

import statistics
from typing import Any

from bench.gpu.deadline import ratio
from resnext.complexity.count import count
from resnext.model.names import config_from

_BACKWARD = 3  # forward, and two products of the same size backward


def page(results: dict[str, Any]) -> str:
    """Return Markdown.

    Args:
        results: The output of `bench.gpu`; parts that did not fit into its time are missing.
    """
    setting = results["setting"]
    lines = [
        "# Training on a GPU, side by side",
        "",
        f"`python -m bench.gpu`: {setting['device']}, torch {setting['torch']}, torchvision "
        f"{setting['torchvision']}, timm {setting['timm']}"
        + (f", CUDA {setting['cuda']}, cuDNN {setting['cudnn']}" if "cuda" in setting else "")
        + f". Batches of {setting['batch']} images of {setting['side_px']} pixels, "
        f"{setting['precision']}, the same fused SGD for all. Medians of turns; in brackets the "
        "smallest and largest ratio of a round.",
        "",
        f"Tests marked `gpu`: {results['tests']['summary']}",
        *(f"- {line}" for line in results["tests"].get("failed", [])),
        "",
        f"bf16 matrix multiplication: {results['matmul_flops'] / 1e12:.3g} TFLOP/s.",
    ]
    for rates in results.get("rates", []):
        lines += ["", *_network(rates, setting, results["matmul_flops"])]
    if results.get("groups"):
        lines += ["", *_groups(results["groups"])]
    if "loop" in results:
        loop = results["loop"]
        lines += [
            "",
            "## Our whole loop",
            "",
            f"{loop['network']} ({loop['setting']}): `resnext train`'s step, with augmentation, "
            f"takes {_text(loop['ratio'])} of the bare step with cuDNN's fastest kernels. With "
            f"deterministic ones, the default, it takes {_text(loop['exact'])} of that.",
        ]
    return "\n".join(lines) + "\n"


def _network(rates: dict[str, Any], setting: dict[str, Any], flops: float) -> list[str]:
    batch = setting["batch"]
    macs = count(config_from(rates["network"]), setting["side_px"]).macs
    seconds = {label: times for label, times in rates["seconds"].items() if times}
    lines = [
        f"## {rates['network']}",
        "",
        "| setting | images/s | share of peak | memory, MiB | first steps, s |",
        "|---|---|---|---|---|",
    ]
    for label, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        middle = statistics.median(times)
        share = 2 * macs * _BACKWARD * batch / middle / flops
        memory = rates["peak_mib"].get(label)
        lines.append(
            f"| {label} | {batch / middle:.0f} | {100 * share:.0f} % | "
            f"{'-' if memory is None else f'{memory:.0f}'} | {rates['prepare_s'][label]:.1f} |"
        )
    lines += [f"| {label} | - | - | - | {note} |" for label, note in rates["notes"].items()]
    ours, theirs = _best(seconds, "resnext"), _best(seconds, "timm", "torchvision")
    if ours and theirs:
        lines += ["", f"Our best step over the best peer's: {_text(ratio(ours, theirs))}."]
    return lines


def _groups(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Time against group width",
        "",
        "Networks with the multiply-adds of ResNet-50, over that of cardinality 1 in its faster "
        "layout.",
        "",
        "| C x d | layout | training step, ms | over C = 1 | inference, ms | over C = 1 |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [f"{row['cardinality']} x {row['group_width']}", row["layout"]]
        for kind in ("train", "infer"):
            cells += [f"{row[f'{kind}_ms']:.1f}", f"{row[f'{kind}_ratio']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _best(seconds: dict[str, list[float]], *libraries: str) -> list[float]:
    found = [times for label, times in seconds.items() if label.startswith(libraries)]
    return min(found, key=statistics.median, default=[])


def _text(found: dict[str, Any]) -> str:
    return f"{found['median']:.2f} ({found['low']:.2f} to {found['high']:.2f}, n = {found['n']})"
