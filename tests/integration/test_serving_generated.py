"""A few hundred generated requests give no 5xx and do not end the service."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from bench.serving_generated import attack, make_image, make_request, mutate
from nonempty import nonempty
from serving_process import ServiceProcess, write_colours

pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    path = write_colours(tmp_path_factory.mktemp("served") / "colours.onnx")
    with ServiceProcess(path, "--threads", "1") as process:
        yield process
        assert process.end() == 0


def test_mutated_images_bodies_and_odd_requests_do_no_harm(service: ServiceProcess) -> None:
    told = attack(service.url, range(600))
    assert told["wrong"] == []
    assert told["alive"]
    statuses = told["statuses"]
    assert isinstance(statuses, dict)
    assert {200, 400, 404, 405, 413, 415, 422} >= set(statuses) - {429}
    assert statuses[200] > 50  # some are whole: the generator reaches the network too
    assert statuses[400] > 50
    assert '"level": "error"' not in service.log


def test_requests_are_the_same_each_time_and_different_from_each_other() -> None:
    assert make_request(7) == make_request(7)
    assert len({make_request(number).body for number in range(0, 60, 3)}) == 20


def test_mutations_change_images() -> None:
    rng = random.Random(0)
    image = make_image(rng)
    changed = [mutate(image, rng) for _ in range(100)]
    assert 1 <= changed.count(image) < 30


@pytest.mark.slow
def test_schemathesis_finds_no_answer_that_the_description_does_not_allow(
    service: ServiceProcess,
) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error

    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    chosen = settings(
        max_examples=60,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    for operation in nonempty(schema.get_all_operations()):
        strategy = operation.ok().as_strategy()

        @chosen
        @given(case=strategy)
        def ask(case: schemathesis.Case) -> None:
            answer = case.call()
            case.validate_response(answer, checks=[not_a_server_error])
            stated = {int(code) for code in case.operation.definition.raw["responses"]}
            assert answer.status_code in stated, answer.text

        ask()
