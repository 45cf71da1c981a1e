"""What is opened where exports are kept."""

from pathlib import Path

import pytest

from resnext.errors import RunError
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
