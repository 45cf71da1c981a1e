from pathlib import Path

import torch
from PIL import Image

from resnext.data.config import ViewConfig
from resnext.data.file_split import FileSplit
from resnext.data.split import DataInfo
from resnext.evaluation.whole_images import WholeImageLoader
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec


def test_images_come_in_their_own_size_and_long_ones_cut_as_for_the_run(tmp_path: Path) -> None:
    sizes = {"a.png": (30, 20), "b.png": (900, 2)}
    for name, size in sizes.items():
        Image.new("RGB", size).save(tmp_path / name)
    split = FileSplit(tmp_path, tuple(sizes), torch.tensor([0, 1]))
    card = ModelCard(classes=("x", "y"), image_size_px=8, resize_px=None)
    spec = ExportSpec(format="onnx", input="image", size_px=8)
    exported = Exported(Path("x.onnx"), ResNeXtConfig(num_classes=2), card, spec, lambda x: x)
    info = DataInfo("photos", ("x", "y"), 3, 8, card.mean, card.std)
    batches = list(WholeImageLoader(split, info, ViewConfig(), exported))
    # resized inside, the second would become 3,600 x 8 pixels, in place of 80 x 8
    assert [tuple(batch.images_bchw.shape) for batch in batches] == [(1, 3, 20, 30), (1, 3, 2, 20)]
