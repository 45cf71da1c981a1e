"""What a hostile caller of the page gets: nothing, and the same nothing whatever the disk holds."""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nonempty import nonempty

pytest.importorskip("gradio", reason="the extra `serve` is not installed")

from fastapi import FastAPI
from served_page import API, IMAGE, Asked, exported, file_data, mounted, served_page
from starlette.testclient import TestClient

from resnext.page import build_page, mount_page
from resnext.serving.app import create_app
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.service import Service

SECRET = "the planted secret"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
BROWSER = {
    ("GET", "/page/"),
    ("HEAD", "/page/"),
    ("GET", "/page/theme.css"),
    ("HEAD", "/page/theme.css"),
}
"""What reaches gradio of a walk along its addresses, without a right path or body."""

TEXTS = {("textbox", False), ("dropdown", None), ("dropdown", False)}

_opened: list[str] = []
_forbidden: set[str] = set()


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note and prevent that a planted file is opened: some would block us for ever."""
    if _forbidden and event in ("open", "os.listdir", "os.scandir", "shutil.copyfile"):
        for name in arguments[:2]:
            if isinstance(name, str | bytes | os.PathLike) and os.fsdecode(name) in _forbidden:
                _opened.append(os.fsdecode(name))
                raise PermissionError(os.fsdecode(name))


sys.addaudithook(_watch)


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[list[str]]:
    """Plant files that must never be opened, and name one that does not exist."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "secret.png").write_text(SECRET)
    (folder / "link.png").symlink_to(folder / "secret.png")
    os.mkfifo(folder / "pipe.png")
    there = [str(folder / name) for name in ("secret.png", "link.png", "pipe.png")]
    _forbidden.update(there, ["/dev/zero", "/etc/passwd"])
    _opened.clear()
    yield [*there, "/dev/zero", "/etc/passwd", str(folder / "missing.png")]
    _forbidden.clear()
    assert _opened == []


def hostile_forms(path: str) -> list[Any]:
    """Return a path in the forms in which gradio accepts a file, and in some that it may not."""
    data = file_data(path)
    return [
        data,
        [data],
        [[data]],
        {"value": data},
        {"a": [{"b": data}]},
        file_data(path, url=f"file://{path}", orig_name=path, is_stream=True),
        file_data(path, is_stream=False, size=1, mime_type="image/png"),
        file_data(f"file://{path}"),
        file_data("x.png", url=f"{API}/file={path}"),
        {"path": path},
        [{"path": path}],
        {"name": path, "is_file": True, "data": None},
        path,
        [path],
        f"{path}\0",
        {"__type__": "update", "value": data},
    ]


