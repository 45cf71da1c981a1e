"""Heat maps: Grad-CAM on the feature maps of the last stage.

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
    """Return why heat maps of a model are unavailable, or None if they are available."""
    if isinstance(model, Exported):
        return (
            "No heat map: it needs gradients, which an exported file does not provide. To see "
            "heat maps, serve the run or weight file that this file was exported from."
        )
    if not isinstance(model.config, ResNeXtConfig):
        return "No heat map: it is computed on the last stage, which this network does not have."
    if importlib.util.find_spec("pytorch_grad_cam") is None:
        return f"No heat map: it needs {advice('pytorch_grad_cam')}"
    return None


class HeatMaps:
    """Computes heat maps of one network, one at a time."""

    def __init__(self, model: TrainedNetwork) -> None:
        """Prepare a copy of a network; the network itself is not changed.

        The copy shares the weights. It has hooks, and gradients of the maps only; both would
        interfere with predictions in other threads.
        """
        from pytorch_grad_cam import GradCAM

        config = model.config
        assert isinstance(config, ResNeXtConfig)
        module = _share_weights(model.module)
        last_stage = getattr(module, f"layer{len(config.blocks_per_stage)}")
        # With frozen weights, gradients start at the image.
        self._cam = GradCAM(module, [last_stage])
        self._cam.compute_input_gradient = True
        self._lock = threading.Lock()

    def draw(self, image_bchw: torch.Tensor, label: int) -> Heat:
        """Return how much each location contributed to a class.

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
