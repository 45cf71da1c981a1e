"""The table of recipes on the start page, held against the recipes themselves."""

from pathlib import Path

import pytest

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.recipes.finetune import finetune
from resnext.recipes.presets import RECIPES
from resnext.runs.config import ScheduleConfig, TrainConfig

PAGE = Path(__file__).parents[3] / "docs" / "start.md"
DATA = DataConfig(name="folder", root=Path("photos"))
CONFIGS = {name: recipe(ResNeXtConfig(), DATA) for name, recipe in RECIPES.items()} | {
    "finetune": finetune(ResNeXtConfig(), DATA, Path("weights"), ModelCard())
}
FITTED = {"fast": ("rate", "batch", "epochs"), "finetune": ("batch", "epochs")}
"""The numbers of a recipe that follow the images; its row names what does not change."""


def rows() -> dict[str, list[str]]:
    """Return the cells of each row by the recipe's name, without what it is for."""
    section = PAGE.read_text(encoding="utf-8").partition("## Recipes")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    return {line[0].split("`")[1]: line[2:] for line in lines}


def cells(config: TrainConfig, fitted: tuple[str, ...]) -> list[str]:
    numbers = {
        "rate": f"{config.optim.lr:g}",
        "batch": str(config.batch_size),
        "epochs": str(config.schedule.epochs),
    }
    rate, batch, epochs = (numbers | dict.fromkeys(fitted, "fitted")).values()
    optimiser = {"sgd": "SGD", "adamw": "AdamW"}[config.optim.kind]
    return [f"{optimiser}, {rate}", batch, epochs, falls(config.schedule), augments(config.augment)]


def falls(schedule: ScheduleConfig) -> str:
    if schedule.kind != "step":
        return schedule.kind
    places = ", ".join(f"{100 * share:g}" for share in schedule.milestones)
    return f"divided by {1 / schedule.gamma:g} at {places} %"


def augments(augment: AugmentConfig) -> str:
    used = {
        "random crops": augment.crop == "resized",
        "mirrored": augment.flip,
        "colour jitter": augment.color_jitter,
        "lighting": augment.lighting,
        "TrivialAugment": augment.policy == "trivialaugment",
        "RandAugment": augment.policy == "randaugment",
        "erasing": augment.erasing,
        "mixup": augment.mixup,
        "CutMix": augment.cutmix,
    }
    return ", ".join(name for name, is_used in used.items() if is_used)


def test_every_recipe_is_in_the_table() -> None:
    assert sorted(rows()) == sorted(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_row_says_what_its_recipe_sets(name: str) -> None:
    assert rows()[name] == cells(CONFIGS[name], FITTED.get(name, ()))
