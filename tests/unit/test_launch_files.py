"""The files that start a training or a service elsewhere name only what there is, and agree."""

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from nonempty import nonempty

from resnext import __version__
from resnext.api.train_settings import build_config
from resnext.cli.arguments import parse
from resnext.cli.serve import Serve
from resnext.cli.train import Train

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICE = DEPLOY / "kubernetes" / "service.yaml"
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
    *words, in_background = shlex.split(command)
    accepted(words)
    assert in_background == "&"
    assert "#SBATCH --requeue" in text
    assert "#SBATCH --signal=B:TERM@120" in text
    assert "export TORCH_ELASTIC_SHUTDOWN_TIMEOUT=110" in text


SCONTROL = """#!/bin/bash
if [ "$1" = show ]; then echo node1; else echo "$@" >> "$LOG"; fi
"""


def launch(folder: Path, srun: str) -> subprocess.Popen[bytes]:
    """Start the job with stand-ins for SLURM's commands; `srun` says what the step does."""
    for name, text in (("scontrol", SCONTROL), ("srun", f"#!/bin/bash\n{srun}\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "log").touch()
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "LOG": str(folder / "log"),
        "SLURM_JOB_ID": "17",
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_NNODES": "2",
    }
    return subprocess.Popen(["bash", SBATCH], env=environment)


def wait_for(words: str, log: Path) -> None:
    deadline = time.monotonic() + 20
    while words not in log.read_text():
        assert time.monotonic() < deadline, f"{words} is not in {log.read_text()}"
        time.sleep(0.02)


def step(after_sigterm: str) -> str:
    """Write a step that runs until SIGTERM."""
    return f"""stop() {{ echo stopping >> "$LOG"; {after_sigterm}; }}
trap stop TERM
echo started >> "$LOG"
for _ in {{1..600}}; do sleep 0.05; done"""


@pytest.mark.parametrize(
    ("after_sigterm", "status", "requeued"),
    [("exit 1", 1, True), ("exit 143", 143, True), ("exit 0", 0, False)],
    ids=["as torchrun", "killed", "finished meanwhile"],
)
def test_a_slurm_job_that_is_stopped_goes_back_into_the_queue(
    after_sigterm: str, status: int, requeued: bool, tmp_path: Path
) -> None:
    job, log = launch(tmp_path, step(after_sigterm)), tmp_path / "log"
    wait_for("started", log)
    job.send_signal(signal.SIGTERM)
    assert job.wait(20) == status
    assert ("requeue 17" in log.read_text()) == requeued


@pytest.mark.slow
def test_a_slurm_job_waits_until_the_step_has_saved(tmp_path: Path) -> None:
    saving = 'trap "" TERM; for _ in {1..10}; do sleep 0.05; done; echo saved >> "$LOG"; exit 1'
    job, log = launch(tmp_path, step(saving)), tmp_path / "log"
    wait_for("started", log)
    job.send_signal(signal.SIGTERM)
    wait_for("stopping", log)
    job.send_signal(signal.SIGTERM)
    assert job.wait(20) == 1
    assert log.read_text().splitlines() == ["started", "stopping", "saved", "requeue 17"]


@pytest.mark.parametrize("status", [0, 1, 143])
def test_a_slurm_job_that_nobody_stopped_is_not_started_again(status: int, tmp_path: Path) -> None:
    job = launch(tmp_path, f"exit {status}")
    assert job.wait(20) == status
    assert "requeue" not in (tmp_path / "log").read_text()


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
    (kept_alive_s,) = [
        int(variable["value"])
        for variable in container["env"]
        if variable["name"] == "TORCH_ELASTIC_SHUTDOWN_TIMEOUT"
    ]
    assert 30 < kept_alive_s < worker["template"]["spec"]["terminationGracePeriodSeconds"]
    per_pod = container["resources"]["limits"]["nvidia.com/gpu"]
    assert job["spec"]["elasticPolicy"]["nProcPerNode"] == per_pod


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*.yaml")), ids=lambda file: file.name)
def test_every_object_of_kubernetes_says_its_kind_and_name(file: Path) -> None:
    for item in nonempty(yaml.safe_load_all(file.read_text())):
        assert {"apiVersion", "kind", "metadata"} <= item.keys()
        assert item["metadata"]["name"]


@pytest.mark.parametrize(
    ("dockerfile", "manifest"),
    [("Dockerfile", "service.yaml"), ("Dockerfile.train", "training.yaml")],
)
def test_an_image_has_the_name_that_its_manifest_wants(dockerfile: str, manifest: str) -> None:
    text = (DEPLOY / dockerfile).read_text()
    (built,) = re.findall(rf"docker build -f deploy/{dockerfile} -t (\S+) \.", text)
    (wanted,) = re.findall(r"\bimage: (\S+)", (DEPLOY / "kubernetes" / manifest).read_text())
    assert built == wanted
    assert built.endswith(f":{__version__}")


def test_the_image_for_training_copies_what_there_is_and_runs_as_the_user_of_the_pod() -> None:
    text = (DEPLOY / "Dockerfile.train").read_text()
    copies = re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE)
    sources = [name for names in copies for name in names.split()]
    assert {"pyproject.toml", "src"} <= set(sources)
    assert all((ROOT / name).exists() for name in sources)
    job = yaml.safe_load((DEPLOY / "kubernetes" / "training.yaml").read_text())
    pod = job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]
    rights = pod["securityContext"]
    assert f"USER {rights['runAsUser']}:{rights['runAsGroup']}\n" in text
    assert rights["fsGroup"] == rights["runAsGroup"]


