"""A session of ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path

import onnxruntime


def open_session(
    source: bytes | Path, threads: int | None = None, *, spins: bool = True
) -> onnxruntime.InferenceSession:
    """Open a graph.

    Args:
        source: The bytes of a file, or a file with weights in a separate file.
        threads: CPU threads of one inference; by default the number of cores.
        spins: Idle threads spin while waiting: faster, but it disturbs the timing of others that
            run alternately with this.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal only: errors are raised anyway
    if threads is not None:
        options.intra_op_num_threads = threads
    if not spins:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    graph = str(source) if isinstance(source, Path) else source
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
