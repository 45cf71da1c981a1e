"""One training step, from a batch to new weights."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.nn.parallel import DistributedDataParallel

from resnext.data.loading.batch import Batch
from resnext.data.random import derive
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.tasks.task import Task
from resnext.training.ema import WeightAverage
from resnext.training.finetune import body_parameters, set_train_mode
from resnext.training.optimizer import set_lr

_SECOND_HEAD_WEIGHT = 0.4
"""Weight of the loss of a second head (H. Zhao et al., arXiv 1612.01105, section 3.3)."""


class TrainStep:
    """The state of a step: network, optimiser, averaged weights and runtime.

    Attributes:
        config: Settings of the run.
        runtime: Device, precision, processes.
        model: The network, whose state is saved.
        optimizer: SGD.
        average: The averaged weights, or None.
        scaler: Loss scaling of fp16; passes everything through in other precisions.
        task: Task of the network.
        is_head_only: Whether only the classifier is trained at present.
    """

    def __init__(
        self,
        config: TrainConfig,
        runtime: Runtime,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        average: WeightAverage | None,
        task: Task,
    ) -> None:
        self.config = config
        self.runtime = runtime
        self.model = model
        self.optimizer = optimizer
        self.average = average
        self.task = task
        self.scaler = torch.amp.GradScaler(
            runtime.device.type, enabled=runtime.dtype == torch.float16
        )
        self.is_head_only = False
        self._body = body_parameters(model)
        self._forward = self._distributed()

    def set_train_mode(self) -> None:
        """Put the network in training mode, after a validation or at the start."""
        set_train_mode(self.model, self.config, head_only=self.is_head_only)

    def enter_phase(self, *, head_only: bool) -> None:
        """Train only the classifier, or all layers, from the next step on.

        The optimiser skips parameters without a gradient, including weight decay, and they need no
        backward pass. DDP counts the expected gradients at construction, so it is rebuilt.
        """
        if head_only == self.is_head_only:
            return
        self.is_head_only = head_only
        for parameter in self._body:
            parameter.requires_grad_(not head_only)
        self.set_train_mode()
        self._forward = self._distributed()

    def _distributed(self) -> nn.Module:
        model = _with_second_head(self.model)
        if model is not self.model and self.config.runtime.compile is True:
            model.compile()  # not only the part that validation runs
        if self.runtime.world_size == 1:
            return model
        return _distribute(model, compress=self.config.runtime.compress_gradients)

    def run(self, batch: Batch, lr: float) -> torch.Tensor:
        """Run one optimiser step on this process's part of a batch.

        Args:
            batch: This process's images; `batch.global_size` counts those of all processes.
            lr: Learning rate of this step.

        Returns:
            Sums over this process's images, on the device (reading them waits for it): the losses,
            the task's training measure, and the task's parts of the loss.
        """
        set_lr(self.optimizer, lr)
        sums = torch.zeros(2 + len(self.task.loss_parts), device=self.runtime.device)
        parts = list(_split(batch, self.config.accumulate))
        for number, part in enumerate(parts):
            sums += self._backward(part, is_last=number == len(parts) - 1)
        if self.config.optim.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optim.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update()
        return sums

    def _backward(self, part: Batch, *, is_last: bool) -> torch.Tensor:
        """Add the gradient of one part of the batch; processes exchange theirs with the last."""
        wait = (
            self._forward.no_sync()
            if isinstance(self._forward, DistributedDataParallel) and not is_last
            else nullcontext()
        )
        with wait:
            with self.runtime.autocast():
                outputs_b, *others = _as_tuple(self._forward(*self.task.inputs(part)))
                loss = self.task.loss(outputs_b, part)
                for other_b in others:
                    loss = loss + _SECOND_HEAD_WEIGHT * self.task.loss(other_b, part)
            # Processes average their gradients; weighting by size makes that the exact mean
            # over the images, also where the shares differ by one.
            size = len(part.targets_b)
            weight = size * self.runtime.world_size / part.global_size
            torch.autograd.backward(self.scaler.scale(loss * weight))
        with torch.no_grad():
            train_sum = self.task.train_sum(outputs_b, part)
            parts = self.task.part_sums(outputs_b, part)
        return torch.stack((loss.detach() * size, *(s.to(loss.dtype) for s in (train_sum, *parts))))


class _AllHeads(nn.Module):
    """A network with a second head, which returns the outputs of both."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images_bchw: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs: tuple[torch.Tensor, ...] = cast("Any", self.model).forward_with_aux(images_bchw)
        return outputs


def _with_second_head(model: nn.Module) -> nn.Module:
    return model if getattr(model, "aux_classifier", None) is None else _AllHeads(model)


def _as_tuple(outputs: Any) -> tuple[Any, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def seed_step(runtime: Runtime, seed: int, total_steps: int) -> None:
    """Make the randomness of a step, such as VGG's dropout, a function of the step.

    A resumed run therefore uses the same randomness as an uninterrupted one. Processes use
    different randomness.
    """
    drawn = derive(seed, runtime.rank, total_steps) % 2**63
    if runtime.device.type == "cpu":
        torch.default_generator.manual_seed(drawn)  # the generators of all devices take 2 ms
    else:
        torch.manual_seed(drawn)


def _distribute(model: nn.Module, *, compress: bool) -> nn.Module:
    """Average gradients between processes, optionally communicated in bf16.

    Each process keeps its own BN statistics in training, which do not affect gradients; before use,
    those of the first process are sent to all.
    """
    # torch 2.14 renames the option and warns of the old name
    known = inspect.signature(DistributedDataParallel).parameters
    option = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    options: dict[str, Any] = {option: False}
    # DDP rebuilds its buckets after the first step, and again after a restart: with more
    # than two processes the sums would round otherwise there. This option keeps one layout, at
    # the price of a walk through the graph and a line of torch that it was not needed. A GPU's
    # own sums differ anyway.
    is_cpu = next(model.parameters()).device.type == "cpu"
    options["find_unused_parameters"] = is_cpu and dist.get_world_size() > 2
    parallel = DistributedDataParallel(model, gradient_as_bucket_view=True, **options)
    if compress:
        parallel.register_comm_hook(None, default_hooks.bf16_compress_hook)
    return parallel


def _split(batch: Batch, parts: int) -> Iterator[Batch]:
    """Split a batch into nearly equal parts."""
    size = len(batch.targets_b)
    cuts = [part * size // parts for part in range(parts + 1)]
    for start, end in itertools.pairwise(cuts):
        if start == end:
            continue
        span = slice(start, end)
        other, kept, sizes = batch.other_targets_b, batch.kept_b, batch.sizes_b2
        masks = batch.object_masks
        yield replace(
            batch,
            images_bchw=batch.images_bchw[span],
            targets_b=batch.targets_b[span],
            indices_b=batch.indices_b[span],
            other_targets_b=None if other is None else other[span],
            kept_b=None if kept is None else kept[span],
            sizes_b2=None if sizes is None else sizes[span],
            object_masks=None if masks is None else masks[span],
        )
