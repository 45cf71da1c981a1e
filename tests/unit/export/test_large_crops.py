"""Crops that are too large are refused early, and messages name the file that was asked for."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_networks import tiny

from resnext.errors import ConfigError, ExportError
from resnext.export import export
from resnext.export.export import export_model, spec_of
from resnext.export.images import ImageSource, as_batches
from resnext.export.network import at_size
from resnext.export.options import ExportOptions
from resnext.export.staging import staging


def test_a_size_beyond_the_limit_of_images_is_refused() -> None:
    assert ExportOptions(size_px=8_192).size_px == 8_192
    with pytest.raises(ConfigError, match=r"size_px.*8192"):
        ExportOptions(size_px=8_193)


def test_a_size_that_no_file_may_ask_for_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "write_file", pytest.fail)
    with pytest.raises(ConfigError, match=r"size_px=8192: .* more than .*; choose a smaller size"):
        export_model(tiny(), tmp_path / "net.onnx", ExportOptions(size_px=8_192))
    assert not list(tmp_path.iterdir())


def test_few_large_crops_are_held_at_a_time() -> None:
    source = ImageSource("two", [Image.new("RGB", (9, 9))] * 40)
    for size_px, largest in ((16, 16), (1_024, 16), (2_048, 4)):
        loaded = at_size(tiny(), size_px)
        batches = as_batches(source, loaded, spec_of(loaded, ExportOptions()))
        assert next(batches).shape == torch.Size((largest, size_px, size_px, 3))


@pytest.mark.parametrize("inner", ["{name}", "tmp_a1/fp32.onnx", "tmp_a1/{name}", ""])
@pytest.mark.parametrize("name", ["net.onnx", "my net.onnx"])
def test_errors_name_the_destination(tmp_path: Path, inner: str, name: str) -> None:
    dest = tmp_path / "to" / name

    def fail() -> None:
        with staging(dest) as staged:
            path = staged.parent / inner.format(name=name)
            raise ExportError(f"{path}: is bad ('{path}')")

    with pytest.raises(ExportError) as caught:
        fail()
    assert str(caught.value) == f"{dest}: is bad ('{dest}')"
