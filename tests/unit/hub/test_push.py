"""`push_to_hub` sends one commit of the files of `save_pretrained`, and explains refusals.

The Hub is a stand-in here; over a connection it is tested in tests/integration/test_hub.py.
"""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from hub_networks import CIFAR, made_run, random_network
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from resnext.errors import ConfigError, PublishError
from resnext.hub.push import push_to_hub


@dataclass
class FakeHub:
    """Notes what it is asked for, and fails where told to.

    Attributes:
        present: Files that the repository has.
        calls: Name and arguments of every call.
        error: Raised by `create_repo`.
    """

    present: list[str] = field(default_factory=list)
    calls: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None

    def __call__(self, **options: Any) -> "FakeHub":
        self.calls["api"] = options
        return self

    def create_repo(self, repository: str, **options: Any) -> None:
        if self.error is not None:
            raise self.error
        self.calls["create_repo"] = (repository, options)

    def create_branch(self, repository: str, **options: Any) -> None:
        self.calls["create_branch"] = (repository, options)

    def list_repo_files(self, *_: Any, **__: Any) -> list[str]:
        return self.present

    def create_commit(self, repository: str, operations: Any, **options: Any) -> Any:
        self.calls["create_commit"] = (repository, options)
        kinds = ((type(step).__name__, step.path_in_repo) for step in operations)
        self.calls["operations"] = sorted(kinds)
        return SimpleNamespace(commit_url="https://hub/commit/1")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub()
    monkeypatch.setattr(huggingface_hub, "HfApi", fake)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "token")
    return fake


def test_all_files_go_in_one_commit(hub: FakeHub, tmp_path: Path) -> None:
    address = push_to_hub(made_run(tmp_path / "run"), "me/it", private=True, message="First")
    assert address == "https://hub/commit/1"
    assert hub.calls["create_repo"] == ("me/it", {"private": True, "exist_ok": True})
    assert "create_branch" not in hub.calls
    names = ["README.md", "config.json", "config.yaml", "curves.png", "model.safetensors"]
    assert hub.calls["operations"] == [("CommitOperationAdd", name) for name in names]
    assert hub.calls["create_commit"][1]["commit_message"] == "First"


def test_what_an_earlier_network_had_goes_and_other_files_stay(hub: FakeHub) -> None:
    hub.present = [".gitattributes", "curves.png", "config.yaml", "model.safetensors", "mine.txt"]
    push_to_hub(random_network(CIFAR), "me/it")
    deleted = [name for kind, name in hub.calls["operations"] if kind == "CommitOperationDelete"]
    assert deleted == ["config.yaml", "curves.png"]


def test_a_revision_is_a_branch_that_is_made_if_need_be(hub: FakeHub) -> None:
    push_to_hub(random_network(CIFAR), "me/it", revision="second", token="mine")
    assert hub.calls["api"]["token"] == "mine"
    assert hub.calls["create_branch"] == ("me/it", {"branch": "second", "exist_ok": True})
    assert hub.calls["create_commit"][1]["revision"] == "second"


def test_without_a_token_nothing_is_tried(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(PublishError, match="hf auth login"):
        push_to_hub(random_network(CIFAR), "me/it")
    assert hub.calls == {}


@pytest.mark.parametrize("repository", ["it", "me/it/too", "me/", "https://hub/me/it"])
def test_a_name_of_another_form_is_refused(repository: str, hub: FakeHub) -> None:
    with pytest.raises(ConfigError, match="OWNER/NAME"):
        push_to_hub(random_network(CIFAR), repository)
    assert hub.calls == {}


class RefusedError(HfHubHTTPError):
    """What the Hub's client raises for a status, whichever version of it is installed."""

    def __init__(self, status: int) -> None:
        Exception.__init__(self, "Refused for a reason\nand more lines")
        self.response = SimpleNamespace(status_code=status)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RefusedError(401), "does not accept this token.*hf auth login"),
        (RefusedError(403), "no write access there"),
        (RefusedError(500), r"refused it \(Refused for a reason\)"),
        (OfflineModeIsEnabled("offline"), "HF_HUB_OFFLINE"),
        (ConnectionError("no route"), r"cannot be reached \(no route\).*--to FOLDER"),
    ],
)
def test_a_refusal_says_what_to_do(error: Exception, message: str, hub: FakeHub) -> None:
    hub.error = error
    with pytest.raises(PublishError, match=message):
        push_to_hub(random_network(CIFAR), "me/it")
