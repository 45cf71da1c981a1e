"""What is opened where exports are kept."""

from pathlib import Path

import pytest
from bf16_stand_in import pretend_bf16
from tiny_runtimes import export

from resnext.errors import ConfigError, RunError
from resnext.inference import parity
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.serving.source import ModelSource
from resnext.weights.own_file import save_weights

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=2, num_classes=2
)


def test_a_cache_that_cannot_be_written_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "best.safetensors"
    save_weights(file, create_model(TINY), TINY, ModelCard(classes=("a", "b"), image_size_px=8))
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(RunError, match="set XDG_CACHE_HOME"):
        ModelSource(file).open()


def test_bf16_is_compared_with_fp32_before_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_bf16(monkeypatch)
    file = export(tmp_path / "net.onnx")
    model = ModelSource(file, precision="bf16").open()
    assert model.precision == "bf16"
    assert "bf16 against fp32 on 8 images (generated): largest difference of a logit" in model.note
    monkeypatch.setattr(parity, "BF16_TOLERANCE", -1.0)
    with pytest.raises(ConfigError, match="net: bf16 changes its answers too much"):
        ModelSource(file, precision="bf16").open()


def test_the_usual_runtime_serves_unless_another_is_asked_for(tmp_path: Path) -> None:
    file = export(tmp_path / "net.onnx")
    usual, chosen = ModelSource(file).open(), ModelSource(file, runtime="auto").open()
    assert (usual.exported.runtime, usual.precision, usual.note) == ("onnxruntime", "fp32", "")
    assert chosen.note.startswith("runtime o")
    assert ModelSource(file, runtime="openvino").open().exported.runtime == "openvino"
