import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from digits_network import save_network, save_run
from image_trees import write_grey
from nonempty import nonempty
from torch import nn

from resnext.data.config import DataConfig
from resnext.data.file_split import FileSplit
from resnext.data.loading.batch import Batch
from resnext.errors import CheckpointError, ConfigError
from resnext.evaluation.feature_source import FeatureRequest, FeatureSource
from resnext.evaluation.features import Embedder, extract
from resnext.evaluation.run import EvaluationOptions
from resnext.model.card import ModelCard
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import ExportedModule
from resnext.runtimes.spec import ExportSpec

CPU = torch.device("cpu")
TINY = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1, 1),
    stage_widths=(16, 32),
    stem_width=8,
    cardinality=2,
    num_classes=5,
)


class Small(nn.Sequential):
    """A network of no family of ours, with two linear layers."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 6), nn.ReLU(), nn.Linear(6, 5)
        )


def images(num: int = 3, side_px: int = 8) -> torch.Tensor:
    return torch.randn(num, 3, side_px, side_px, generator=torch.Generator().manual_seed(0))


def networks() -> list[nn.Module]:
    torch.manual_seed(0)
    return [
        create_model(config).eval()
        for config in (TINY, TINY.replace(form="a"), TINY.replace(preactivation=True))
    ]


@pytest.mark.parametrize("network", networks())
def test_features_are_the_last_map_averaged_over_its_positions(network: nn.Module) -> None:
    features = Embedder(network)(images())
    with torch.no_grad():
        (last,) = network.features(images(), [2]).values()  # type: ignore[operator]
    assert features.shape == (3, 32)
    assert torch.equal(features, last.mean(dim=(2, 3)))


@pytest.mark.parametrize("network", [*networks(), Small().eval()])
def test_the_classifier_makes_the_logits_of_the_features(network: nn.Module) -> None:
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    with torch.inference_mode():
        assert torch.equal(linear(Embedder(network)(images())), network(images()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "dimension", "side_px"), [("inception_v3", 2048, 75), ("vgg16_bn", 4096, 32)]
)
def test_baselines_give_what_their_classifier_receives(
    family: str, dimension: int, side_px: int
) -> None:
    config = BaselineConfig(family=family, num_classes=5)
    network = create_model(config).eval()
    features = Embedder(network)(images(2, side_px))
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    assert features.shape == (2, dimension)
    with torch.inference_mode():
        assert torch.equal(linear(features), network(images(2, side_px)))


def test_an_earlier_stage_is_averaged_without_running_the_later_ones() -> None:
    network = networks()[0]
    calls: list[nn.Module] = []
    network.get_submodule("layer2").register_forward_hook(lambda *call: calls.append(call[0]))
    features = Embedder(network, stage=1)(images())
    assert calls == []
    with torch.no_grad():
        expected = network.features(images(), [1])["layer1"]  # type: ignore[operator]
    assert torch.equal(features, expected.mean(dim=(2, 3)))


def test_the_last_stage_is_what_the_classifier_receives() -> None:
    for network in nonempty(networks()):
        assert torch.equal(Embedder(network, stage=2)(images()), Embedder(network)(images()))


@pytest.mark.parametrize("stage", [0, 3, -1])
def test_a_stage_out_of_range_is_refused(stage: int) -> None:
    with pytest.raises(ConfigError, match=f"--stage {stage}: the network has stages 1 to 2"):
        Embedder(networks()[0], stage=stage)


def test_a_network_without_stages_is_refused() -> None:
    network = Small()
    network.config = BaselineConfig(family="vgg16_bn")  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="vgg16_bn has no stages"):
        Embedder(network, stage=1)


def test_no_hook_stays_behind() -> None:
    network = networks()[0]
    Embedder(network)(images())
    with pytest.raises(ConfigError):
        Embedder(network)(images()[:, :1])
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_features_handed_over_are_not_kept() -> None:
    alive: list[weakref.ref[torch.Tensor]] = []

    def batches() -> Iterator[Batch]:
        for start in range(0, 40, 2):
            assert sum(reference() is not None for reference in alive) <= 1
            yield Batch(images(2), torch.zeros(2).long(), torch.arange(start, start + 2), 2)

    num = 0
    for batch in extract(Embedder(networks()[0]), batches()):
        alive.append(weakref.ref(batch.features_bd))
        num += len(batch.indices_b)
    assert num == 40


def test_features_that_are_no_numbers_are_an_error() -> None:
    images_bchw = images()
    images_bchw[1] = torch.nan
    batch = Batch(images_bchw, torch.zeros(3).long(), torch.arange(3), 3)
    with pytest.raises(CheckpointError, match="not finite"):
        list(extract(Embedder(networks()[0]), [batch]))


def test_a_run_names_its_own_data_and_the_images_are_in_order(tmp_path: Path) -> None:
    source = FeatureSource(save_run(tmp_path / "run"), FeatureRequest(), CPU, EvaluationOptions(50))
    batches = list(source.read("val"))
    assert source.data == DataConfig(name="digits")
    assert torch.cat([b.indices_b for b in batches]).tolist() == list(range(359))
    assert torch.equal(torch.cat([b.labels_b for b in batches]), source.splits["val"].targets_n)
    assert [len(b.features_bd) for b in batches] == [50] * 7 + [9]


def test_the_batch_size_does_not_change_the_features(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    found = []
    for rows in (10, 359):
        source = FeatureSource(run, FeatureRequest(), CPU, EvaluationOptions(rows))
        found.append(torch.cat([batch.features_bd for batch in source.read("val")]))
    assert torch.allclose(found[0], found[1], atol=1e-6)


def test_a_limit_takes_images_of_all_classes_in_their_order(tmp_path: Path) -> None:
    write_grey(tmp_path / "data", 20, "train/a", "train/b", "val/a", "val/b", step=0)
    request = FeatureRequest(DataConfig(name="folder", root=tmp_path / "data"), limit=10)
    source = FeatureSource(save_run(tmp_path / "run"), request, CPU, EvaluationOptions())
    for split in nonempty(source.splits.values()):
        assert isinstance(split, FileSplit)
        assert len(split) == 10
        assert set(split.targets_n.tolist()) == {0, 1}
        assert sorted(split.names) == list(split.names)


def test_a_weight_file_does_not_say_its_data(tmp_path: Path) -> None:
    weights = save_network(tmp_path / "w.safetensors")
    with pytest.raises(ConfigError, match="give one after it: digits"):
        FeatureSource(weights, FeatureRequest(), CPU, EvaluationOptions())
    FeatureSource(weights, FeatureRequest(DataConfig(name="digits")), CPU, EvaluationOptions())


def test_progress_is_told_every_image(tmp_path: Path) -> None:
    told: list[int] = []
    effort = EvaluationOptions(100, progress=told.append)
    source = FeatureSource(save_run(tmp_path / "run"), FeatureRequest(), CPU, effort)
    list(source.read("val"))
    assert told == [100, 100, 100, 59]


def test_an_exported_file_has_no_features_and_says_so() -> None:
    spec = ExportSpec(format="onnx", size_px=8)
    exported = Exported(Path("x.onnx"), ResNeXtConfig(), ModelCard(), spec, lambda batch: batch)
    with pytest.raises(ConfigError, match=r"x\.onnx: an exported file only returns logits"):
        Embedder(ExportedModule(exported))
