"""Plans and networks: what is accepted, and what a wrong one says."""

from pathlib import Path
from typing import Any

import pytest

from resnext.benchmark import contestant
from resnext.benchmark.benchmark import run_benchmark
from resnext.benchmark.contestant import RUNTIMES, Plan, Setting
from resnext.benchmark.networks import Network, open_network
from resnext.benchmark.peak import best_seconds
from resnext.benchmark.staging import stage
from resnext.complexity.count import count
from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.weights.own_file import save_weights


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batches": (0,)}, "batch=0: give 1 to"),
        ({"threads": (3,)}, r"threads=3: give 1 to 2; this process may use 2 core\(s\)"),
        ({"rounds": 1}, "rounds=1: give 2 to"),
        ({"size_px": 0}, "size=0: give 1 to"),
        ({"batches": (1, 1)}, r"batch=\[1, 1\]: give at least one, and each once"),
        ({"runtimes": ()}, r"runtime=\[\]: give at least one"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr(contestant, "num_cores", lambda: 2)
    with pytest.raises(ConfigError, match=message):
        Plan(**changes)


def test_every_batch_is_raced_with_every_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestant, "num_cores", lambda: 2)
    settings = Plan(batches=(1, 8), threads=(1, 2)).settings
    assert settings == [Setting(1, 1), Setting(8, 1), Setting(1, 2), Setting(8, 2)]


@pytest.mark.parametrize("names", [(), ("resnet18", "resnet18")])
def test_networks_are_named_each_once(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="each once"):
        run_benchmark(names, Plan())


def test_a_name_gives_the_same_random_weights_each_time() -> None:
    first, second = (open_network("resnext_1-1-1-1_4x4d", None) for _ in range(2))
    assert first.size_px == 224
    assert first.top1_error is None
    assert weights_sum(first) == weights_sum(second) != 0


def test_a_weight_file_brings_its_error_and_the_size_of_its_images(tmp_path: Path) -> None:
    config = ResNeXtConfig(stem="cifar", blocks_per_stage=(1, 1, 1), num_classes=3, in_channels=1)
    card = ModelCard(image_size_px=16, mean=(0.5,), std=(0.5,), metrics={"top1_error": 12.5})
    path = tmp_path / "weights.safetensors"
    save_weights(path, create_model(config), config, card)
    network = open_network(str(path), None)
    assert (network.shape, network.top1_error) == ((1, 16, 16), 12.5)
    assert network.macs == count(config, (16, 16)).macs
    assert open_network(str(path), 24).shape == (1, 24, 24)


def test_a_network_is_meant_if_a_folder_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnext_1-1-1-1_4x4d").mkdir()
    assert open_network("resnext_1-1-1-1_4x4d", None).top1_error is None


def test_a_missing_file_and_an_unknown_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        open_network(str(tmp_path / "network.onnx"), None)
    with pytest.raises(ConfigError, match="similar valid names"):
        open_network("resnext50_32x4", None)


def test_a_library_is_asked_only_for_the_architecture_that_the_name_means(tmp_path: Path) -> None:
    network = network_of(stem="imagenet", blocks_per_stage=(1, 1, 1, 1), shortcut="C")
    with pytest.raises(ConfigError, match="timm has no network of this architecture"):
        stage(network, "timm", Setting(1, 1), tmp_path, Plan())


def test_volumes_have_no_channels_last(tmp_path: Path) -> None:
    network = network_of(blocks_per_stage=(1, 1, 1), ndim=3)
    for runtime in ("channels_last", "compiled"):
        with pytest.raises(ConfigError, match="only supports 2D images"):
            stage(network, runtime, Setting(1, 1), tmp_path, Plan())
    assert stage(network, "eager", Setting(2, 1), tmp_path, Plan()).shape == (3, 8, 8, 8)


def test_the_weights_are_written_once_for_all_ways_to_run_them(tmp_path: Path) -> None:
    network = network_of(blocks_per_stage=(1, 1, 1))
    jobs = [stage(network, r, Setting(1, 1), tmp_path, Plan()) for r in ("eager", "compiled")]
    assert {job.path for job in jobs} == {str(path) for path in tmp_path.iterdir()}


def test_runtimes_are_all_there_is_by_default() -> None:
    assert network_of(blocks_per_stage=(1, 1, 1)).runtimes(Plan().runtimes) == RUNTIMES


def test_the_best_of_several_runs_counts() -> None:
    times = iter([0.0, *(t for run in (3.0, 1.0, 2.0, 5.0, 4.0) for t in (0.0, run)), 9.0])
    assert best_seconds(lambda: None, seconds=1.0, clock=lambda: next(times)) == 1.0


def network_of(**settings: Any) -> Network:
    config = ResNeXtConfig(**{"stem": "cifar", **settings})
    loaded = TrainedNetwork(create_model(config).eval(), config, ModelCard(image_size_px=8))
    return Network("made", config, 8, None, loaded)


def weights_sum(network: Network) -> float:
    assert network.loaded is not None
    return sum(float(p.detach().abs().sum()) for p in network.loaded.module.parameters())
