"""A weight file shows every change since it was written, and its header bounds what is built."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from nonempty import nonempty
from safetensors import safe_open
from safetensors.torch import save_file

from resnext.errors import CheckpointError
from resnext.inference.load import load
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights import tensor_file
from resnext.weights.own_file import save_weights
from resnext.weights.source import open_weights
from resnext.weights.tensor_file import read_any, read_tensors, write_tensors

CONFIG = ResNeXtConfig(
    stem="cifar",
    stem_width=4,
    blocks_per_stage=(1,),
    stage_widths=(8,),
    cardinality=2,
    bottleneck_width=2,
    num_classes=2,
)
CARD = ModelCard(classes=("cat", "dog"), image_size_px=8, resize_px=8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    save_weights(path, create_model(CONFIG), CONFIG, CARD)
    return path


def header_bytes(content: bytes) -> int:
    return 8 + int.from_bytes(content[:8], "little")


@pytest.mark.slow
def test_a_bit_flipped_in_any_byte_of_the_header_is_detected(file: Path) -> None:
    whole = file.read_bytes()
    rng = random.Random(0)
    for place in nonempty(range(header_bytes(whole))):
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.randrange(8)
        file.write_bytes(changed)
        with pytest.raises(CheckpointError, match=r"best\.safetensors: "):
            open_weights(file)


def test_a_bit_flipped_in_the_values_is_detected(file: Path) -> None:
    whole = file.read_bytes()
    rng = random.Random(0)
    for _ in range(200):
        changed = bytearray(whole)
        changed[rng.randrange(header_bytes(whole), len(whole))] ^= 1 << rng.randrange(8)
        file.write_bytes(changed)
        with pytest.raises(CheckpointError, match=r"is damaged: .*checksum differs\); copy or"):
            open_weights(file)


def test_a_file_of_before_has_no_checksum_and_loads(tmp_path: Path) -> None:
    model = create_model(CONFIG)
    texts = {"config": CONFIG.model_dump_json(), "card": CARD.model_dump_json()}
    path = tmp_path / "best.safetensors"
    save_file(model.state_dict(), path, {"format": "resnext-weights-1", **texts})
    assert load(path).card == CARD
    assert not read_tensors(path).has_checksum


def test_a_file_without_the_checksum_that_its_format_has_is_refused(tmp_path: Path) -> None:
    texts = {"config": CONFIG.model_dump_json(), "card": CARD.model_dump_json()}
    path = tmp_path / "best.safetensors"
    save_file(create_model(CONFIG).state_dict(), path, {"format": "resnext-weights-2", **texts})
    with pytest.raises(CheckpointError, match="is damaged"):
        load(path)


def test_the_checksum_does_not_depend_on_memory_layout(tmp_path: Path) -> None:
    tensors = {"x": torch.randn(2, 3, 4, 4), "half": torch.randn(6, 2).half(), "n": torch.tensor(3)}
    tensors["empty"] = torch.empty(0)
    strided = {name: t.transpose(0, -1).contiguous().transpose(0, -1) if t.ndim else t
               for name, t in tensors.items()}  # fmt: skip
    for number, held in enumerate((tensors, dict(reversed(strided.items())))):
        write_tensors(tmp_path / f"{number}.safetensors", held, {"a": "b"})
    first, second = (
        read_tensors(tmp_path / f"{n}.safetensors").metadata["checksum"] for n in (0, 1)
    )
    assert first == second


@pytest.mark.parametrize("is_ours", [True, False])
def test_header_and_tensors_come_from_one_opening(
    tmp_path: Path, is_ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, state = tmp_path / "w.safetensors", create_model(CONFIG).state_dict()
    if is_ours:
        save_weights(path, state, CONFIG, CARD)
    else:
        save_file(state, path)
    opened = []

    def watched(path: Path, framework: str) -> Any:
        opened.append(path)
        return safe_open(path, framework)

    monkeypatch.setattr(tensor_file, "safe_open", watched)
    assert load(path).config == CONFIG
    assert opened == [path]


def test_another_programs_checksum_is_not_taken_for_ours(tmp_path: Path) -> None:
    model = create_model(CONFIG)
    save_file(model.state_dict(), tmp_path / "w.safetensors", {"format": "pt", "checksum": "12"})
    assert open_weights(tmp_path / "w.safetensors").config == CONFIG


@pytest.mark.parametrize("length", [0, 2**40, 2**64 - 1])
def test_a_header_of_another_length_is_refused(file: Path, length: int) -> None:
    file.write_bytes(length.to_bytes(8, "little") + file.read_bytes()[8:])
    with pytest.raises(CheckpointError, match=r"best\.safetensors: "):
        read_any(file)


def test_a_large_header_is_not_parsed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_file, "MAX_HEADER_BYTES", 100)
    with pytest.raises(CheckpointError, match=r"it declares a header of .* bytes"):
        read_tensors(file)


def test_a_deep_header_is_refused(tmp_path: Path) -> None:
    texts = {"format": "resnext-weights-1", "config": "[" * 100_000, "card": "{}"}
    save_file(create_model(CONFIG).state_dict(), tmp_path / "w.safetensors", texts)
    with pytest.raises(CheckpointError, match=r"does not describe a network.*nested too deeply"):
        open_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("config", {"blocks_per_stage": [2**20]}, "blocks or paths"),
        ("config", {"blocks_per_stage": [1] * 100_000}, "at most 16"),
        ("config", {"blocks_per_stage": [10**30]}, "less than or equal"),
        ("config", {"stage_widths": [2**20]}, "layers of 1,048,576 channels"),
        ("config", {"num_classes": 10**9}, "less than or equal"),
        ("config", {"family": 3}, "family"),
        ("card", {"image_size_px": 2**20}, "more than .* values"),
        ("card", {"image_size_px": 0}, "greater than or equal"),
        ("card", {"classes": ["one"]}, "has 1 classes, but the network has 2"),
        ("card", {"std": [0.0, 1.0, 1.0]}, "standard deviation of values in 0..1"),
        ("card", {"mean": [float("nan")] * 3}, "finite"),
    ],
)
def test_numbers_of_a_header_are_bounded(
    tmp_path: Path, part: str, change: dict[str, Any], message: str
) -> None:
    parts = {"config": CONFIG.model_dump(mode="json"), "card": CARD.model_dump(mode="json")}
    parts[part] |= change
    texts = {name: json.dumps(values) for name, values in parts.items()}
    path = tmp_path / "w.safetensors"
    write_tensors(path, create_model(CONFIG).state_dict(), {"format": "resnext-weights-2", **texts})
    with pytest.raises(CheckpointError, match=rf"w\.safetensors: .*{message}") as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("is_ours", [True, False])
def test_weights_that_are_no_numbers_are_refused(
    tmp_path: Path, value: float, is_ours: bool
) -> None:
    state = create_model(CONFIG).state_dict()
    state["fc.bias"][1] = value
    path = tmp_path / "w.safetensors"
    if is_ours:
        save_weights(path, state, CONFIG, CARD)
    else:
        save_file(state, path)
    with pytest.raises(CheckpointError, match=r"its fc\.bias contains NaN or infinite values"):
        load(path)


def test_large_weights_are_numbers_though_their_sum_is_none(tmp_path: Path) -> None:
    state = create_model(CONFIG).state_dict()
    state["fc.weight"].fill_(3e38)
    save_weights(tmp_path / "w.safetensors", state, CONFIG, CARD)
    load(tmp_path / "w.safetensors")


def test_a_name_that_would_act_on_a_terminal_is_shown_escaped(tmp_path: Path) -> None:
    state = {**create_model(CONFIG).state_dict(), "\x1b[2J" + "x" * 10_000: torch.zeros(1)}
    save_weights(tmp_path / "w.safetensors", state, CONFIG, CARD)
    with pytest.raises(CheckpointError, match=r"extra: \\x1b\[2Jx+\.") as caught:
        load(tmp_path / "w.safetensors")
    assert len(str(caught.value)) < 1000


def test_a_path_that_is_not_utf8_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.safetensors"
    with pytest.raises(CheckpointError, match="only accepts UTF-8 paths"):
        write_tensors(path, {"a": torch.zeros(1)}, {})
    path.touch()
    for read in (read_any, read_tensors):
        with pytest.raises(CheckpointError, match="only accepts UTF-8 paths"):
            read(path)
