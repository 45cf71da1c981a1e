"""All ways to run a network on a GPU agree. RESNEXT_TEST_DEVICE=cpu tries the tests without."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from resnext.benchmark.cardinality_map import MapSetup, map_cardinality
from resnext.benchmark.contestant import GPU_RUNTIMES, Plan, PrecisionName, RuntimeName, Setting
from resnext.benchmark.device import find_device, stopwatch_of
from resnext.benchmark.inference import as_numpy, prepare
from resnext.benchmark.latency import LatencySetup, measure_latencies
from resnext.benchmark.networks import Network, open_network
from resnext.benchmark.staging import stage
from resnext.model.config import ResNeXtConfig

NAME = os.environ.get("RESNEXT_TEST_DEVICE", "cuda")
IS_GPU = NAME == "cuda"
NETWORK = "resnext_1-1_4x4d_cifar"
WAYS: tuple[RuntimeName, ...] = ("eager", "channels_last")
if IS_GPU:
    WAYS = tuple(name for name in GPU_RUNTIMES if name not in ("timm", "torchvision"))

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(IS_GPU and not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def _logits(
    network: Network, folder: Path, runtime: str, device: str, precision: PrecisionName
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    plan = Plan(device=device, precision=precision)
    infer = prepare(stage(network, runtime, Setting(4, 1), folder, plan))
    infer()
    return as_numpy(infer())


@pytest.mark.parametrize("runtime", WAYS)
def test_each_way_to_run_a_network_gives_the_logits_of_the_cpu(
    runtime: str, tmp_path: Path
) -> None:
    if runtime in ("onnxruntime", "tensorrt"):
        onnxruntime = pytest.importorskip("onnxruntime")
        if len(onnxruntime.get_available_providers()) < 2:
            pytest.skip("ONNX Runtime has no GPU provider here")
    network = open_network(NETWORK, 32)
    expected = _logits(network, tmp_path, "eager", "cpu", "fp32")
    found = _logits(network, tmp_path, runtime, NAME, "fp32")
    tolerance = 1e-3 * float(np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_bf16_rounds_and_computes_the_same_network(tmp_path: Path) -> None:
    network = open_network(NETWORK, 32)
    expected = _logits(network, tmp_path, "eager", "cpu", "fp32")
    found = _logits(network, tmp_path, "channels_last", NAME, "bf16")
    assert not np.array_equal(found, expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.1 * float(np.abs(expected).max()))


def test_a_latency_and_a_map_are_measured() -> None:
    setup = LatencySetup(input_size=16, rounds=2, device=NAME)
    model = ResNeXtConfig(stem="cifar", blocks_per_stage=(1,), stem_width=4, num_classes=3)
    (latency,) = measure_latencies([model], setup, cache=None)
    assert latency.median_ms > 0
    found = map_cardinality(
        MapSetup(
            "resnet_1-1_cifar", NAME, "bf16", batch=4, size_px=16, rounds=2, cardinalities=(4,)
        )
    )
    assert {row.cardinality for row in found.rows} == {1, 4}


def test_the_stopwatch_sees_the_work_of_the_device() -> None:
    device = find_device(NAME)
    matrix = torch.randn(1024, 1024, device=device)
    matrix @ matrix
    timed = stopwatch_of(device)
    one = min(timed(lambda: matrix @ matrix) for _ in range(5))
    ten = min(timed(lambda: [matrix @ matrix for _ in range(10)]) for _ in range(5))
    assert ten > 3 * one
