"""`resnext weights`: the catalogue listed, told, fetched and verified."""

import json
from pathlib import Path

import pytest
import torch
from command import Command

from resnext.model.create import create_model
from resnext.weights.catalogue import entries, find_entry
from resnext.weights.fetch import cached_file


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def out(argv: list[str], command: Command) -> str:
    return command.prints("weights", *argv)


def test_the_list_has_every_entry_and_words_narrow_it(command: Command) -> None:
    assert len(json.loads(out(["list", "--json"], command))) == len(entries())
    found = json.loads(out(["list", "cifar10", "--filter", "resnext29_16x64d", "--json"], command))
    assert {entry["network"] for entry in found} == {"resnext29_16x64d"}
    shown = out(["list", "resnext50", "nc"], command)
    assert "resnext50_32x4d.fb_ssl_yfcc100m_ft_in1k" in shown
    assert "non-commercial" in shown


def test_info_tells_an_entrys_facts_and_where_its_file_belongs(
    command: Command,
) -> None:
    facts = json.loads(out(["info", "resnext50_32x4d.a1h_in1k", "--json"], command))
    entry = find_entry("resnext50_32x4d.a1h_in1k")
    assert facts["top1_error"] == entry.top1_error
    assert facts["place"] == str(cached_file(entry))
    assert facts["web_address"].startswith("https://huggingface.co/timm/")


def test_info_tells_what_a_file_holds(tmp_path: Path, command: Command) -> None:
    torch.save(create_model("resnet18", num_classes=5).state_dict(), tmp_path / "w.pth")
    facts = json.loads(out(["info", str(tmp_path / "w.pth"), "--json"], command))
    assert (facts["network"], facts["num_classes"]) == ("resnet18", 5)
    assert not facts["is_described"]


def test_fetch_refuses_a_non_commercial_licence_unless_accepted(command: Command) -> None:
    name = "resnext101_32x8d.fb_wsl_ig1b_ft_in1k"
    assert "--accept-licence" in command.refusal("weights", "fetch", name)


def test_fetch_prints_the_path_of_a_file_that_is_there(
    command: Command,
) -> None:
    place = cached_file(find_entry("resnet18.a1_in1k"))
    place.parent.mkdir(parents=True)
    place.touch()
    assert out(["fetch", "resnet18.a1_in1k"], command).strip() == str(place)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["info"], "takes one name"),
        (["fetch", "a", "b"], "takes one name, not 2"),
        (["info", "resnext50_32x4d.a9"], "similar names"),
        (["list", "--accept-licence"], "--accept-licence has no effect on `weights list`"),
        (["fetch", "a", "--device", "cpu"], "belongs to verify"),
        (["info", "a", "--filter", "timm"], "belongs to list"),
        (["list", "nonsense"], "no entry matches 'nonsense'"),
        (["verify", "resnet18.a1_in1k", "--data", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_one_message(argv: list[str], message: str, command: Command) -> None:
    assert message in command.refusal("weights", *argv)
