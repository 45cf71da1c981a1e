"""ONNX Runtime on a GPU, by CUDA's kernels or by TensorRT's, with images that lie there already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from resnext.benchmark.contestant import PrecisionName
from resnext.errors import ConfigError

_PROVIDERS = {"onnxruntime": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}


def open_on_gpu(
    path: Path,
    runtime: str,
    images_bchw: np.ndarray[Any, np.dtype[Any]],
    *,
    index: int = 0,
    precision: PrecisionName = "fp32",
) -> Callable[[], Any]:
    """Open a graph on a GPU.

    Args:
        path: The file, for float32 images.
        runtime: `onnxruntime` or `tensorrt`.
        images_bchw: One batch, copied to the GPU once.
        index: Number of the GPU.
        precision: Of TensorRT's arithmetic; it keeps fp32 where it finds that faster.

    Returns:
        Runs the network once and waits for the GPU; returns the logits.

    Raises:
        ConfigError: The installed ONNX Runtime cannot do it.
    """
    import onnxruntime

    provider = _PROVIDERS[runtime]
    if provider not in onnxruntime.get_available_providers():
        raise ConfigError(
            f"{runtime}: ONNX Runtime {onnxruntime.__version__} has no {provider} here; install "
            "onnxruntime-gpu in place of onnxruntime, and for tensorrt NVIDIA's TensorRT"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(path), options, providers=[(provider, _options(runtime, index, precision))]
    )
    if session.get_providers()[0] != provider:  # it falls back to the CPU without an error
        raise ConfigError(f"{runtime}: {provider} did not start; its libraries may be missing")
    binding = session.io_binding()
    images = onnxruntime.OrtValue.ortvalue_from_numpy(images_bchw, "cuda", index)
    binding.bind_ortvalue_input(session.get_inputs()[0].name, images)
    binding.bind_output(session.get_outputs()[0].name, "cuda", index)

    def infer() -> Any:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return binding.get_outputs()[0]

    return infer


def _options(runtime: str, index: int, precision: PrecisionName) -> dict[str, Any]:
    if runtime == "onnxruntime":
        # fp32 means fp32, as for the other contestants
        return {"device_id": index, "use_tf32": 0, "cudnn_conv_algo_search": "EXHAUSTIVE"}
    return {
        "device_id": index,
        "trt_fp16_enable": precision == "fp16",
        "trt_bf16_enable": precision == "bf16",
    }
