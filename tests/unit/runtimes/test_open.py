import sys
from pathlib import Path

import pytest

from resnext.errors import ConfigError
from resnext.runtimes.open import is_exported, open_exported


@pytest.mark.parametrize(
    ("package", "file", "extra"),
    [("onnxruntime", "net.onnx", "export"), ("openvino", "net.xml", "openvino")],
)
def test_a_missing_runtime_is_told_with_the_command_that_installs_it(
    package: str, file: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if (
            name.startswith((f"{package}.", "resnext.runtimes.o"))
            and name != "resnext.runtimes.open"
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    (tmp_path / file).touch()
    with pytest.raises(
        ConfigError, match=rf"needs the package {package}.* pip install 'resnext\[{extra}\]'"
    ):
        open_exported(tmp_path / file)


def test_exported_files_are_told_by_their_endings() -> None:
    assert is_exported(Path("net.onnx"))
    assert is_exported(Path("net.torchscript"))
    assert not is_exported(Path("best.safetensors"))
    assert not is_exported(Path("runs/demo"))


def test_torch_keeps_its_own_threads(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").touch()
    with pytest.raises(ConfigError, match=r"threads=2: \.pt2 uses torch's .*OMP_NUM_THREADS"):
        open_exported(tmp_path / "net.pt2", threads=2)
