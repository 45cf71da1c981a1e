"""The loaders of a run follow its settings."""

import pytest
import torch
from tasks import classifier

from resnext.data.array_split import ArraySplit
from resnext.data.bad_files import BadFiles
from resnext.data.config import DataConfig
from resnext.data.split import DataInfo, DataSet
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training.train import _build_loaders


@pytest.mark.parametrize("channels_last", [True, False])
def test_training_and_validation_have_the_memory_layout_of_the_settings(
    channels_last: bool,
) -> None:
    images_nhwc = torch.zeros(6, 4, 4, 3, dtype=torch.uint8)
    split = ArraySplit(images_nhwc, torch.arange(6) % 2)
    data = DataSet(DataInfo("pets", ("cat", "dog"), 3, 4, (0.5,) * 3, (0.5,) * 3), split, split)
    config = TrainConfig(data=DataConfig(workers=0), batch_size=6)
    config = config.replace(
        runtime=config.runtime.replace(layout="channels_last" if channels_last else "contiguous")
    )
    runtime = Runtime(torch.device("cpu"), torch.float32)
    loaders = _build_loaders(config, data, runtime, classifier(2), BadFiles(12))
    for batch in (*loaders.train.epoch(0), *loaders.val):
        assert batch.images_bchw.is_contiguous() != channels_last
