import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from made_service import Gate, form_of, image_bytes, made_client, made_model

from resnext.errors import CheckpointError
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.service import Service


class Opener:
    """Opens what the test puts there next."""

    def __init__(self, model: ServedModel) -> None:
        self.next: Callable[[], ServedModel] = lambda: model

    def __call__(self) -> ServedModel:
        return self.next()


def test_requests_in_progress_end_with_the_network_they_began_with() -> None:
    gate = Gate()
    opener = Opener(made_model(gate, "old"))
    service = Service(opener, Limits())
    with made_client(service) as client, ThreadPoolExecutor(2) as pool:
        early = pool.submit(client.post, "/v1/predict", files=form_of(image_bytes()))
        assert gate.entered.acquire(timeout=30)
        opener.next = lambda: made_model(name="new")
        assert service.reload()
        late = pool.submit(client.post, "/v1/predict", files=form_of(image_bytes()))
        gate.open.set()
        assert early.result().json()["model"] == "old"
        assert late.result().json()["model"] == "new"
        assert client.get("/v1/model").json()["name"] == "new"
        assert 'resnext_model_info{model="new"} 1.0' in client.get("/metrics").text


def damaged() -> ServedModel:
    raise CheckpointError("the file is torn")


def wrong() -> ServedModel:
    return made_model(lambda batch: np.full((len(batch), 3), np.inf))


def buggy() -> ServedModel:
    raise ZeroDivisionError("a bug of ours")


@pytest.mark.parametrize("broken", [damaged, wrong, buggy])
def test_a_broken_network_keeps_the_old_one_and_says_so(
    broken: Callable[[], ServedModel], caplog: pytest.LogCaptureFixture
) -> None:
    opener = Opener(made_model(name="old"))
    service = Service(opener, Limits())
    opener.next = broken
    with made_client(service) as client, caplog.at_level(logging.ERROR, "resnext.serving"):
        assert not service.reload()
        assert client.post("/v1/predict", files=form_of(image_bytes())).json()["model"] == "old"
        told = client.get("/v1/model").json()
        assert 'resnext_reloads_total{outcome="refused"} 1.0' in client.get("/metrics").text
        assert told["name"] == "old"
        assert told["reload_error"]
        assert told["reload_error"] in caplog.text
        opener.next = lambda: made_model(name="mended")
        assert service.reload()
        assert client.get("/v1/model").json()["reload_error"] == ""


def test_a_broken_network_is_not_served_in_the_first_place() -> None:
    with pytest.raises(CheckpointError, match="torn"):
        Service(damaged, Limits())


def test_readiness_is_denied_while_draining_and_connections_are_closed() -> None:
    service = Service(Opener(made_model()), Limits())
    with made_client(service) as client:
        assert "Connection" not in client.get("/readyz").headers
        service.drain()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "draining"
        assert client.get("/healthz").status_code == 200
        late = client.post("/v1/predict", files=form_of(image_bytes()))
        assert late.status_code == 200  # it was accepted, so it is answered
        assert late.headers["Connection"] == "close"
