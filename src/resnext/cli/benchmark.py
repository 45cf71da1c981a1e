"""Time networks side by side on every runtime of this machine.

NETWORK is a network's name (random weights), a run, a weight file, or a file that `resnext export`
wrote. Each contestant runs in its own process; all take turns, round by round. Contestants that
cannot run are listed with the reason.

Examples:
  resnext benchmark resnext50_32x4d
  resnext benchmark resnext50_32x4d resnet50 --runtime onnxruntime timm --batch 1 8
  resnext benchmark runs/photos runs/photos/network.onnx --plot speed.svg
  resnext benchmark resnext101_32x4d --runtime onnxruntime openvino --threads 1 2 --json
  resnext benchmark resnext50_32x4d --size 160 --rounds 50 --csv speed.csv --quiet
  resnext benchmark --map --plot map.svg
  resnext benchmark resnet101 --map --device cuda --precision bf16 --batch 128 --csv map.csv

--map times a training step and an inference of networks with equal multiply-adds and different
cardinality, and reports which cardinalities are free on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import tyro

from resnext.benchmark.contestant import GPU_RUNTIMES, RUNTIMES, Plan, PrecisionName, RuntimeName
from resnext.cli.arguments import option, parse
from resnext.errors import ConfigError
from resnext.files import write_whole
from resnext.progress import say_start, show_steps


@dataclass(frozen=True)
class Benchmark:
    """Time networks side by side on every runtime of this machine."""

    networks: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NETWORK ...")
    ] = ()
    """Names such as resnext50_32x4d, runs, weight files or exported files."""
    runtime: Annotated[
        tuple[RuntimeName, ...], option(" ".join(get_args(RuntimeName)), "all for the device")
    ] = ()
    """Runtimes of each network; an exported file runs in its own."""
    map: bool = False
    """Time networks of different cardinality with the multiply-adds of NETWORK (default:
    resnet50)."""
    batch: Annotated[tuple[int, ...], option("N ...", "1; --map 8")] = ()
    """Batch sizes; each is a separate race."""
    threads: Annotated[tuple[int, ...], option("N ...", "1")] = (1,)
    """CPU threads; each number is a separate race."""
    size: Annotated[int | None, option("PIXELS", "the network's default")] = None
    """Side of the images."""
    rounds: Annotated[int, option("N", "15")] = 15
    """Measured turns of every contestant, after three warm-up turns."""
    device: Annotated[str, option("DEVICE", "cpu")] = "cpu"
    """cpu, cuda or cuda:N."""
    precision: Annotated[PrecisionName, option("fp32|bf16|fp16", "fp32")] = "fp32"
    """Precision of PyTorch and TensorRT; other runtimes use fp32."""
    csv: Annotated[Path | None, option("FILE")] = None
    """Also write the measurements to this file."""
    plot: Annotated[Path | None, option("FILE")] = None
    """Plot error (or multiply-adds, if an error is unknown) against latency."""
    json: bool = False
    """Print the measurements as JSON."""
    quiet: bool = False
    """Print only errors, and JSON if requested."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Returns:
        0, or 1 if no contestant could run.

    Raises:
        ConfigError: A name or a setting is not valid.
        CheckpointError: A file is missing or damaged.
    """
    arguments = parse(Benchmark, argv, __doc__)
    _check_files(arguments)
    if arguments.map:
        from resnext.cli.benchmark_map import run_map

        return run_map(arguments)
    plan = _plan(arguments)

    say_start("preparing the networks", quiet=arguments.quiet)
    # torch is imported from here on, after the arguments were found to be right
    from resnext.benchmark.benchmark import run_benchmark
    from resnext.benchmark.plot import check_plot_file, draw
    from resnext.benchmark.rows import as_csv, as_json
    from resnext.cli.benchmark_output import print_benchmark

    if arguments.plot is not None:
        check_plot_file(arguments.plot)
    with show_steps(quiet=arguments.quiet) as progress:
        report = run_benchmark(arguments.networks, plan, progress)
    if arguments.csv is not None:
        write_whole(arguments.csv, as_csv(report))
    if arguments.plot is not None:
        draw(report.results, arguments.plot)
    if arguments.json:
        print(as_json(report))
    elif not arguments.quiet:
        print_benchmark(report)
        for path in (arguments.csv, arguments.plot):
            if path is not None:
                print(f"wrote {path}")
    return 0 if any(result.figures for result in report.results) else 1


def _check_files(arguments: Benchmark) -> None:
    """Check before the measurement that the files can be written."""
    for flag, path in (("--csv", arguments.csv), ("--plot", arguments.plot)):
        if path is not None and not path.parent.is_dir():
            raise ConfigError(f"{flag} {path}: there is no folder {path.parent}; create it first")


def _plan(arguments: Benchmark) -> Plan:
    """Convert the flags to a plan.

    Raises:
        ConfigError: A flag is wrong.
    """
    if not arguments.networks:
        raise ConfigError("give the networks to time, such as: resnext benchmark resnext50_32x4d")
    is_on_gpu = arguments.device.startswith("cuda")
    return Plan(
        runtimes=arguments.runtime or (GPU_RUNTIMES if is_on_gpu else RUNTIMES),
        batches=arguments.batch or (1,),
        threads=arguments.threads,
        size_px=arguments.size,
        rounds=arguments.rounds,
        device=arguments.device,
        precision=arguments.precision,
    )
