"""The machines a trial was trained on: each attempt writes one line when it starts.

An attempt may resume what another machine started; the run's environment.json only describes the
first machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from resnext.errors import ConfigError
from resnext.runs.config import RuntimeConfig
from resnext.studies.records.arithmetic import counted, describe_instructions, kind_of
from resnext.studies.records.stored import Count, ShortText, keep_valid, read_lines

if TYPE_CHECKING:
    from resnext.runs.runtime import Runtime

MACHINES = "machines.jsonl"


class TrialMachine(BaseModel):
    """Hardware, versions and precision of one attempt.

    Attributes:
        cpu: Name of the processor.
        device: Name of the GPU, or `cpu`.
        instructions: Instruction set that torch uses on the processor.
        precision: Arithmetic of training.
        threads: CPU threads of one process.
        processes: Processes that train together.
        torch: Its version.
        python: Its version.
        resnext: Version of this package.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    cpu: ShortText
    device: ShortText
    instructions: ShortText = ""
    precision: ShortText
    threads: Count
    processes: Count = 1
    torch: ShortText = ""
    python: ShortText = ""
    resnext: ShortText = ""

    def __str__(self) -> str:
        threads = counted(self.threads, "thread")
        return f"{self.cpu}, {threads}" if self.device == "cpu" else self.device


def note_machine(folder: Path, runtime: Runtime) -> None:
    """Record the machine of an attempt in the trial's folder."""
    from resnext.runs.environment import describe_environment

    values = describe_environment(runtime)
    machine = TrialMachine(
        cpu=values["cpu"],
        device=values["device"],
        instructions=describe_instructions(),
        precision=values["dtype"],
        threads=values["num_threads"],
        processes=values["num_processes"],
        torch=values["packages"]["torch"],
        python=values["python"],
        resnext=values["packages"]["resnext"],
    )
    with (folder / MACHINES).open("a", encoding="utf-8") as file:
        # an end of the line first: a full disk may have cut off the one before
        file.write("\n" + json.dumps(machine.model_dump()) + "\n")


def read_machines(folder: Path) -> list[TrialMachine]:
    """Return the distinct machines of a trial's attempts, oldest first.

    Raises:
        RunError: The file cannot be read.
    """
    rows, _ = read_lines(folder / MACHINES)
    return list(dict.fromkeys(keep_valid(rows, TrialMachine)))


def check_runtime(asked: RuntimeConfig, processes: int, runtime: Runtime) -> None:
    """Check that this process can train as the trial specifies.

    Raises:
        ConfigError: The device, precision, or number of threads or processes differs.
    """
    import torch

    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    pairs = {
        "device": (kind_of(asked.device), runtime.device.type),
        "precision": (dtypes.get(asked.precision), runtime.dtype),
        "threads": (asked.threads, torch.get_num_threads()),
        "processes": (processes, runtime.world_size),
    }
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise ConfigError(
                f"the trial is set up for {name} {wanted}, but this process uses {found}, which "
                "would change the results; run it on a matching machine, or start the study "
                "again in another --root"
            )
    is_bf16_gpu = runtime.dtype == torch.bfloat16 and runtime.device.type == "cuda"
    if is_bf16_gpu and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise ConfigError(
            "the trial needs precision bf16, which this GPU does not support; run it on another "
            "GPU, or start the study again in another --root with --set runtime.precision=fp32"
        )