@pytest.mark.slow
def test_no_value_of_any_function_is_a_file_of_the_server(
    asked: Asked, planted: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    tried: set[tuple[str, Any]] = set()
    num_asked = 0
    for number, function in asked.page.fns.items():
        values = [None if one.get_block_name() == "file" else one.value for one in function.inputs]
        for index, block in enumerate(function.inputs):
            kind = (block.get_block_name(), getattr(block, "multiselect", False))
            every_form = zip(*map(hostile_forms, planted), strict=True)
            for forms in every_form if kind not in tried else itertools.islice(every_form, 1):
                answers = set()
                for form in forms:
                    data = [*values[:index], form, *values[index + 1 :]]
                    answer = asked.join(number, data, f"s{num_asked}")
                    num_asked += 1
                    answers.add((answer.status_code, answer.text))
                is_taken = isinstance(forms[0], str) and kind in TEXTS and "\0" not in forms[0]
                is_taken |= kind == ("dropdown", True) and forms[0] == [planted[0]]
                if not is_taken:  # a text is a text, whatever it names
                    assert len(answers) == 1, (block.elem_id, forms[0])
                    assert answers.pop()[0] == 400, (block.elem_id, forms[0])
            tried.add(kind)
    assert len(tried) == 7
    assert num_asked > 500
    assert "Traceback" not in capfd.readouterr().err


def test_the_attack_by_the_queue_ends_at_the_guard(asked: Asked, planted: list[str]) -> None:
    classify = asked.function(2, "file")
    texts = set()
    for path in [*planted, "http://127.0.0.1:9/x.png", "data:image/png;base64,AAAA", "x" * 32]:
        answer = asked.join(classify, [[file_data(path)], "none"])
        assert answer.status_code == 400
        texts.add(answer.text)
    assert len(texts) == 1
    stream = asked.client.get(f"{API}/queue/data", params={"session_hash": "s1"})
    assert stream.status_code == 404  # nothing was ever queued


def _addresses(routes: list[Any]) -> set[tuple[str, tuple[str, ...]]]:
    """Return the addresses of an application with their parameters, routers within it included."""
    found = set()
    for route in routes:
        within = getattr(route, "original_router", None)
        if within is not None:
            found |= _addresses(within.routes)
        elif hasattr(route, "path_format"):
            found.add((route.path_format, tuple(route.param_convertors)))
    return found


def _filled(address: str, parameters: tuple[str, ...], value: str) -> str:
    for parameter in parameters:
        address = address.replace(f"{{{parameter}}}", value)
    return f"/page{address}"


@pytest.mark.slow
def test_no_address_of_gradio_shows_a_file_or_whether_it_exists(
    asked: Asked, planted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = set()
    gradio = asked.guard._gradio

    async def recorded(scope: Any, receive: Any, send: Any) -> None:
        reached.add((scope["method"], scope["path"]))
        await gradio(scope, receive, send)

    monkeypatch.setattr(asked.guard, "_gradio", recorded)
    body = json.dumps(
        dict.fromkeys(("session_hash", "event_id", "hash", "code", "prompt"), planted[0])
        | {"data": [file_data(planted[0])], "fn_index": 0, "component_id": 1, "fn_name": "x"}
    )
    addresses = _addresses(asked.gradio.routes)
    assert len(addresses) > 70
    assert {f"/gradio_api/{one}" for one in ("queue/join", "file={path_or_url}")} < {
        address for address, _ in addresses
    }
    encodings: tuple[Callable[[str], str], ...] = (str, lambda path: path.replace("/", "%2F"))
    for (address, parameters), encode in itertools.product(sorted(addresses), encodings):
        if encode is not str and not parameters:
            continue
        for method in METHODS:
            answers = set()
            for path in planted:
                query = {"path": path, "deep_link": path, "page": path, "session_hash": path}
                answer = asked.client.request(
                    method,
                    _filled(address, parameters, encode(path)),
                    params=query,
                    content=None if method == "GET" else body,
                )
                assert SECRET not in answer.text
                answers.add((answer.status_code, answer.text))
            assert len(answers) == 1, (method, address, answers)
    assert reached == BROWSER


HOSTILE_PATHS = [
    "/page/gradio_api/file=/etc/passwd",
    "/page//gradio_api/file=/etc/passwd",
    "/page/gradio_api//file=/etc/passwd",
    "/page/gradio_api/file/etc/passwd",
    "/page/gradio_api/file=http://127.0.0.1:9/",
    "/page/gradio_api/proxy=http://127.0.0.1:9/",
    "/page/gradio_api/file=../../../etc/passwd",
    "/page/gradio_api/file=\0",
    "/page/assets/../../../../etc/passwd",
    "/page/assets//etc/passwd",
    "/page/assets/.hidden",
    "/page/assets/%2e%2e/x",
    "/page/assets/a\\..\\b",
    "/page/static/js/../../index.html",
    "/page/theme.css/",
    "/page//theme.css",
    "/page/./theme.css",
    "/page/THEME.CSS",
    "/page/gradio_api/theme.css",
    "/page/gradio_api/queue/join/",
    "/page/gradio_api/queue/join",
    "/page/gradio_api/run/predict",
    "/page/gradio_api/call/predict",
    "/page/gradio_api/component_server",
    "/page/gradio_api/heartbeat/s1",
    "/page/gradio_api/startup-events",
    "/page/config",
    "/page/login",
    "/page/gradio_api/vibe-code",
    "/page/gradio_api/mcp/sse",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_path_that_the_page_does_not_use_is_not_found(asked: Asked, path: str) -> None:
    status: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    async def ask() -> None:
        headers = [(b"host", b"127.0.0.1"), (b"range", b"bytes=0-1")]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
        scope |= {"headers": headers, "query_string": b"", "root_path": "", "scheme": "http"}
        scope |= {"http_version": "1.1", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 9)}
        await asked.client.app(scope, receive, send)

    assert asked.client.portal is not None
    asked.client.portal.call(ask)
    assert status in ([404], [405])


def test_a_websocket_is_refused(asked: Asked) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), asked.client.websocket_connect(f"{API}/queue/join"):
        pass


def test_what_the_page_needs_is_there(asked: Asked) -> None:
    asset = next(
        iter(Path(sys.modules["gradio"].__file__ or "").parent.rglob("assets/Blocks-*.js"))
    )
    for path in ("", "theme.css", f"assets/{asset.name}", "static/img/logo.svg"):
        assert asked.client.get(f"/page/{path}").status_code == 200, path


def test_an_upload_is_classified_and_given_back_as_a_file_to_save(asked: Asked) -> None:
    name, other = asked.upload(IMAGE, IMAGE)
    assert name != other
    classify = asked.function(2, "file")
    known = file_data(name, url="http://elsewhere/x", orig_name="../../a.png", size=1)
    assert asked.join(classify, [[known], "none"]).status_code == 200
    (html,) = asked.result()
    assert "red" in html
    assert "<figcaption>../../a.png</figcaption>" in html
    answer = asked.client.get(f"{API}/file={name}")
    assert answer.content == IMAGE
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("field", ["files", "images"])
def test_what_is_no_image_is_told_and_never_served_as_a_page(asked: Asked, field: str) -> None:
    page = ("a.html", b"<script>1</script>", "text/html")
    (name,) = asked.client.post(f"{API}/upload", files={field: page}).json()
    assert asked.join(asked.function(2, "file"), [[file_data(name)], "none"]).status_code == 200
    assert "Image 1:" in asked.result()[0]
    answer = asked.client.get(f"{API}/file={name}")
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_uploads_are_bounded(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnext.page.guard.MAX_UPLOAD_BYTES", 5000)
    monkeypatch.setattr("resnext.page.guard.MAX_IMAGE_BYTES", 2000)
    num_kept = len(asked.page.uploads._sizes)
    many = [("files", ("a.png", b"x")) for _ in range(65)]
    sent: list[tuple[dict[str, Any], int]] = [
        ({"files": [("files", ("a.png", b"x" * 5001))]}, 413),
        ({"files": [("files", ("a.png", b"x" * 2001))]}, 413),
        ({"files": [("other", ("a.png", b"x"))]}, 422),
        ({"content": b"x"}, 415),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400),
    ]
    for content, status in sent:
        assert asked.client.post(f"{API}/upload", **content).status_code == status
    monkeypatch.setattr("resnext.page.guard.MAX_UPLOAD_BYTES", 50_000)
    assert asked.client.post(f"{API}/upload", files=many).status_code == 413
    assert len(asked.page.uploads._sizes) == num_kept


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere"},
        {"X-Gradio-Server": "http://[", "X-Forwarded-Host": "[", "X-Forwarded-Proto": "x"},
        {"X-Forwarded-Host": "a/../b"},
        {"Cookie": "access-token=1", "Authorization": "Basic x"},
        {"If-None-Match": "x", "Range": "bytes=" + "0-1," * 1000},
    ],
)
def test_headers_of_the_caller_s_own_change_nothing(asked: Asked, headers: dict[str, str]) -> None:
    plain = asked.client.get("/page/")
    answer = asked.client.get("/page/", headers=headers)
    assert answer.status_code == 200
    assert answer.text == plain.text
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("host", ["[", "a b", "a/b", "x" * 300, "[::1", "a:b", "é"])
def test_a_host_that_is_none_is_refused(asked: Asked, host: str) -> None:
    answer = asked.client.get("/page/", headers={b"Host": host.encode()})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["example.org", "example.org:8080", "127.0.0.1:1", "[::1]:8000"])
