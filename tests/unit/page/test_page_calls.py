"""Calls as nobody's browser makes them: one short answer each, and no trace in the log."""

import json
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra `serve` is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served_page import API, Asked

from resnext.page.calls import (
    MAX_CALL_BYTES,
    MAX_FILE_NAME_CHARS,
    MAX_TEXT_CHARS,
    CallError,
    read_call,
)

REPORT = 6  # the function with one input, a text
BODIES = [
    b"",
    b"null",
    b"[]",
    b"0",
    b'"x"',
    b"\xff\xfe",
    b"{" * 200_000,
    b"[" * 200_000,
    b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    b'{"data": [' + b"9" * 5000 + b'], "fn_index": 0, "session_hash": "s"}',
    b'{"fn_index": NaN, "data": [], "session_hash": "s"}',
    b'{"fn_index": 1e999, "data": [], "session_hash": "s"}',
    b'{"fn_index": 0, "data": {}, "session_hash": "s"}',
    b'{"fn_index": 0, "session_hash": "s"}',
    b'{"fn_index": 0, "data": [], "session_hash": "s", "data": [1]}',
]
NUMBERS = [-1, 99, 10**30, 0.0, "0", True, None, [], {}]
SESSIONS = [None, "", "x" * 65, "a/b", "../x", "é", "a\0", 1, ["s"], {"s": 1}]
VALUES = [
    {},
    {"x": 1},
    [[]],
    ["a", ["b"]],
    ["x"] * 65,
    True,
    1,
    1e400,
    10**400,
    "x" * (MAX_TEXT_CHARS + 1),
    "\ud800",
    "a\0b",
    "a\nb",
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_call_is_refused_in_one_line(
    asked: Asked, body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = asked.client.post(f"{API}/queue/join", content=body)
    assert answer.status_code in (400, 413)
    assert len(answer.text) < 300
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("number", NUMBERS)
def test_a_function_that_the_page_has_not_is_refused(asked: Asked, number: Any) -> None:
    answer = asked.join(number, [])
    assert (answer.status_code, answer.json()["detail"][:8]) == (400, "fn_index")


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_has_a_plain_name(asked: Asked, session: Any) -> None:
    assert asked.join(REPORT, [None], session).status_code == 400
    answer = asked.client.get(f"{API}/queue/data", params={"session_hash": session or "/"})
    assert answer.status_code in (400, 404)


@pytest.mark.slow
@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_its_control_cannot_hold_is_refused(
    asked: Asked, value: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    for number, function in asked.page.fns.items():
        values = [None if one.get_block_name() == "file" else one.value for one in function.inputs]
        for index, block in enumerate(function.inputs):
            fits = type(value) is int and abs(value) < 100 and block.get_block_name() == "number"
            fits |= value is True and block.get_block_name() == "checkbox"
            data = [*values[:index], value, *values[index + 1 :]]
            if not fits:
                assert asked.join(number, data).status_code == 400, block.elem_id
    assert "Traceback" not in capfd.readouterr().err


def test_a_call_has_as_many_values_as_its_function(asked: Asked) -> None:
    for data in ([], ["first", "x"], [None] * 50):
        assert asked.join(REPORT, data).status_code == 400


def test_a_call_that_is_too_large_is_refused(asked: Asked) -> None:
    answer = asked.client.post(f"{API}/queue/join", content=b" " * (MAX_CALL_BYTES + 1))
    assert answer.status_code == 413


def test_gradio_reads_only_what_was_checked(asked: Asked) -> None:
    extras = {"event_id": "x", "batched": True, "simple_format": True, "oauth_token": "t"}
    body = {"fn_index": REPORT, "data": ["first"], "session_hash": "s", "trigger_id": 1}
    body |= {"event_data": {"path": "/etc/passwd"}, **extras}
    call = read_call(json.dumps(body).encode(), asked.page, asked.page.uploads)
    assert json.loads(call.body) == {"fn_index": REPORT, "data": ["first"], "session_hash": "s"}


@pytest.mark.parametrize(
    ("file_name", "kept"),
    [
        ("a photo of \u00e9.png", True),
        ("../../etc/passwd", True),  # a text to show; no path
        ("x" * MAX_FILE_NAME_CHARS, True),
        ("x" * (MAX_FILE_NAME_CHARS + 1), False),
        ("a\nb.png", False),
        ("\ud800.png", False),
        (None, False),
        (1, False),
        ({"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, False),
        (["a.png"], False),
    ],
)
def test_of_an_upload_only_its_name_and_that_of_the_callers_file_pass(
    asked: Asked, file_name: Any, kept: bool
) -> None:
    classify = asked.function(2, "file")
    path = asked.page.uploads.keep(b"x")
    file = {
        "path": path,
        "orig_name": file_name,
        "url": "/etc/passwd",
        "size": 1,
        "is_stream": True,
    }
    body = {"fn_index": classify, "data": [[file], "none"], "session_hash": "s"}
    call = read_call(json.dumps(body).encode(), asked.page, asked.page.uploads)
    shown = {"orig_name": file_name} if kept else {}
    expected = {"path": path, **shown, "meta": {"_type": "gradio.FileData"}}
    assert json.loads(call.body)["data"] == [[expected], "none"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "fn_index": st.integers(-1, 9) | JSON,
            "data": st.lists(JSON, max_size=3) | JSON,
            "session_hash": st.just("s") | JSON,
        },
    )
)
def test_whatever_is_sent_is_read_or_refused(asked: Asked, body: Any) -> None:
    try:
        call = read_call(json.dumps(body).encode(), asked.page, asked.page.uploads)
    except CallError:
        return
    assert json.loads(call.body) == body


def test_a_run_that_is_not_there_is_told_without_a_trace(
    asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    compare, report = REPORT - 1, REPORT
    for number, value in ((compare, ["no such run", "../first"]), (report, "<i>no such run</i>")):
        assert asked.join(number, [value], f"r{number}").status_code == 200
        (html,) = asked.result(f"r{number}")
        assert "no such run" in html
        assert "<i>" not in html
    assert "Traceback" not in capfd.readouterr().err
