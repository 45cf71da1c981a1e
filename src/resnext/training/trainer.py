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
from resnext.runs.folder import describe_last_good
from resnext.runs.health import judge_run
from resnext.runs.metrics_log import read_metrics
from resnext.training.checkpoint import Position, save_checkpoint
from resnext.training.early_stopping import count_stale, describe_stop, has_stopped_early, is_over
from resnext.training.follow import Follower
from resnext.training.interrupt import Interrupted, StopRequest
from resnext.training.kept_weights import keep_weights
from resnext.training.meter import Meter, part_means
from resnext.training.pace import Pace
from resnext.training.schedule import lr_factor, num_head_steps, peak_lr, train_size_px
from resnext.training.step import TrainStep, seed_step
from resnext.training.trainer_parts import Loaders, Recorder

_STEPS_BETWEEN_LINES = 50


class Trainer:
    """Trains from a position to the end.

    Attributes:
        position: How far training has come; what a checkpoint stores besides tensors.
    """

    def __init__(
        self,
        train_step: TrainStep,
        loaders: Loaders,
        recorder: Recorder,
        stop: StopRequest,
        position: Position,
    ) -> None:
        self.position = position
        self._train_step = train_step
        self._config = train_step.config
        self._task = train_step.task
        self._loaders = loaders
        self._recorder = recorder
        self._stop = stop
        self._peak_lr = peak_lr(self._config.optim, self._config.batch_size)
        self._num_steps = loaders.train.num_steps
        self._all_steps = self._num_steps * self._config.schedule.epochs
        self._head_steps = num_head_steps(self._config.schedule, self._all_steps)
        self._last_save = time.monotonic()
        sizes_px = [self.size_px(epoch) for epoch in range(self._config.schedule.epochs)]
        self._pace = Pace(sizes_px, self._num_steps, loaders.validation_steps)
        self._follower = Follower(recorder.display, self._pace, self._num_steps, len(sizes_px))

    def run(self) -> None:
        """Train the remaining epochs, up to the last or to where early stopping ends them.

        Raises:
            Interrupted: A signal asked to stop; the state is saved.
            TrainingError: The loss is no longer a number; the last good state is kept.
            CheckpointError: A checkpoint could not be written.
        """
        self._recorder.display.start(self._all_steps, self.position.total_steps)
        try:
            with self._recorder.checkpoints or nullcontext():
                self._leave_if_asked()  # already while all this was made ready
                while not is_over(self._config, self.position):
                    self._train_epoch()
                    self._finish_epoch()
                    self._leave_if_asked()
        finally:
            self._recorder.display.stop()
        if has_stopped_early(self._config, self.position):
            self._recorder.display.note(
                describe_stop(self._config, self.position, self._recorder.run)
            )

    def _train_epoch(self) -> None:
        self._train_step.set_train_mode()
        runtime = self._train_step.runtime
        num_parts = len(self._task.loss_parts)
        meter = Meter(runtime.device, self.position, runtime.world_size, num_parts)
        self._follower.start_epoch(self.position)
        batches = self._loaders.train.epoch(
            self.position.epoch,
            first_step=self.position.step,
            image_size_px=self.size_px(self.position.epoch),
        )
        for batch in batches:
            self._train_step.enter_phase(head_only=self.position.total_steps < self._head_steps)
            lr = self._lr()
            seed_step(runtime, self._config.seed, self.position.total_steps)
            meter.add(self._train_step.run(batch, lr), batch.global_size, lr)
            self._advance()
            is_last = self.position.step == self._num_steps
            if is_last or self.position.step % _STEPS_BETWEEN_LINES == 0:
                self._report(meter, lr)
            else:
                self._follower.follow(self.position, meter.peek)
            if is_last:
                break
            if self._recorder.claim.is_lost:
                self._recorder.claim.check()
            self._save_if_due(meter)
            if number := self._stop.agreed(self.position.total_steps):
                self.position = meter.store_in(self.position)
                self._save()
                self._share_bad_files()
                raise self._interrupted(number)
        self.position = meter.store_in(self.position)

    def _advance(self) -> None:
        position = self.position
        self.position = replace(
            position, step=position.step + 1, total_steps=position.total_steps + 1
        )

    def _lr(self, step: int | None = None) -> float:
        """Return the learning rate of a step, by default of the next one."""
        step = self.position.total_steps if step is None else step
        return self._peak_lr * lr_factor(self._config.schedule, step, self._all_steps)

    def size_px(self, epoch: int) -> int:
        """Return the side of an epoch's training images."""
        info = self._loaders.info
        if info.signal is not None:
            return info.image_size_px
        return train_size_px(self._config, epoch, info.image_size_px)

    def _report(self, meter: Meter, lr: float) -> None:
        """Report the metrics of the last steps; stop if the loss is not a number."""
        loss, images_per_s = meter.read()
        position = self.position
        self._check_loss(loss, lr if math.isfinite(loss) else meter.failing_lr)
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
        self._follower.follow(position, lambda: (loss, images_per_s))

    def _check_loss(self, loss: float, lr: float) -> None:
        """Stop when a loss is not a number."""
        position = self.position
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {position.epoch + 1}, near step {position.step} "
                f"(learning rate {lr:.4g}). {describe_last_good(self._recorder.run)} Lower the "
                "learning rate (--lr), lengthen the warm-up (--set schedule.warmup=0.1) or clip "
                "the gradient (--set optim.clip_norm=1)"
            )

    def _finish_epoch(self) -> None:
        """Validate, log, and save: the best weights first, then the checkpoint."""
        self._wait_for_checkpoint()
        position = self.position
        model = self._average_norm_statistics()
        runtime = self._train_step.runtime
        self._recorder.display.validate(self._epoch_name())
        started = time.perf_counter()
        result = evaluate(
            model,
            self._loaders.val,
            self._task,
            device=runtime.device,
            autocast=runtime.autocast,
            full=False,
        )
        self._pace.add_validation(time.perf_counter() - started)
        num_seen = max(position.num_seen, 1)
        train_loss = position.loss_sum / num_seen
        kind, found = self._task.kind, result.figures()
        measured = found[kind.measure.key]
        assert measured is not None  # the figure that every epoch has
        score = kind.measure.score(measured, result.loss)
        figures: dict[str, Any] = {
            "epoch": position.epoch + 1,
            "train_loss": train_loss,
            kind.train_measure.key: kind.train_measure.mean(position.num_wrong, num_seen),
            **part_means(self._task.loss_parts, position),
            **found,
            "lr": self._lr(),
            "seconds": position.seconds,
            "size_px": self.size_px(position.epoch),
            kind.guess_key: self._loaders.guess,
        }
        stale_epochs = count_stale(self._config, position, score[0])
        if self._config.early_stopping is not None:
            figures["stale_epochs"] = stale_epochs
        self._recorder.display.epoch(
            epoch=self._epoch_name(),
            train_loss=train_loss,
            loss=result.loss,
            measured=f"{kind.measure.label} {kind.measure.write(measured)}",
        )
        if self._recorder.log is not None:
            self._recorder.claim.check()
            self._recorder.log.write("epoch", position.total_steps, **figures)
            self._warn()
        ended = replace(
            position,
            epoch=position.epoch + 1,
            step=0,
            best=score if score < position.best else position.best,
            loss_sum=0.0,
            num_wrong=0.0,
            part_sums=(),
            num_seen=0,
            logged=(0.0, 0),
            stale_epochs=stale_epochs,
        )
        is_last = is_over(self._config, ended)
        if is_last if self._config.keep == "last" else score < position.best:
            self._check_loss(result.loss, self._lr(position.total_steps - 1))
            if runtime.is_main:
                keep_weights(
                    self._recorder.run, model, self._config, self._loaders, figures, result
                )
        self.position = ended
        self._save()
        self._share_bad_files()
        self._loaders.bad_files.check()

    def _warn(self) -> None:
        """Show new problems in training."""
        *before, last = (row for row in read_metrics(self._recorder.run) if row["kind"] == "epoch")
        known = {finding.kind for finding in judge_run(before, self._config)}
        for finding in judge_run([*before, last], self._config):
            if finding.kind not in known:
                self._recorder.display.note(f"warning: {finding.text}")

    def _share_bad_files(self) -> None:
        """Send the bad files of other processes to the first, which records them."""
        if self._train_step.runtime.world_size > 1:
            self._loaders.bad_files.share()

    def _average_norm_statistics(self) -> nn.Module:
        """Return the network to validate, with the first process's BN statistics everywhere."""
        average = self._train_step.average
        model = average.model if average is not None else self._train_step.model
        if self._train_step.runtime.world_size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)
        return model.eval()

    def _save_if_due(self, meter: Meter) -> None:
        """Save within an epoch if the last save is old enough and complete."""
        if time.monotonic() - self._last_save < 60.0 * self._config.checkpoint_minutes:
            return
        if self._recorder.checkpoints is not None and self._recorder.checkpoints.is_busy:
            return
        self.position = meter.store_in(self.position)
        self._save()

    def _save(self) -> None:
        """Pass a copy of the state to the writer; training continues during the write."""
        self._last_save = time.monotonic()
        if self._recorder.checkpoints is not None:
            save_checkpoint(self._recorder.checkpoints, self.position, self._train_step)

    def _wait_for_checkpoint(self) -> None:
        if self._recorder.checkpoints is not None:
            self._recorder.checkpoints.wait()

    def _leave_if_asked(self) -> None:
        """Stop before an epoch; the previous epoch is already saved."""
        number = self._stop.agreed(0)
        if number and not is_over(self._config, self.position):
            raise self._interrupted(number)

    def _interrupted(self, number: int) -> Interrupted:
        self._wait_for_checkpoint()  # so that "saved" is true
        run = self._recorder.run
        return Interrupted(
            number,
            f"stopped by {signal.Signals(number).name} and saved at {self._epoch_name()}, step "
            f"{self.position.step} of {self._num_steps}; resume with: resnext train --resume "
            f"{run}",
        )

    def _epoch_name(self) -> str:
        return f"epoch {self.position.epoch + 1}/{self._config.schedule.epochs}"