def deployment() -> dict[str, Any]:
    parts = yaml.safe_load_all(SERVICE.read_text())
    (found,) = [part for part in parts if part["kind"] == "Deployment"]
    assert isinstance(found, dict)
    return found


def test_the_service_does_not_start_without_its_key() -> None:
    (container,) = deployment()["spec"]["template"]["spec"]["containers"]
    (variable,) = container["env"]
    secret = variable["valueFrom"]["secretKeyRef"]
    assert not secret.get("optional", False)
    words = shlex.split(SERVICE.read_text().partition("kubectl create ")[2].partition("\n")[0])
    assert words[:3] == ["secret", "generic", secret["name"]]
    assert words[3].startswith(f"--from-literal={secret['key']}=")


def test_prometheus_finds_the_service_and_shows_its_key() -> None:
    labels = deployment()["spec"]["template"]["metadata"]
    assert "annotations" not in labels  # those of prometheus.io could not show it
    lines = [line for line in SERVICE.read_text().splitlines() if line.startswith("#   ")]
    start = lines.index("#   scrape_configs:")
    (job,) = yaml.safe_load("\n".join(line[4:] for line in lines[start:]))["scrape_configs"]
    assert job["authorization"]["type"] == "Bearer"
    (rule,) = job["relabel_configs"]
    (label,) = rule["source_labels"]
    (name, value), *_ = labels["labels"].items()
    assert label == "__meta_kubernetes_pod_label_" + re.sub(r"\W", "_", name)
    assert rule["regex"] == value


def test_what_the_service_holds_at_once_fits_into_the_memory_of_its_pod() -> None:
    (container,) = deployment()["spec"]["template"]["spec"]["containers"]
    flags = container["args"]
    for name in ("memory-mib", "decode-mib", "megapixels"):  # stated, whatever the defaults become
        assert any(flag.startswith(f"--max-{name}=") for flag in flags)
    given = parse(Serve, flags, None)
    largest_image_mib = 32 * given.max_megapixels * 1e6 / 2**20
    decoded_mib = max(given.max_decode_mib, largest_image_mib)
    limit = container["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    assert 2 * given.max_memory_mib + decoded_mib + 512 <= 1024 * int(limit[:-2])
