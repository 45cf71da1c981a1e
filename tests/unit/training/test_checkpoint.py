"""What a checkpoint gives back to the network and its optimiser."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from tasks import classifier
from torch import nn

from resnext.runs.config import OptimConfig, TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training.checkpoint import Position, load_checkpoint, save_checkpoint
from resnext.training.checkpoint_file import CheckpointFiles, Stored
from resnext.training.checkpoint_writer import CheckpointWriter
from resnext.training.optimizer import build_optimizer
from resnext.training.step import TrainStep


def test_a_checkpoint_without_momentum_leaves_it_at_rest(tmp_path: Path) -> None:
    state = {"model.weight": torch.ones(1, 2), "model.bias": torch.ones(1)}
    momentum = {"momentum.weight": torch.full((1, 2), 3.0)}
    position = Position(epoch=1, total_steps=5)
    files = CheckpointFiles(tmp_path)
    files.write(Stored(json.dumps(asdict(position)), state | momentum))
    model = nn.Linear(2, 1)
    config = TrainConfig()
    optimizer = build_optimizer(model, config.optim)
    train_step = TrainStep(
        config, Runtime(torch.device("cpu"), torch.float32), model, optimizer, None, classifier(1)
    )
    assert load_checkpoint(files, train_step) == position
    assert model.weight.tolist() == [[1.0, 1.0]]
    assert optimizer.state[model.weight]["momentum_buffer"].tolist() == [[3.0, 3.0]]
    assert optimizer.state[model.bias]["momentum_buffer"].tolist() == [0.0]


def test_the_position_of_an_older_checkpoint_is_read_under_its_old_name(tmp_path: Path) -> None:
    values = asdict(Position(epoch=1, step=4, loss_sum=9.0, num_seen=7))
    del values["logged"]
    state = {"model.weight": torch.ones(1, 2), "model.bias": torch.ones(1)}
    files = CheckpointFiles(tmp_path)
    files.write(Stored(json.dumps(values | {"told": (6.5, 5)}), state))
    model, config = nn.Linear(2, 1), TrainConfig()
    optimizer = build_optimizer(model, config.optim)
    runtime = Runtime(torch.device("cpu"), torch.float32)
    position = load_checkpoint(
        files, TrainStep(config, runtime, model, optimizer, None, classifier(1))
    )
    assert position == Position(epoch=1, step=4, loss_sum=9.0, num_seen=7, logged=(6.5, 5))


def test_the_state_of_adamw_comes_back_bit_for_bit(tmp_path: Path) -> None:
    config = TrainConfig(optim=OptimConfig(kind="adamw", lr=0.1))
    runtime = Runtime(torch.device("cpu"), torch.float32)

    def build(model: nn.Linear) -> TrainStep:
        nn.init.ones_(model.weight)
        nn.init.zeros_(model.bias)
        return TrainStep(
            config, runtime, model, build_optimizer(model, config.optim), None, classifier(1)
        )

    def step(train_step: TrainStep) -> None:
        train_step.model(torch.tensor([[1.0, 2.0]])).square().sum().backward()
        train_step.optimizer.step()
        train_step.optimizer.zero_grad()

    model, other = nn.Linear(2, 1), nn.Linear(2, 1)
    first, second = build(model), build(other)
    for _ in range(3):
        step(first)
    files = CheckpointFiles(tmp_path)
    with CheckpointWriter(files) as writer:
        save_checkpoint(writer, Position(total_steps=3), first)
    load_checkpoint(files, second)
    step(first)
    step(second)
    assert torch.equal(model.weight, other.weight)
    assert first.optimizer.state[model.bias]["step"] == 4
