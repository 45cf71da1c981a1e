"""The web page: classify images, design networks, compare runs.

Each tab has what it does (`classifier`, `design_table`, `run_list`) apart from what it shows
(`..._view`) and from its controls (`..._tab`); `guard` and `sessions` stand between callers and
gradio. The classifier predicts by `resnext.inference`. The package may import all but `cli` and
`recipes`; gradio is imported when a page is built.
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
        model: A network to classify with: a trained one, whose heat maps can be seen, or an
            exported file, whose cannot. Without one, that tab says how to serve one.
        runs: The folder whose run folders are shown; None shows none.
        name: What the network is called; by default by its architecture.

    Raises:
        ConfigError: Gradio is not installed.
    """
    with needed_by("the page"):
        from resnext.page.page import build

    return build(model, runs, name)


def mount_page(app: FastAPI, page: gradio.Blocks, path: str = "/page") -> FastAPI:
    """Put the page into a web application at a path, with its style, its limits and its guard.

    Use this and not `gradio.mount_gradio_app`, which would show the page plain, and would let
    callers reach all of gradio.
    """
    from resnext.page.page import mount

    return mount(app, page, path)
