"""The files that start a training elsewhere name verbs and flags that there are."""

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from resnext.cli.arguments import parse
from resnext.cli.train import Train, build_config

DEPLOY = Path(__file__).parents[2] / "deploy"
SBATCH = DEPLOY / "slurm" / "train.sbatch"


def accepted(words: list[str]) -> Train:
    """Parse what follows `-m resnext train`."""
    start = words.index("-m")
    assert words[start : start + 3] == ["-m", "resnext", "train"]
    arguments = parse(Train, words[start + 3 :], None)
    assert build_config(arguments).model.template == "32x4d"  # type: ignore[union-attr]
    assert arguments.continue_
    assert arguments.out is not None
    return arguments


def test_the_sbatch_file_is_sound_and_its_command_is_accepted() -> None:
    assert subprocess.run(["bash", "-n", SBATCH], check=False).returncode == 0
    text = SBATCH.read_text().replace("\\\n", " ")
    (command,) = [line for line in text.splitlines() if line.startswith("srun torchrun")]
    accepted(shlex.split(command))
    assert "#SBATCH --requeue" in text
    assert "#SBATCH --signal=TERM@" in text


def test_the_training_job_of_kubernetes_is_accepted() -> None:
    job = yaml.safe_load((DEPLOY / "kubernetes" / "training.yaml").read_text())
    worker = job["spec"]["pytorchReplicaSpecs"]["Worker"]
    (container,) = worker["template"]["spec"]["containers"]
    assert container["name"] == "pytorch"
    arguments = accepted(container["args"])
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"] for volume in worker["template"]["spec"]["volumes"]}
    assert set(mounted) == volumes
    assert str(arguments.out).startswith(mounted["runs"])
    assert arguments.data == f"imagenet:{mounted['data']}"
    per_pod = container["resources"]["limits"]["nvidia.com/gpu"]
    assert job["spec"]["elasticPolicy"]["nProcPerNode"] == per_pod


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*.yaml")), ids=lambda file: file.name)
def test_every_object_of_kubernetes_says_its_kind_and_name(file: Path) -> None:
    for item in yaml.safe_load_all(file.read_text()):
        assert {"apiVersion", "kind", "metadata"} <= item.keys()
        assert item["metadata"]["name"]
