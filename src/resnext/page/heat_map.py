"""Where a network looked: Grad-CAM on the maps of its last stage.

Source: Selvaraju et al., arXiv 1610.02391.
"""

from __future__ import annotations

import copy
import importlib.util
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from resnext.extras import advice
from resnext.model.config import ResNeXtConfig
from resnext.runtimes.exported import Exported

if TYPE_CHECKING:
    import torch
    from torch import nn

    from resnext.model.trained import TrainedNetwork

Heat = npt.NDArray[np.float32]


def why_not(model: TrainedNetwork | Exported) -> str | None:
    """Say why heat maps of a model cannot be drawn, or return None if they can."""
    if isinstance(model, Exported):
        return (
            "Without a heat map: it needs the gradients of the network, which an exported file "
            "does not have. Serve the run or weight file that it was exported from to see where "
            "the network looks."
        )
    if not isinstance(model.config, ResNeXtConfig):
        return "Without a heat map: it is drawn on the last stage, which this network has not."
    if importlib.util.find_spec("pytorch_grad_cam") is None:
        return f"Without a heat map: it needs {advice('pytorch_grad_cam')}"
    return None


class HeatMaps:
    """Draws heat maps of one network, one at a time."""

    def __init__(self, model: TrainedNetwork) -> None:
        """Take a network, whose own module stays as it is.

        The copy shares the weights. It has hooks, and gradients of the maps alone; both would
        disturb whoever predicts with the module in another thread.
        """
        from pytorch_grad_cam import GradCAM

        config = model.config
        assert isinstance(config, ResNeXtConfig)
        module = _share_weights(model.module)
        last_stage = getattr(module, f"layer{len(config.blocks_per_stage)}")
        # With frozen weights the gradients start at the image.
        self._cam = GradCAM(module, [last_stage])
        self._cam.compute_input_gradient = True
        self._lock = threading.Lock()

    def draw(self, image_bchw: torch.Tensor, label: int) -> Heat:
        """Return how much each place spoke for a class.

        Args:
            image_bchw: One normalised image.
            label: The class.

        Returns:
            h x w in 0..1.
        """
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        with self._lock:
            heat_bhw = self._cam(image_bchw, targets=[ClassifierOutputTarget(label)])
            self._cam.activations_and_grads.clear()
        heat: Heat = np.nan_to_num(heat_bhw[0]).astype(np.float32)
        return heat


def _share_weights(module: nn.Module) -> nn.Module:
    from torch import nn

    shared: dict[int, Any] = {
        id(weight): nn.Parameter(weight.detach(), requires_grad=False)
        for weight in module.parameters()
    }
    shared |= {id(buffer): buffer for buffer in module.buffers()}
    return copy.deepcopy(module, shared).eval()
