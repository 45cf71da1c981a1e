"""What is seen of a person's images before a recipe is chosen."""

from pathlib import Path

from PIL import Image

from resnext.api.photo_facts import look
from resnext.data.config import DataConfig
from resnext.recipes.photos import PhotoFacts


def test_a_folder_is_looked_at(tmp_path: Path) -> None:
    for label in "ab":
        for number in range(10):
            path = tmp_path / label / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (60, 50)).save(path)
    facts = look(DataConfig(name="folder", root=tmp_path), has_gpu=False)
    assert facts == PhotoFacts(18, 50, has_gpu=False)
    assert look(DataConfig(name="digits"), has_gpu=False) is None
