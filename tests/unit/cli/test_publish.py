"""`resnext publish` writes a folder, or says which flag is wrong before it loads anything."""

from pathlib import Path

import pytest
from command import Command
from made_run import make_run

import resnext
from resnext.cli.publish import main
from resnext.errors import ConfigError, ResNeXtError
from resnext.hub import push


def test_a_folder_is_written_and_opens_again(tmp_path: Path, command: Command) -> None:
    run = make_run(tmp_path / "run")
    out = tmp_path / "out"
    printed = command.prints("publish", run, "--to", out, "--licence", "MIT", "--title", "Digits")
    assert f"wrote {out}: model.safetensors, config.json, README.md, config.yaml" in printed
    assert "timm" not in printed  # it has no CIFAR stem
    assert "# Digits" in (out / "README.md").read_text(encoding="utf-8")
    assert resnext.load(out).card.licence == "MIT"


def test_json_tells_folder_files_and_timms_name(tmp_path: Path, command: Command) -> None:
    assert command.json("publish", make_run(tmp_path / "run"), "--to", tmp_path / "out") == {
        "folder": str(tmp_path / "out"),
        "files": ["model.safetensors", "config.json", "README.md", "config.yaml"],
        "timm": None,
    }


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "either --to FOLDER or --repo"),
        (["--to", "out", "--repo", "me/it"], "either --to FOLDER or --repo"),
        (["--to", "out", "--private"], "--private has no effect here; it belongs to --repo"),
        (["--to", "out", "--message", "x"], "--message has no effect here; it belongs to --repo"),
        (["--repo", "me/it", "--overwrite"], "--overwrite has no effect here; it belongs to --to"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(flags: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        main(["no-such-run", *flags])


def test_a_folder_that_is_not_empty_is_kept(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(ResNeXtError, match="is not empty"):
        main([str(run), "--to", str(run)])


def test_flags_reach_the_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    seen: dict[str, object] = {}

    def record(source: str, repository: str, **options: object) -> str:
        seen.update(options, source=source, repository=repository)
        return "https://hub/commit/1"

    monkeypatch.setattr(push, "push_to_hub", record)
    flags = ["--repo", "me/it", "--private", "--revision", "b", "--message", "m"]
    printed = command.json("publish", tmp_path, *flags)
    assert (seen["repository"], seen["private"]) == ("me/it", True)
    assert (seen["revision"], seen["message"]) == ("b", "m")
    assert printed == {"repository": "me/it", "commit": "https://hub/commit/1"}
