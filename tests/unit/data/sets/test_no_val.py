"""Sets of signals of which nothing can be kept for validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Command
from made_videos import numbered, write_frames

from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.errors import DataError


def _series(folder: Path) -> tuple[str, Path, str]:
    (folder / "x.csv").write_text("label,t0,t1\na,1,2\nb,3,4\n")
    return "series", folder / "x.csv", "no class has two series of which"


def _equal_texts(folder: Path) -> tuple[str, Path, str]:
    rows = [f"the same text,{'ab'[number % 2]}" for number in range(40)]
    (folder / "x.csv").write_text("\n".join(["text,label", *rows]))
    return "text", folder / "x.csv", "no class has two different texts of which"


def _one_text_each(folder: Path) -> tuple[str, Path, str]:
    (folder / "x.tsv").write_text("text\tlabel\none a\ta\none b\tb\n")
    return "text", folder / "x.tsv", "no class has two different texts of which"


def _videos(folder: Path) -> tuple[str, Path, str]:
    for label in ("a", "b"):
        write_frames(folder / "train" / label / f"{label}0", numbered(3))
        write_frames(folder / "test" / label / f"{label}0", numbered(3))
    return "video", folder, "no class has two videos of which"


def _volumes(folder: Path) -> tuple[str, Path, str]:
    nib = pytest.importorskip("nibabel")
    for label in ("a", "b"):
        (folder / label).mkdir()
        image = nib.Nifti1Image(np.zeros((3, 3, 3), np.float32), np.eye(4))
        nib.save(image, folder / label / "0.nii")
    return "volume", folder, "no class has two volumes of which"


@pytest.mark.parametrize("make", [_series, _equal_texts, _one_text_each, _videos, _volumes])
def test_they_are_refused_for_training_but_can_be_evaluated(
    tmp_path: Path, make: Callable[[Path], tuple[str, Path, str]], command: Command
) -> None:
    name, root, words = make(tmp_path)
    config = DataConfig(name=name, root=root)
    with pytest.raises(DataError, match=f"{words} one can be kept.*give a val split"):
        load_data(config)
    assert words in " ".join(command.refusal("data", "check", f"{name}:{root}").split())
    evaluated = load_data(config.replace(val_fraction=1.0))
    if name == "video":  # with train/, it is split as for training
        assert evaluated.test is not None
        assert (len(evaluated.train), len(evaluated.val), len(evaluated.test)) == (2, 0, 2)
    else:
        assert len(evaluated.train) == 0
        assert len(evaluated.val) >= 2


def test_groups_are_named_where_they_are_what_is_kept_together(tmp_path: Path) -> None:
    for label in ("a", "b"):
        for number in range(4):
            write_frames(tmp_path / label / f"scene_{label}{number}", numbered(2))
    config = DataConfig(name="video", root=tmp_path)
    assert len(load_data(config).val) == 2
    with pytest.raises(DataError, match="no class has two groups of videos"):
        load_data(config.replace(group="scene"))
