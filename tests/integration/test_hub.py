"""What we publish opens elsewhere: in timm, in plain torch, on a Hub, through torch.hub."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from command import Answer
from fake_hub import FakeHub, run_hub
from published_network import NETWORKS, ODD, images_for, random_network
from runs import end_of, start_program

import resnext
from resnext.hub.save import save_pretrained
from resnext.model.config import ResNeXtConfig


def run_python(program: str, folder: Path, **environment: str) -> Answer:
    """Run a program in a process of its own."""
    output = folder / "printed.txt"
    status = end_of(start_program(output, folder, program, **environment))
    assert status is not None
    return Answer(status, output.read_text(), output.with_suffix(".err").read_text())


@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_timm_opens_the_folder_with_the_same_logits(config: ResNeXtConfig, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    ours = random_network(config)
    images = images_for(config)
    folder = save_pretrained(ours, tmp_path / "out")
    theirs = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    with torch.no_grad():
        logits = ours(images)
        assert logits.std() > 0.1  # not all alike
        torch.testing.assert_close(theirs(images), logits, rtol=0, atol=1e-5)


def test_timm_prepares_images_as_our_card_says(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    folder = save_pretrained(random_network(ODD), tmp_path / "out")
    card = resnext.load(folder).card
    settings = timm.data.resolve_model_data_config(timm.create_model(f"local-dir:{folder}"))
    assert settings["input_size"] == [3, 64, 64]
    assert (tuple(settings["mean"]), tuple(settings["std"])) == (card.mean, card.std)
    assert (settings["interpolation"], settings["crop_mode"]) == ("bicubic", "center")
    steps = timm.data.create_transform(**settings, is_training=False).transforms
    assert steps[0].size == card.resize_px == 72
    assert tuple(steps[1].size) == (64, 64)


def test_timm_loads_the_file_alone_into_the_network_that_it_names(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    config = NETWORKS["resnext50_32x4d"].replace(num_classes=7)
    ours, images = random_network(config), images_for(config)
    file = save_pretrained(ours, tmp_path / "out") / "model.safetensors"
    theirs = timm.create_model("resnext50_32x4d", checkpoint_path=str(file), num_classes=7).eval()
    with torch.no_grad():
        torch.testing.assert_close(theirs(images), ours(images), rtol=0, atol=1e-5)


def test_timm_gives_it_a_new_head_and_other_channels(tmp_path: Path) -> None:
    """The names of first convolution and classifier in config.json are the right ones."""
    timm = pytest.importorskip("timm")
    folder = save_pretrained(random_network(ODD), tmp_path / "out")
    adapted = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=3, in_chans=1)
    assert adapted(torch.zeros(2, 1, 64, 64)).shape == (2, 3)


def test_timm_does_not_open_what_it_would_get_wrong(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    folder = save_pretrained(random_network(ODD.replace(preactivation=True)), tmp_path / "out")
    with pytest.raises(KeyError, match="architecture"):
        timm.create_model(f"local-dir:{folder}", pretrained=True)


@pytest.mark.parametrize("name", ["resnet18", "uneven widths, separate paths"])
def test_the_examples_of_the_model_card_run(name: str, tmp_path: Path) -> None:
    pytest.importorskip("timm")
    save_pretrained(random_network(NETWORKS[name]), tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) == (3 if name == "resnet18" else 2)
    done = run_python("\n".join(examples), tmp_path)
    assert done.status == 0, done.err


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with run_hub() as server:
        yield server


def on_hub(hub: FakeHub, program: str, folder: Path) -> str:
    """Run a program for which the Hub is our stand-in, and return what it prints."""
    done = run_python(
        "from resnext.hub.push import push_to_hub\n" + program,
        folder,
        HF_ENDPOINT=hub.address,
        HF_HOME=str(folder / "hf"),
        HF_TOKEN="writer",
        HF_HUB_DISABLE_TELEMETRY="1",
        NO_PROXY="127.0.0.1",
    )
    assert done.status == 0, done.err
    return done.out.strip()


def test_a_network_goes_to_the_hub_and_comes_back(hub: FakeHub, tmp_path: Path) -> None:
    save_pretrained(random_network(ODD), tmp_path / "out")
    printed = on_hub(
        hub,
        "print(push_to_hub('out', 'me/it', private=True, message='First'))\n"
        "import torch\n"
        "from resnext.inference.load import from_pretrained\n"
        "here, there = from_pretrained('out'), from_pretrained('me/it')\n"
        "assert there.card.classes == tuple('abcdefg')\n"
        "there = there.module.state_dict()\n"
        "assert all(torch.equal(v, there[k]) for k, v in here.module.state_dict().items())\n",
        tmp_path,
    )
    assert printed == f"{hub.address}/me/it/commit/1"
    assert hub.visibility == {"me/it": "private"}
    assert hub.messages == ["First"]
    files = hub.repositories["me/it"]["main"]
    assert set(files) == {".gitattributes", "README.md", "config.json", "model.safetensors"}
    assert b'resnext.load("me/it")' in files["README.md"]
    assert b'create_model("hf-hub:me/it"' in files["README.md"]


def test_timm_opens_it_from_the_hub(hub: FakeHub, tmp_path: Path) -> None:
    pytest.importorskip("timm")
    folder = save_pretrained(random_network(ODD), tmp_path / "out")
    hub.repositories["me/it"] = {
        "main": {path.name: path.read_bytes() for path in folder.iterdir()}
    }
    on_hub(
        hub,
        "import timm, torch\nfrom safetensors.torch import load_file\n"
        "model = timm.create_model('hf-hub:me/it', pretrained=True)\n"
        "state = load_file('out/model.safetensors')\n"
        "assert all(torch.equal(state[k], v) for k, v in model.state_dict().items())\n",
        tmp_path,
    )


def test_a_push_to_a_branch_leaves_the_main_one_and_foreign_files(
    hub: FakeHub, tmp_path: Path
) -> None:
    save_pretrained(random_network(ODD), tmp_path / "out")
    old = {".gitattributes": b"*", "curves.png": b"old", "notes.txt": b"mine"}
    hub.repositories["me/it"] = {"main": dict(old)}
    on_hub(hub, "push_to_hub('out', 'me/it', revision='b')", tmp_path)
    ours = {"README.md", "config.json", "model.safetensors"}
    assert set(hub.repositories["me/it"]["b"]) == {".gitattributes", "notes.txt", *ours}
    assert hub.repositories["me/it"]["main"] == old


def test_the_hubs_refusals_are_explained(hub: FakeHub, tmp_path: Path) -> None:
    save_pretrained(random_network(ODD), tmp_path / "out")
    hub.repositories["me/there"] = {"main": {}}
    printed = on_hub(
        hub,
        "from resnext.errors import PublishError\n"
        "tries = [('stranger', 'me/it'), ('reader', 'me/it'), ('reader', 'me/there')]\n"
        "for token, repository in tries:\n"
        "    try:\n        push_to_hub('out', repository, token=token)\n"
        "    except PublishError as error:\n        print(error)\n",
        tmp_path,
    )
    stranger, reader, elsewhere = printed.splitlines()
    assert "does not accept this token" in stranger
    assert "no write access there" in reader
    assert "no write access there" in elsewhere
    assert hub.repositories == {"me/there": {"main": {}}}


def test_a_missing_connection_is_explained(tmp_path: Path) -> None:
    with run_hub() as gone:
        pass  # nobody listens at its address any more
    save_pretrained(random_network(ODD), tmp_path / "out")
    printed = on_hub(
        gone,
        "from resnext.errors import PublishError\n"
        "try:\n    push_to_hub('out', 'me/it')\n"
        "except PublishError as error:\n    print(error)\n",
        tmp_path,
    )
    assert "the Hub cannot be reached" in printed
    assert "--to FOLDER" in printed
