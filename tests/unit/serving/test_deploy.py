"""The Dockerfile and the manifest name only what is there, and keep the rules of a safe pod."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_service import made_client

from resnext.cli.arguments import parse
from resnext.cli.serve import Serve

_ROOT = Path(__file__).parents[3]
_DOCKERFILE = (_ROOT / "deploy/Dockerfile").read_text()
_MANIFEST = list(yaml.safe_load_all((_ROOT / "deploy/kubernetes/service.yaml").read_text()))


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, continued lines joined."""
    lines = [line for line in _DOCKERFILE.splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line]


def last(name: str) -> str:
    return [value for key, value in instructions() if key == name][-1]


def by_kind(kind: str) -> dict[str, Any]:
    found = next(part for part in _MANIFEST if part["kind"] == kind)
    assert isinstance(found, dict)
    return found


def pod() -> dict[str, Any]:
    spec = by_kind("Deployment")["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def container() -> dict[str, Any]:
    (found,) = pod()["containers"]
    assert isinstance(found, dict)
    return found


def arguments(argv: list[str]) -> Serve:
    """Read arguments as the command would; a wrong one ends the test."""
    return parse(Serve, argv, None)


def test_instructions_of_the_dockerfile_are_docker_s() -> None:
    known = {"FROM", "WORKDIR", "RUN", "COPY", "ENV", "USER", "EXPOSE", "STOPSIGNAL"}
    known |= {"ARG", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} <= known
    assert instructions()[0][0] == "FROM"


def test_what_is_copied_from_the_project_exists() -> None:
    copies = [shlex.split(value) for name, value in instructions() if name == "COPY"]
    sources = [path for words in copies if "--from" not in words[0] for path in words[:-1]]
    assert {"pyproject.toml", "src"} <= set(sources)
    assert all((_ROOT / path).exists() for path in sources)


def test_the_container_runs_as_no_root_and_starts_the_service_with_flags_that_exist() -> None:
    user = last("USER").split(":")[0]
    assert int(user) > 0
    assert json.loads(last("ENTRYPOINT")) == ["resnext", "serve"]
    given = arguments(json.loads(last("CMD")))
    assert given.host == "0.0.0.0"
    assert given.port == int(last("EXPOSE"))


@pytest.mark.parametrize("where", ["health check", "startup", "liveness", "readiness"])
def test_probes_ask_an_address_that_the_service_has_on_the_port_it_listens_on(where: str) -> None:
    if where == "health check":
        found = re.search(r"http://127.0.0.1:(\d+)(/\w+)", last("HEALTHCHECK"))
        assert found
        port, path = int(found[1]), found[2]
    else:
        probe = container()[f"{where}Probe"]["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
        port, path = ports[probe["port"]], probe["path"]
    assert port == arguments(container()["args"]).port
    with made_client(api_key="a-key-of-more-than-16") as client:
        assert client.get(path).status_code == 200


def test_the_pod_ends_later_than_the_service_needs() -> None:
    given = arguments(container()["args"])
    assert pod()["terminationGracePeriodSeconds"] > (given.drain_s or 0) + given.shutdown_timeout_s
    assert given.threads == int(container()["resources"]["limits"]["cpu"])


def test_the_pod_has_no_rights_that_it_does_not_need() -> None:
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert str(pod()["securityContext"]["runAsUser"]) == last("USER").split(":")[0]
    assert pod()["automountServiceAccountToken"] is False
    rights = container()["securityContext"]
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert set(container()["resources"]["limits"]) == {"cpu", "memory"}


def test_parts_of_the_manifest_find_each_other() -> None:
    assert {(part["apiVersion"], part["kind"]) for part in _MANIFEST} == {
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        ("policy/v1", "PodDisruptionBudget"),
    }
    deployment, service = by_kind("Deployment")["spec"], by_kind("Service")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert service["selector"].items() <= labels.items()
    assert (
        by_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    )
    assert service["ports"][0]["targetPort"] in {port["name"] for port in container()["ports"]}
    volumes = {volume["name"] for volume in pod()["volumes"]}
    assert {mount["name"] for mount in container()["volumeMounts"]} == volumes


def test_the_key_reaches_the_service_by_the_variable_that_it_reads() -> None:
    from resnext.serving.key import VARIABLE

    assert [variable["name"] for variable in container()["env"]] == [VARIABLE]
