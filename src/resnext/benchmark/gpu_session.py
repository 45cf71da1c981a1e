"""ONNX Runtime on a GPU, with CUDA or TensorRT, and images already in GPU memory."""

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
        index: Index of the GPU.
        precision: Precision of TensorRT; it keeps fp32 where that is faster.

    Returns:
        A function that runs the network once, waits for the GPU, and returns the logits.

    Raises:
        ConfigError: The installed ONNX Runtime does not support it.
    """
    import onnxruntime

    provider = _PROVIDERS[runtime]
    if provider not in onnxruntime.get_available_providers():
        raise ConfigError(
            f"{runtime}: ONNX Runtime {onnxruntime.__version__} has no {provider} here; install "
            "onnxruntime-gpu instead of onnxruntime, and NVIDIA's TensorRT for tensorrt"
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
