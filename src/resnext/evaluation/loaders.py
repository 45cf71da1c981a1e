"""The loader that suits what is evaluated: crops, whole images or signals."""

from __future__ import annotations

from dataclasses import replace

from resnext.data.bad_files import BadFiles
from resnext.data.config import default_workers
from resnext.data.loading.box_loader import BoxEvalLoader
from resnext.data.loading.config import LoaderConfig
from resnext.data.loading.eval_loader import EvalLoader
from resnext.data.loading.whole_loader import WholeLoader, eval_loader
from resnext.data.signals.audio_split import record_left_out
from resnext.data.signals.loaders import SignalEvalLoader
from resnext.data.signals.video_loaders import VideoEvalLoader, signal_eval_loader
from resnext.evaluation.target import EvaluationSet
from resnext.evaluation.whole_images import WholeImageLoader
from resnext.model.config import DetectorConfig, ModelConfig
from resnext.runs.runtime import Runtime
from resnext.runtimes.exported import Exported

Loader = (
    EvalLoader | WholeLoader | BoxEvalLoader | SignalEvalLoader | VideoEvalLoader | WholeImageLoader
)

_IMAGES_PER_BATCH = 128
_CLIPS_FOR_IMAGES = 16
"""A clip has at least so many images' worth of positions."""


def open_loader(
    target: EvaluationSet,
    exported: Exported | None,
    runtime: Runtime,
    bad_files: BadFiles,
    *,
    network: ModelConfig,
    num_rows: int | None,
    workers: int | None,
) -> Loader:
    """Return what loads the images or signals of an evaluation.

    Args:
        target: What is evaluated.
        exported: The network, if it is an exported file.
        runtime: Device and processes.
        bad_files: Gets the files that cannot be read.
        network: The network's architecture.
        num_rows: Rows of a batch in one process, counting every view; None chooses.
        workers: Processes that decode files; None takes one a core.
    """
    if exported is not None and exported.spec.input == "image":
        return WholeImageLoader(
            target.split,
            target.info,
            target.view,
            exported,
            rank=runtime.rank,
            world_size=runtime.world_size,
            bad_files=bad_files,
        )
    loading = LoaderConfig(
        batch_size=max(1, (num_rows or _IMAGES_PER_BATCH) // target.view.num_views),
        device=runtime.device,
        workers=default_workers() if workers is None else workers,
        rank=runtime.rank,
        world_size=runtime.world_size,
    )
    if target.info.signal is not None:
        record_left_out(target.split, bad_files)
        if target.info.signal.video is not None:
            num = max(1, loading.batch_size // _CLIPS_FOR_IMAGES)
            loading = replace(loading, batch_size=num)
        return signal_eval_loader(target.split, target.info.signal, loading)
    if isinstance(network, DetectorConfig):
        max_ratio = network.max_size_px / network.min_size_px
        with_outlines = network.family == "mask_rcnn"
        return BoxEvalLoader(
            target.split, target.info, loading, max_ratio, bad_files, with_outlines=with_outlines
        )
    return eval_loader(target.split, target.info, target.view, loading, bad_files)
