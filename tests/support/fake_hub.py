"""A stand-in for the Hugging Face Hub: the part of its HTTP interface that publishing uses.

It keeps the branches of its repositories in memory. The client is the real huggingface_hub,
pointed here by HF_ENDPOINT. Files are sent inside the commit, as the Hub does for small ones.

Source: https://huggingface.co/docs/hub/api and what the client asks for.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Branches = dict[str, dict[str, bytes]]


class FakeHub(ThreadingHTTPServer):
    """The server; `repositories` maps OWNER/NAME to branches of files."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Branches] = {}
        self.messages: list[str] = []
        self.visibility: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def run_hub() -> Iterator[FakeHub]:
    """Serve until the block ends."""
    hub = FakeHub()
    thread = Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""

    def do_HEAD(self) -> None:
        self._send_file(with_content=False)

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] != "api":
            self._send_file(with_content=True)
            return
        if "/".join(parts[2:4]) not in self.server.repositories:
            self._answer({}, status=404, headers={"X-Error-Code": "RepoNotFound"})
            return
        if len(parts) == 4:
            self._answer({"id": "/".join(parts[2:4]), "siblings": []})
            return
        files = self._branch("/".join(parts[2:4]), parts[5])
        self._answer(
            [
                {"type": "file", "path": path, "size": len(content), "oid": _digest(content)}
                for path, content in files.items()
            ]
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[1] == "validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif self.headers.get("Authorization") == "Bearer reader":
            self._answer({"error": "read only"}, status=403)
        elif self.headers.get("Authorization") != "Bearer writer":
            self._answer({"error": "Invalid user"}, status=401)
        elif parts[1] == "repos":
            self._create(json.loads(body))
        else:
            self._change("/".join(parts[2:4]), parts[4], parts[5], body)

    def _create(self, asked: dict[str, Any]) -> None:
        repository = f"{asked['organization']}/{asked['name']}"
        exists = repository in self.server.repositories
        self.server.repositories.setdefault(repository, {"main": {".gitattributes": b"*"}})
        wanted = "private" if asked.get("private") else asked.get("visibility", "public")
        self.server.visibility.setdefault(repository, wanted)
        url = f"{self.server.address}/{repository}"
        self._answer({"url": url, "id": repository}, status=409 if exists else 200)

    def _change(self, repository: str, action: str, revision: str, body: bytes) -> None:
        branches = self.server.repositories[repository]
        if action == "branch":
            exists = revision in branches
            branches.setdefault(revision, dict(branches["main"]))
            self._answer({}, status=409 if exists else 200)
        elif action == "preupload":
            names = [file["path"] for file in json.loads(body)["files"]]
            plain = {"uploadMode": "regular", "shouldIgnore": False}
            self._answer({"files": [{"path": name, **plain} for name in names]})
        elif action == "commit":
            for step in map(json.loads, body.splitlines()):
                self._apply(branches[revision], step["key"], step["value"])
            url = f"{self.server.address}/{repository}/commit/1"
            self._answer({"commitUrl": url, "commitOid": "0" * 40})

    def _apply(self, files: dict[str, bytes], key: str, value: dict[str, Any]) -> None:
        if key == "header":
            self.server.messages.append(value["summary"])
        elif key == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        else:
            assert key == "deletedFile"
            del files[value["path"]]

    def _send_file(self, *, with_content: bool) -> None:
        owner, name, _, revision, path = self.path.partition("?")[0].strip("/").split("/", 4)
        files = self._branch(f"{owner}/{name}", revision)
        if path not in files:
            self._answer({}, status=404, headers={"X-Error-Code": "EntryNotFound"})
            return
        content = files[path]
        headers = {"ETag": f'"{_digest(content)}"', "X-Repo-Commit": _commit(revision, files)}
        self._answer(content, headers=headers, with_content=with_content)

    def _branch(self, repository: str, revision: str) -> dict[str, bytes]:
        branches = self.server.repositories.get(repository, {})
        by_commit = {_commit(name, files): files for name, files in branches.items()}
        return branches.get(revision) or by_commit.get(revision) or {}

    def _answer(
        self,
        content: Any,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        with_content: bool = True,
    ) -> None:
        is_file = isinstance(content, bytes)
        payload = content if is_file else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        kind = "application/octet-stream" if is_file else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if with_content and self.command != "HEAD":
            self.wfile.write(payload)


def _commit(revision: str, files: dict[str, bytes]) -> str:
    """Return the identifier of a branch's state."""
    listed = "".join(f"{path} {_digest(content)}\n" for path, content in sorted(files.items()))
    return hashlib.sha1(f"{revision}\n{listed}".encode()).hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
