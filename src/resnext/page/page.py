"""The page: its three tabs, and how it is mounted in a web application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.routing import Mount

from resnext.page.classify_tab import build_classify_tab
from resnext.page.design_tab import build_design_tab
from resnext.page.guard import PageGuard
from resnext.page.heading import heading
from resnext.page.runs_tab import build_runs_tab
from resnext.page.sessions import MAX_SESSIONS
from resnext.page.uploads import MAX_IMAGE_BYTES, Uploads
from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from fastapi import FastAPI

    from resnext.model.trained import TrainedNetwork
    from resnext.runtimes.exported import Exported

_MAX_WAITING = 32
# gradio scopes page.css below its own container, which is styled here
_NARROW = (
    "<style>@media (max-width: 480px) {.gradio-container .app { padding: 8px !important }}</style>"
)


def build(model: TrainedNetwork | Exported | None, runs: Path | None, name: str) -> gr.Blocks:
    """Build the page; see `resnext.page.build_page`."""
    # analytics would query a gradio server for the newest version
    page = gr.Blocks(
        analytics_enabled=False, title=f"{printable(name)} · resnext" if name else "resnext"
    )
    page.uploads = Uploads()
    page.state_session_capacity = MAX_SESSIONS
    with page:
        if model is not None:
            gr.HTML(heading(model, name), elem_classes="rx", elem_id="served")
        with gr.Tabs(selected="design" if model is None else "classify"):
            with gr.Tab("Classify", id="classify"):
                build_classify_tab(model, page.uploads)
            with gr.Tab("Design", id="design"):
                build_design_tab()
            with gr.Tab("Runs", id="runs-tab"):
                build_runs_tab(runs)
    page.queue(max_size=_MAX_WAITING, api_open=False)
    for block in page.blocks.values():
        block.async_move_resource_to_block_cache = _only_named(page.uploads)
    return page


def _only_named(uploads: Uploads) -> Callable[[Any], Awaitable[str]]:
    """Replace gradio's copying and fetching of files that a caller names."""

    async def take(name: Any) -> str:
        if uploads.path_of(name) is None:
            raise gr.Error("no such upload", print_exception=False)
        return str(name)

    return take


def mount(app: FastAPI, page: gr.Blocks, path: str) -> FastAPI:
    """Mount the page in an application; see `resnext.page.mount_page`."""
    gr.mount_gradio_app(
        app,
        page,
        path,
        theme=gr.themes.Default(
            primary_hue="blue",
            neutral_hue="slate",
            font=["system-ui", "sans-serif"],
            font_mono=["ui-monospace", "monospace"],
        ).set(
            # the theme's grey is too pale to read
            block_info_text_color="*neutral_600",
            block_label_text_color="*neutral_700",
            block_title_text_color="*neutral_700",
        ),
        css_paths=[Path(__file__).with_name("page.css")],
        head=_NARROW,
        footer_links=[],
        show_error=False,
        max_file_size=MAX_IMAGE_BYTES,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        run_history=False,
        enable_monitoring=False,
    )
    mounted = app.routes[-1]
    assert isinstance(mounted, Mount)
    mounted.app = PageGuard(mounted.app, page)
    _clear_at_end(app, page.uploads)
    return app


def _clear_at_end(app: FastAPI, uploads: Uploads) -> None:
    """Remove the uploads at shutdown, since a server may then end the process with a signal."""
    while_running = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        try:
            async with while_running(app) as state:
                yield state
        finally:
            uploads.clear()

    app.router.lifespan_context = lifespan
