"""The training loop: epochs of steps, each epoch validated, logged and saved."""

from __future__ import annotations

import math
import signal
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch.distributed as dist
from torch import nn

from resnext.errors import TrainingError
from resnext.evaluation.evaluate import evaluate
from resnext.model.card import ModelCard
from resnext.model.weights import BEST, save_weights
from resnext.training.checkpoint import Position, save_checkpoint
from resnext.training.health import judge_run
from resnext.training.interrupt import Interrupted, StopRequest
from resnext.training.loop_parts import Loaders, Recorder
from resnext.training.meter import Meter
from resnext.training.metrics_log import read_metrics
from resnext.training.run_folder import keep_last_good
from resnext.training.schedule import lr_factor, num_head_steps, peak_lr
from resnext.training.step import Trainer, seed_step

_STEPS_BETWEEN_LINES = 50


class Loop:
    """Trains from a position to the end.

    Attributes:
        position: How far training has come; what a checkpoint stores besides tensors.
    """

    def __init__(
        self,
        trainer: Trainer,
        loaders: Loaders,
        recorder: Recorder,
        stop: StopRequest,
        position: Position,
    ) -> None:
        self.position = position
        self._trainer = trainer
        self._config = trainer.config
        self._loaders = loaders
        self._recorder = recorder
        self._stop = stop
        self._peak_lr = peak_lr(self._config.optim, self._config.batch_size)
        self._num_steps = loaders.train.num_steps
        self._all_steps = self._num_steps * self._config.schedule.epochs
        self._head_steps = num_head_steps(self._config.schedule, self._all_steps)
        self._last_save = time.monotonic()

    def run(self) -> None:
        """Train all remaining epochs.

        Raises:
            Interrupted: A signal asked to stop; the state is saved.
            TrainingError: The loss is no longer a number; the last good state is kept.
            CheckpointError: A checkpoint could not be written.
        """
        self._recorder.display.start(self._all_steps, self.position.total_steps)
        try:
            with self._recorder.checkpoints or nullcontext():
                self._leave_if_asked()  # already while all this was made ready
                while self.position.epoch < self._config.schedule.epochs:
                    self._train_epoch()
                    self._finish_epoch()
                    self._leave_if_asked()
        finally:
            self._recorder.display.stop()

    def _train_epoch(self) -> None:
        self._trainer.set_train_mode()
        runtime = self._trainer.runtime
        meter = Meter(runtime.device, self.position, runtime.world_size)
        batches = self._loaders.train.epoch(
            self.position.epoch,
            first_step=self.position.step,
            image_size_px=self.size_px(self.position.epoch),
        )
        for batch in batches:
            self._trainer.enter_phase(head_only=self.position.total_steps < self._head_steps)
            lr = self._lr()
            seed_step(self._config.seed, runtime.rank, self.position.total_steps)
            meter.add(self._trainer.step(batch, lr), batch.global_size)
            self._advance()
            is_last = self.position.step == self._num_steps
            if is_last or self.position.step % _STEPS_BETWEEN_LINES == 0:
                self._report(meter, lr)
            if is_last:
                break
            if self._recorder.claim.is_lost:
                self._recorder.claim.check()
            self._save_if_due(meter)
            if number := self._stop.agreed(self.position.total_steps):
                self.position = meter.into(self.position)
                self._save()
                self._share_bad_files()
                raise self._interrupted(number)
        self.position = meter.into(self.position)

    def _advance(self) -> None:
        position = self.position
        self.position = replace(
            position, step=position.step + 1, total_steps=position.total_steps + 1
        )

    def _lr(self) -> float:
        schedule = self._config.schedule
        return self._peak_lr * lr_factor(schedule, self.position.total_steps, self._all_steps)

    def size_px(self, epoch: int) -> int:
        """Return the side of an epoch's training images: smaller early if so configured."""
        shares = self._config.size_schedule
        share = shares[epoch * len(shares) // self._config.schedule.epochs]
        return max(2, 2 * round(share * self._loaders.info.image_size_px / 2))

    def _report(self, meter: Meter, lr: float) -> None:
        """Tell the figures of the last steps; stop when the loss is not a number."""
        loss, images_per_s = meter.read()
        position = self.position
        self._check_loss(loss, lr)
        if self._recorder.log is not None:
            self._recorder.claim.check()
            self._recorder.log.write(
                "train",
                position.total_steps,
                epoch=position.epoch + 1,
                loss=loss,
                lr=lr,
                images_per_s=images_per_s,
            )
        remaining = self._all_steps - position.total_steps
        self._recorder.display.step(
            epoch=self._epoch_name(),
            total_steps=position.total_steps,
            loss=loss,
            images_per_s=images_per_s,
            seconds_left=remaining * self._config.batch_size / max(images_per_s, 1e-9),
        )

    def _check_loss(self, loss: float, lr: float) -> None:
        """Stop when a loss is not a number."""
        position = self.position
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {position.epoch + 1}, near step {position.step} "
                f"(learning rate {lr:.4g}). {keep_last_good(self._recorder.run)} Lower the "
                "learning rate (--lr), lengthen the warm-up (--set schedule.warmup=0.1) or clip "
                "the gradient (--set optim.clip_norm=1)"
            )

    def _finish_epoch(self) -> None:
        """Validate, log, and save: the best weights first, then the checkpoint that knows them."""
        self._wait_for_checkpoint()
        position = self.position
        model = self._share_statistics()
        runtime = self._trainer.runtime
        result = evaluate(
            model,
            self._loaders.val,
            num_classes=len(self._loaders.info.classes),
            device=runtime.device,
            autocast=runtime.autocast,
            full=False,
        )
        num_seen = max(position.num_seen, 1)
        train_loss = position.loss_sum / num_seen
        figures: dict[str, Any] = {
            "epoch": position.epoch + 1,
            "train_loss": train_loss,
            "train_top1_error": 100.0 * position.num_wrong / num_seen,
            "top1_error": result.top1_error,
            "top5_error": result.top5_error,
            "loss": result.loss,
            "lr": self._lr(),
            "seconds": position.seconds,
            "size_px": self.size_px(position.epoch),
            "guess_error": self._loaders.guess_error,
        }
        self._recorder.display.epoch(
            epoch=self._epoch_name(),
            train_loss=train_loss,
            loss=result.loss,
            top1_error=result.top1_error,
        )
        if self._recorder.log is not None:
            self._recorder.claim.check()
            self._recorder.log.write("epoch", position.total_steps, **figures)
            self._warn()
        score = (result.top1_error, result.loss)
        if self._is_kept(score):
            self._check_loss(result.loss, self._lr())
            self._save_weights(model, figures)
        self.position = replace(
            position,
            epoch=position.epoch + 1,
            step=0,
            best=min(score, position.best),
            loss_sum=0.0,
            num_wrong=0.0,
            num_seen=0,
            told=(0.0, 0),
        )
        self._save()
        self._share_bad_files()
        self._loaders.bad_files.check()

    def _warn(self) -> None:
        """Say in plain words what has newly gone wrong."""
        *before, last = (row for row in read_metrics(self._recorder.run) if row["kind"] == "epoch")
        known = {finding.kind for finding in judge_run(before, self._config)}
        for finding in judge_run([*before, last], self._config):
            if finding.kind not in known:
                self._recorder.display.note(f"warning: {finding.text}")

    def _share_bad_files(self) -> None:
        """Let the first process, which writes them down, know those that others met."""
        if self._trainer.runtime.world_size > 1:
            self._loaders.bad_files.share()

    def _share_statistics(self) -> nn.Module:
        """Return the network to validate, with the first process's BN statistics in all."""
        average = self._trainer.average
        model = average.model if average is not None else self._trainer.model
        if self._trainer.runtime.world_size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)
        return model.eval()

    def _is_kept(self, score: tuple[float, float]) -> bool:
        if self._config.keep == "last":
            return self.position.epoch + 1 == self._config.schedule.epochs
        return score < self.position.best

    def _save_weights(self, model: nn.Module, figures: dict[str, Any]) -> None:
        if not self._trainer.runtime.is_main:
            return
        info = self._loaders.info
        card = ModelCard(
            data=info.name,
            classes=info.classes,
            image_size_px=self._config.view.size_px or info.image_size_px,
            resize_px=self._loaders.val.resize_px,
            interpolation=self._config.view.interpolation or "bilinear",
            mean=info.mean,
            std=info.std,
            metrics={name: figures[name] for name in ("top1_error", "loss")},
            epoch=figures["epoch"],
        )
        save_weights(self._recorder.run / BEST, model, self._config.model, card)

    def _save_if_due(self, meter: Meter) -> None:
        """Save in mid-epoch when the last save is long ago and on the disk."""
        if time.monotonic() - self._last_save < 60.0 * self._config.checkpoint_minutes:
            return
        if self._recorder.checkpoints is not None and self._recorder.checkpoints.is_busy:
            return
        self.position = meter.into(self.position)
        self._save()

    def _save(self) -> None:
        """Hand a copy of the state to the writer; training goes on while it is written."""
        self._last_save = time.monotonic()
        if self._recorder.checkpoints is not None:
            save_checkpoint(self._recorder.checkpoints, self.position, self._trainer)

    def _wait_for_checkpoint(self) -> None:
        if self._recorder.checkpoints is not None:
            self._recorder.checkpoints.wait()

    def _leave_if_asked(self) -> None:
        """Stop before an epoch; the end of the one before is saved already."""
        number = self._stop.agreed(0)
        if number and self.position.epoch < self._config.schedule.epochs:
            raise self._interrupted(number)

    def _interrupted(self, number: int) -> Interrupted:
        self._wait_for_checkpoint()  # so that "saved" is true
        run = self._recorder.run
        return Interrupted(
            number,
            f"stopped by {signal.Signals(number).name} and saved at {self._epoch_name()}, step "
            f"{self.position.step} of {self._num_steps}; go on with: resnext train --resume {run}",
        )

    def _epoch_name(self) -> str:
        return f"epoch {self.position.epoch + 1}/{self._config.schedule.epochs}"
