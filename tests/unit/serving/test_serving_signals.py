"""Time series and volumes over HTTP: numbers in JSON, `.npy` and `.npz` files."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from made_signal_service import SERIES, VOLUME, npy, npz, signal_client, signal_model

from resnext.data.sets.npy_bytes import array_of
from resnext.errors import DataError
from resnext.inference.arrays import ArrayPredictor
from resnext.serving.signals import MAX_JSON_VALUES

FIRST = [[3.0] * 8, [1.0] * 8]
SECOND = np.array([[0.0] * 20, [5.0] * 20], dtype=np.float32)


def _best(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["predictions"][0]["class"] for one in answer.json()["signals"]]


def test_numbers_in_json_get_their_classes_in_order() -> None:
    with signal_client() as client:
        body = {"signals": [FIRST, SECOND.tolist(), [[3.0, None, 3], [0, 0, None]]]}
        answer = client.post("/v1/predict?top=1", json=body)
    assert _best(answer) == ["first", "second", "first"]


def test_files_base64_and_a_bare_body_get_the_same_answer() -> None:
    file = npy(SECOND)
    with signal_client() as client:
        form = [("signals", ("a.npy", file)), ("files", ("b.npz", npz(x=FIRST)))]
        assert _best(client.post("/v1/predict", files=form)) == ["second", "first"]
        body = {"signals": [base64.b64encode(file).decode()]}
        assert _best(client.post("/v1/predict", json=body)) == ["second"]
        headers = {"Content-Type": "application/octet-stream"}
        assert _best(client.post("/v1/predict", content=file, headers=headers)) == ["second"]


def test_volumes_of_bytes_are_parts_of_255() -> None:
    bright = np.full((4, 4, 4), 255, np.uint8)
    with signal_client(VOLUME) as client:
        form = [("signals", ("a.npy", npy(one))) for one in (bright, 0 * bright)]
        answer = client.post("/v1/predict", files=form)
        listed = client.post("/v1/predict", json={"signals": [(bright / 255).tolist()]})
    assert _best(answer) == ["bright", "dark"]
    assert listed.json()["signals"][0] == answer.json()["signals"][0]


def test_the_model_says_what_it_takes() -> None:
    with signal_client() as client:
        told = client.get("/v1/model").json()
    assert told["signal"] == {"kind": "series", "in_channels": 2, "sides": [8]}
    assert told["limits"]["formats"] == ["npy", "npz", "json"]
    with signal_client() as client:
        assert "signals" in client.get("/openapi.json").text


@pytest.mark.parametrize(
    ("signal", "status", "code", "message"),
    [
        ([1, 2, 3], 400, "bad_signal", "takes 2 channel"),
        ([[1, 2], [3]], 400, "bad_signal", "no list of numbers for each channel"),
        ([["1", "2"], ["3", "4"]], 400, "bad_signal", "no list of numbers"),
        ([[True, False], [True, True]], 400, "bad_signal", "no list of numbers"),
        ([[True, None], [True, True]], 400, "bad_signal", "no list of numbers"),
        ([["x" * 10**6] + [""] * 10**5, []], 400, "bad_signal", "no list of numbers"),
        ([{"a": [1]}, [1]], 400, "bad_signal", "no list of numbers"),
        ([[1e400, 1], [1, 1]], 400, "bad_signal", "infinite"),
        ([[1e39, 1], [1, 1]], 400, "bad_signal", "infinite"),
        ([[10**400, 1], [1, 1]], 400, "bad_signal", "no list of numbers"),
        ([[], []], 400, "bad_signal", "accepted are"),
        ([], 400, "bad_signal", "takes 2 channel"),
        ({"a": 1}, 422, "wrong_shape", "is not of the form"),
        ("####", 422, "bad_base64", "base64"),
        ("aGVsbG8=", 400, "bad_signal", "no whole .npy or .npz file"),
    ],
)
def test_what_is_no_signal_is_named(signal: Any, status: int, code: str, message: str) -> None:
    text = json.dumps({"signals": [FIRST, signal]})
    headers = {"Content-Type": "application/json"}
    with signal_client() as client:
        answer = client.post("/v1/predict", content=text, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert message in error["message"]
    if code != "wrong_shape":
        assert error["signals"][0]["index"] == 1


def _declared(shape: str, dtype: str = "'<f4'", content: bytes = b"") -> bytes:
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


def _bomb() -> bytes:
    """An archive of 100 MB of zeros whose header promises two values."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", _declared("(2,)") + bytes(100_000_000))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_declared("(100000, 100000)"), "more than the 4,194,304 accepted"),
        (_declared("(2, 8)", content=bytes(63)), "not as long as its header says"),
        (_declared("(2, 8)", content=bytes(65)), "not as long as its header says"),
        (_declared("(-2, 8)"), "no whole .npy"),
        (_declared("(2, 8)", "'|O'", b"cos\nsystem\n(S'id'\ntR."), "something else than numbers"),
        (_declared("(2,)", "[('a', '<f4')]", bytes(8)), "no whole .npy"),
        (_declared("(2,)", "()", bytes(8)), "no whole .npy"),
        (_declared("(2,)", "'<x9'", bytes(8)), "no whole .npy"),
        (_declared("(2,)", "'<U4'", bytes(32)), "something else than numbers"),
        (_declared("(" * 90 + "2" + ")" * 90), "no whole .npy"),
        (_declared("__import__('os').getpid()"), "no whole .npy"),
        (npz(x=FIRST, y=FIRST), "holds 2 arrays"),
        (npz(), "no whole .npy"),
        (b"PK\x03\x04" + bytes(50), "no whole .npy"),
        (b"", "no whole .npy"),
        (_bomb(), "not as long as its header says"),
        (npy(FIRST)[:40], "no whole .npy"),
    ],
    ids=range(17),
)
def test_hostile_files_are_refused_before_memory_is_taken(data: bytes, message: str) -> None:
    with signal_client() as client:
        answer = client.post("/v1/predict", files=[("signals", ("a.npy", data))])
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_too_many_numbers_and_signals_are_refused_before_they_are_parsed() -> None:
    many = b'{"signals": [[' + b"0," * MAX_JSON_VALUES + b"0]]}"
    headers = {"Content-Type": "application/json"}
    with signal_client(max_images=2) as client:
        answer = client.post("/v1/predict", content=many, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_many_values")
        answer = client.post("/v1/predict", json={"signals": [FIRST] * 3})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_many_signals")
        answer = client.post("/v1/predict", json={"signals": []})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_signals")
        deep = b'{"signals": [' + b"[" * 50_000 + b"]" * 50_000 + b"]}"
        answer = client.post("/v1/predict", content=deep, headers=headers)
        assert answer.status_code in (400, 422)
        answer = client.post("/v1/predict", json={"images": [""]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "wrong_shape")


def test_mutated_files_get_an_answer_or_one_error() -> None:
    draw = np.random.default_rng(0)
    bases = [npy(FIRST), npy(SECOND), npz(x=FIRST)]
    predictor = ArrayPredictor(signal_model().exported)
    num_refused = 0
    for _ in range(600):
        data = bytearray(bases[draw.integers(len(bases))])
        for place in draw.integers(0, len(data), draw.integers(1, 5)):
            data[place] = draw.integers(256)
        del data[len(data) - draw.integers(0, 3) :]
        try:
            logits = predictor.logits([predictor.prepare(array_of(bytes(data), 1_000))])
        except DataError:
            num_refused += 1
        else:
            assert logits.shape == (1, 2)
    assert 100 < num_refused < 600


def test_a_graph_without_normalisation_gets_normalised_values() -> None:
    predictor = ArrayPredictor(signal_model(input="normalised").exported)
    gap = np.array([[4.0, 4.0], [np.nan, np.nan]])
    prepared = predictor.prepare(gap)
    # mean 1 and deviation 1 of the first channel; the second has no value, which is the mean
    np.testing.assert_allclose(predictor.logits([prepared]), [[4 * 3.0, 0.0]])


def test_a_series_of_any_length_is_resampled_as_in_training() -> None:
    predictor = ArrayPredictor(signal_model().exported)
    prepared = predictor.prepare([[0, 7], [7, 0]])
    np.testing.assert_allclose(prepared, [np.arange(8), np.arange(8)[::-1]], atol=1e-6)
    assert SERIES.size == 8
