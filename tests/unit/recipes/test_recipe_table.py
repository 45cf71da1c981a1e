"""The table of recipes on the start page, held against the recipes themselves."""

from pathlib import Path

import pytest

from resnext.data.config import AugmentConfig, DataConfig
from resnext.model.config import ResNeXtConfig
from resnext.recipes.presets import RECIPES
from resnext.training.config import ScheduleConfig, TrainConfig

PAGE = Path(__file__).parents[3] / "docs" / "start.md"
FITTED = "fast"
"""The recipe whose numbers follow the images; its row names what does not change."""


def rows() -> dict[str, list[str]]:
    """Return the cells of each row by the recipe's name, without what it is for."""
    section = PAGE.read_text(encoding="utf-8").partition("## Recipes")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    return {line[0].split("`")[1]: line[2:] for line in lines}


def cells(config: TrainConfig, *, is_fitted: bool) -> list[str]:
    numbers = [f"{config.optim.lr:g}", str(config.batch_size), str(config.schedule.epochs)]
    rate, batch, epochs = ["fitted"] * 3 if is_fitted else numbers
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
    assert list(rows()) == list(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_row_says_what_its_recipe_sets(name: str) -> None:
    config = RECIPES[name](ResNeXtConfig(), DataConfig(name="folder", root=Path("photos")))
    assert rows()[name] == cells(config, is_fitted=name == FITTED)
