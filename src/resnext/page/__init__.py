"""The web page: classify images, design networks, compare runs.

Each tab separates its logic (`classifier`, `design_table`, `run_list`) from its HTML (`..._view`)
and its controls (`..._tab`); `guard` and `sessions` filter what reaches gradio. The classifier
predicts with `resnext.inference`. The package may import everything except `cli` and `recipes`;
gradio is imported only when a page is built.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resnext.extras import needed_by

if TYPE_CHECKING:
    import gradio
    from fastapi import FastAPI

    from resnext.model.trained import TrainedNetwork
    from resnext.runtimes.exported import Exported

__all__ = ["build_page", "mount_page"]


def build_page(
    *, model: TrainedNetwork | Exported | None, runs: Path | None, name: str = ""
) -> gradio.Blocks:
    """Build the page.

    Args:
        model: The network that classifies: a trained one, which has heat maps, or an exported
            file, which does not. Without one, that tab explains how to serve one.
        runs: The folder whose runs are shown; None shows none.
        name: Name of the network on the page; by default its architecture.

    Raises:
        ConfigError: Gradio is not installed.
    """
    with needed_by("the page"):
        from resnext.page.page import build

    return build(model, runs, name)


def mount_page(app: FastAPI, page: gradio.Blocks, path: str = "/page") -> FastAPI:
    """Mount the page in a web application, with its style, its limits and its guard.

    Use this instead of `gradio.mount_gradio_app`, which would drop the style and expose all of
    gradio to callers.
    """
    from resnext.page.page import mount

    return mount(app, page, path)
