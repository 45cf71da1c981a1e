"""Registered parts on the design tab: offered, drawn and counted."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from own_parts import page_files

import resnext
from resnext.model.choices import Block
from resnext.model.parts import BlockPart
from resnext.page.block_drawing import draw_block
from resnext.page.design_view import show
from resnext.page.settings_form import Entered, choices, named_network

__all__ = ["page_files"]


@pytest.fixture(autouse=True)
def _load(page_files: Path) -> None:
    resnext.load_plugin(page_files / "se.py")
    resnext.load_plugin(page_files / "parts.py")


def test_a_network_with_parts_is_entered_as_the_same_network() -> None:
    config = named_network("resnext50_32x4d_se_deep_averaged")
    for entered in (config, config.replace(block={"name": "se", "reduction": 4})):
        assert Entered.of(entered).network() == entered


def test_registered_blocks_are_offered_and_what_is_shown_stays() -> None:
    assert choices(get_args(Block), BlockPart, "basic") == ["bottleneck", "basic", "se"]
    config = named_network("resnext50_32x4d").replace(block={"name": "se", "reduction": 4})
    shown = Entered.of(config).block
    assert choices(get_args(Block), BlockPart, shown)[-1] == shown


def test_a_network_with_parts_is_drawn_and_counted() -> None:
    config = named_network("resnext50_32x4d_se_deep_averaged")
    drawing = draw_block(config, "a")
    assert "se (reduction=16)" in drawing
    first = config.replace(blocks_per_stage=(1, 1))
    assert "registered shortcut" in draw_block(first, "b")
    ((view,), table) = show([Entered.of(config)])
    assert "conv1: deep" in view.details
    assert "resnext50_32x4d_se_deep_averaged" in table
