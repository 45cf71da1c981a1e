"""A .pt2 file that would run code when torch opens it is refused before torch does."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_networks import tiny_config

from resnext.errors import CheckpointError
from resnext.export.export import export_model
from resnext.export.options import ExportOptions
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.open import open_exported

NETWORK = tiny_config(cardinality=2, bottleneck_width=4, stage_widths=(8, 16), num_classes=3)
Entries = dict[str, bytes]


def export(path: Path, config: ModelConfig = NETWORK) -> None:
    card = ModelCard(image_size_px=16, resize_px=16, mean=(0.5,) * 3, std=(0.2,) * 3)
    loaded = TrainedNetwork(create_model(config).eval(), config, card)
    export_model(loaded, path, ExportOptions(to="pt2", dynamic_size=True))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "net.pt2"
    export(path)
    return path


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The file that code from an archive creates where it is run."""
    return tmp_path / "marker"


def rewrite(source: Path, dest: Path, change: Callable[[Entries], None]) -> None:
    """Copy an archive; `change` is given its entries without the folder that holds them."""
    with zipfile.ZipFile(source) as archive:
        folder = archive.namelist()[0].partition("/")[0]
        entries = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(dest, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{folder}/{name}", content)


def change_json(entries: Entries, name: str, change: Callable[[Any], None]) -> None:
    value = json.loads(entries[name])
    change(value)
    entries[name] = json.dumps(value).encode()


class Touch:
    """A pickle of this creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def touching(marker: Path) -> bytes:
    # Framed as PyTorch saved files before zip archives, which torch.load still reads
    return pickle.dumps(Touch(marker), protocol=2)


def hostile_sample(entries: Entries, marker: Path) -> None:
    entries["data/sample_inputs/model.pt"] = touching(marker)


def damaged_sample(entries: Entries, _marker: Path) -> None:
    entries["data/sample_inputs/model.pt"] = b""


def hostile_weight(entries: Entries, marker: Path) -> None:
    entries["data/weights/weight_0"] = touching(marker)

    def mark(config: Any) -> None:
        first = next(iter(config["config"].values()))
        first.update(path_name="weight_0", use_pickle=True)

    change_json(entries, "data/weights/model_weights_config.json", mark)


def hostile_constant(entries: Entries, marker: Path) -> None:
    entries["data/constants/opaque_obj_0"] = touching(marker)
    payload = {
        "path_name": "opaque_obj_0",
        "is_param": False,
        "use_pickle": True,
        "tensor_meta": None,
    }
    name = "data/constants/model_constants_config.json"
    change_json(entries, name, lambda config: config["config"].update(odd=payload))


def hostile_weights_of_old(entries: Entries, marker: Path) -> None:
    entries["data/weights/model.pt"] = touching(marker)


def hostile_guard(entries: Entries, marker: Path) -> None:
    code = f"open({str(marker)!r}, 'w') or True"
    change_json(entries, "models/model.json", lambda program: program["guards_code"].append(code))


def hostile_formula(entries: Entries, marker: Path) -> None:
    replace_formula(entries, f"[open('{marker}', 'w'), 1][1]")


def replace_formula(entries: Entries, code: str) -> None:
    text = entries["models/model.json"].decode()
    start = text.index('"expr_str": "') + len('"expr_str": "')
    end = text.index('"', start)
    entries["models/model.json"] = (text[:start] + code + text[end:]).encode()


def endless_guard(code: str) -> Callable[[Entries, Path], None]:
    def change(entries: Entries, _marker: Path) -> None:
        change_json(entries, "models/model.json", lambda value: value["guards_code"].append(code))

    return change


def hostile_operator(entries: Entries, marker: Path) -> None:
    def call_system(program: Any) -> None:
        node = program["graph_module"]["graph"]["nodes"][0]
        node["target"] = "torch.serialization.os.system"
        command = {"as_string": f"touch {marker}"}
        node["inputs"] = [{"name": "", "arg": command, "kind": 1}]

    change_json(entries, "models/model.json", call_system)


def hostile_name(entries: Entries, marker: Path) -> None:
    text = entries["models/model.json"].decode()
    code = f"pixels=open('{marker}', 'w')"
    entries["models/model.json"] = text.replace('"name": "pixels"', f'"name": "{code}"').encode()


def hostile_tree(entries: Entries, marker: Path) -> None:
    (marker.parent / "touching.py").write_text(f"open({str(marker)!r}, 'w')")

    def name_a_module(program: Any) -> None:
        signature = program["graph_module"]["module_call_graph"][0]["signature"]
        key = {"__enum__": True, "fqn": "touching:Odd", "name": "odd"}
        leaf: dict[str, Any] = {"type": None, "context": None, "children_spec": []}
        odd = {"type": "builtins.dict", "context": json.dumps([key]), "children_spec": [leaf]}
        signature["out_spec"] = json.dumps([1, odd])

    change_json(entries, "models/model.json", name_a_module)


def hostile_library(entries: Entries, _marker: Path) -> None:
    entries["data/aotinductor/model/model.so"] = b"machine code"


def arithmetic(target: str, *arguments: Any) -> Callable[[Entries, Path], None]:
    """Return a change that replaces the first node by one of Python's operators."""

    def change(entries: Entries, _marker: Path) -> None:
        def put(program: Any) -> None:
            node = program["graph_module"]["graph"]["nodes"][0]
            node["target"] = f"_operator.{target}"
            node["inputs"] = [{"name": "", "arg": one, "kind": 1} for one in arguments]

        change_json(entries, "models/model.json", put)

    return change


SIDE = {"as_sym_int": {"as_name": "sym_size_int_1"}}

HOSTILE = {
    "sample": (hostile_sample, r"sample_inputs/model\.pt is not a pickle of tensors only"),
    "no sample": (damaged_sample, "is not a pickle of tensors only"),
    "weight": (hostile_weight, "weights_config.json has a payload marked use_pickle"),
    "constant": (hostile_constant, "data/constants/"),
    "old weights": (hostile_weights_of_old, r"an entry 'data/weights/model\.pt'"),
    "guard": (hostile_guard, "guards_code .open"),
    "formula": (hostile_formula, r"expr_str .\[open"),
    "endless power": (endless_guard("9**9**9**9 > 1"), r"guards_code .9\*\*9"),
    "endless shift": (endless_guard("1 << 99999999999 > 1"), "guards_code .1 << 9"),
    "endless tuple": (endless_guard("(0, 0) * 99999999999 != 1"), r"guards_code .\(0, 0\)"),
    "no formula": (endless_guard("1 +"), r"guards_code .1 \+"),
    "endless formula": (lambda entries, _: replace_formula(entries, "9**9**9**9"), "expr_str .9"),
    "named power": (
        lambda entries, _: replace_formula(entries, "Pow(9, Pow(9, Pow(9, 9)))"),
        "expr_str .Pow",
    ),
    "operator": (hostile_operator, r"target 'torch\.serialization\.os\.system'"),
    "name": (hostile_name, "name .pixels=open"),
    "tree": (hostile_tree, "out_spec "),
    "library": (hostile_library, "an entry 'data/aotinductor/"),
    "caller": (arithmetic("methodcaller", {"as_string": "unlink"}), "target '_operator.methodcall"),
    "power": (arithmetic("pow", {"as_int": 9}, SIDE), "target '_operator.pow"),
    "repeated text": (arithmetic("mul", {"as_string": "x"}, {"as_int": 9}), "other things than"),
    "two kinds": (arithmetic("add", {"as_int": 1, "as_string": "x"}, SIDE), "other things than"),
    "large number": (arithmetic("mul", SIDE, {"as_int": 2**40}), "other things than sides"),
    "hidden number": (arithmetic("add", SIDE, {"as_sym_int": {"as_int": 2}}), "other things than"),
    "square": (arithmetic("mul", SIDE, SIDE), "_operator.mul of other things than sides"),
}


@pytest.mark.parametrize(("make", "message"), HOSTILE.values(), ids=HOSTILE)
def test_code_in_a_pt2_file_is_refused_and_not_run(
    make: Callable[[Entries, Path], None],
    message: str,
    whole: Path,
    marker: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "net.pt2"
    rewrite(whole, path, lambda entries: make(entries, marker))
    with pytest.raises(CheckpointError, match=f"refused, because torch could run code.*{message}"):
        open_exported(path)
    assert not marker.exists()


def test_the_layout_of_old_is_refused(marker: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version", "8.1")
        archive.writestr("serialized_state_dict.pt", touching(marker))
    with pytest.raises(CheckpointError, match=r"it has the layout of PyTorch 2\.7 or earlier"):
        open_exported(path)
    assert not marker.exists()


def test_an_archive_copied_entry_by_entry_opens(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    rewrite(whole, path, lambda _: None)
    assert open_exported(path).run(np.zeros((2, 20, 24, 3), np.uint8)).shape == (2, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        NETWORK.replace(form="a"),
        NETWORK.replace(preactivation=True, shortcut="A"),
        NETWORK.replace(stem="imagenet"),
    ],
    ids=["form a", "pre-activation", "imagenet stem"],
)
def test_our_own_files_open(config: ModelConfig, tmp_path: Path) -> None:
    export(tmp_path / "net.pt2", config)  # opens it to compare
