"""The settings that a model card names are those of the run."""

from resnext.hub.recipe import main_settings
from resnext.runs.config import OptimConfig, TrainConfig


def test_the_optimiser_is_the_one_that_trained() -> None:
    sgd = OptimConfig(kind="sgd", momentum=0.8, nesterov=False, lr=0.2, lr_batch_size=64)
    adamw = OptimConfig(
        kind="adamw", momentum=0.9, lr=0.001, clip_norm=1.0, head_lr_factor=10, layer_decay=0.5
    )
    named = [dict(main_settings(TrainConfig(optim=optim))) for optim in (sgd, adamw)]
    assert [rows["optimiser"] for rows in named] == [
        "SGD, momentum 0.8",
        "AdamW, first beta 0.9, gradients cut to a norm of 1",
    ]
    assert [rows["learning rate"] for rows in named] == [
        "0.2 for a batch of 64",
        "0.001 for a batch of 256, of the classifier times 10, times 0.5 a stage before it",
    ]