def test_a_proxy_may_say_what_the_browser_asked_for(asked: Asked, host: str) -> None:
    forwarded = {"X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
    assert f"https://{host}/page" in asked.client.get("/page/", headers=forwarded).text
    assert asked.client.get("/page/", headers={"Host": host}).status_code == 200


def test_the_application_of_the_service_is_guarded_too(tmp_path: Path, planted: list[str]) -> None:
    service = Service(lambda: ServedModel(exported(), "colours"), Limits())

    async def create() -> tuple[FastAPI, Any]:
        page = build_page(model=exported(), runs=tmp_path)
        return create_app(service, mount_page=partial(mount_page, page=page)), page

    app, page = asyncio.run(create())
    with TestClient(app) as client:
        asked = Asked(client, app, page)
        answer = asked.join(asked.function(2, "file"), [[file_data(planted[0])], "none"])
        assert answer.status_code == 400
        answer = client.get(f"{API}/file={planted[0]}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
        assert client.get("/page/").status_code == 200


@pytest.mark.slow
def test_two_pages_do_not_share_their_uploads() -> None:
    app = FastAPI()
    for letter in "ab":
        mounted(app, None, f"/{letter}")
    with TestClient(app) as client:
        (name,) = client.post("/a/gradio_api/upload", files={"files": ("a.png", IMAGE)}).json()
        for letter, status in (("a", 200), ("b", 404)):
            assert client.get(f"/{letter}/gradio_api/file={name}").status_code == status


@pytest.mark.slow
def test_uploads_end_with_the_application(tmp_path: Path) -> None:
    with served_page(tmp_path) as asked:
        path = asked.page.uploads.path_of(asked.upload(IMAGE)[0])
        assert path.is_file()
    assert not path.parent.exists()


@pytest.mark.slow
def test_without_the_guard_no_file_is_taken_either(asked: Asked, planted: list[str]) -> None:
    import gradio

    (name,) = asked.upload(IMAGE)
    for block in nonempty(asked.page.blocks.values()):
        take = block.async_move_resource_to_block_cache
        assert asyncio.run(take(name)) == name
        for path in itertools.chain(planted, ["http://127.0.0.1:9/x"]):
            with pytest.raises(gradio.Error, match="no such upload"):
                asyncio.run(take(path))
