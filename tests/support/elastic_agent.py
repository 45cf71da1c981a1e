"""torchrun's elastic agent with workers that start at once: forked, with torch imported.

python elastic_agent.py SETTINGS RUN PROCESSES RESTARTS
"""

import sys
from pathlib import Path

from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from resnext.runs.folder import read_config
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train


def work(settings: str, run: str) -> None:
    """Do what `resnext train --config SETTINGS --out RUN` does, save for the report."""
    train(read_config(Path(settings)), RunTarget(out=Path(run)), Display("quiet"))


def main() -> None:
    """Start the workers, and start them again when one ends badly."""
    settings, run, processes, restarts = sys.argv[1:]
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=int(processes),
        run_id=Path(run).name,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=int(restarts),
        monitor_interval=0.1,
        start_method="fork",
        shutdown_timeout=10,
    )
    elastic_launch(config, work)(settings, run)


if __name__ == "__main__":
    main()
