"""What a checkpoint gives back to the network and its optimiser."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from resnext.training.checkpoint import Position, load_checkpoint
from resnext.training.checkpoint_file import CheckpointFiles, Stored
from resnext.training.config import TrainConfig
from resnext.training.optimizer import build_optimizer
from resnext.training.runtime import Runtime
from resnext.training.step import Trainer


def test_a_checkpoint_without_momentum_leaves_it_at_rest(tmp_path: Path) -> None:
    state = {"model.weight": torch.ones(1, 2), "model.bias": torch.ones(1)}
    momentum = {"momentum.weight": torch.full((1, 2), 3.0)}
    position = Position(epoch=1, total_steps=5)
    files = CheckpointFiles(tmp_path)
    files.write(Stored(json.dumps(asdict(position)), state | momentum))
    model = nn.Linear(2, 1)
    config = TrainConfig()
    optimizer = build_optimizer(model, config.optim)
    trainer = Trainer(config, Runtime(torch.device("cpu"), torch.float32), model, optimizer, None)
    assert load_checkpoint(files, trainer) == position
    assert model.weight.tolist() == [[1.0, 1.0]]
    assert optimizer.state[model.weight]["momentum_buffer"].tolist() == [[3.0, 3.0]]
    assert optimizer.state[model.bias]["momentum_buffer"].tolist() == [0.0]
