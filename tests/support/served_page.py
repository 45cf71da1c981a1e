"""The page in an application of its own, asked as its part in the browser asks."""

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from made_runs import make_run
from page_network import image_file
from starlette.testclient import TestClient

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.page import build_page, mount_page
from resnext.page.guard import PageGuard
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec

API = "/page/gradio_api"
IMAGE = image_file()
CONFIG = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1,), stage_widths=(16,), cardinality=2, num_classes=3
)


def exported() -> Exported:
    """Return a network that names the strongest colour of an image."""
    card = ModelCard(classes=("red", "green", "blue"), image_size_px=8, resize_px=None)
    spec = ExportSpec(format="onnx", input="pixels", size_px=8)

    def mean_of_channels(batch: Any) -> Any:
        return batch.astype(np.float32).mean(axis=(1, 2)) / 25.5

    return Exported(Path("colours.onnx"), CONFIG, card, spec, mean_of_channels)


class Asked:
    """A client of the page.

    Attributes:
        client: Asks the application.
        guard: What stands before gradio.
        gradio: What gradio mounted.
        page: The page itself.
    """

    def __init__(self, client: TestClient, app: FastAPI, page: Any) -> None:
        mounted: Any = app.routes[-1]
        assert isinstance(mounted.app, PageGuard)
        self.client = client
        self.guard = mounted.app
        self.gradio = mounted
        self.page = page

    def function(self, num_inputs: int, first: str) -> int:
        """Return the number of the function with so many inputs, the first of a kind."""
        (number,) = (
            number
            for number, function in self.page.fns.items()
            if len(function.inputs) == num_inputs
            and function.inputs[0].get_block_name() == first
            and not getattr(function.inputs[0], "elem_id", "").startswith("report")
        )
        return int(number)

    def join(self, function: int, data: list[Any], session: str = "s1", **more: Any) -> Any:
        """Call a function."""
        body = {"fn_index": function, "data": data, "session_hash": session, **more}
        return self.client.post(f"{API}/queue/join", content=json.dumps(body))

    def answers(self, session: str = "s1") -> list[dict[str, Any]]:
        """Read what the queue has for a session, to its end."""
        answer = self.client.get(f"{API}/queue/data", params={"session_hash": session})
        assert answer.status_code == 200, answer.text
        lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    def result(self, session: str = "s1") -> list[Any]:
        """Return what the function that was called put out."""
        (done,) = (one for one in self.answers(session) if one["msg"] == "process_completed")
        assert done["success"], done
        data: list[Any] = done["output"]["data"]
        return data

    def upload(self, *images: bytes) -> list[str]:
        """Upload images and return their names."""
        files = [("files", (f"../../{n}.png", io.BytesIO(data))) for n, data in enumerate(images)]
        answer = self.client.post(f"{API}/upload", files=files)
        assert answer.status_code == 200, answer.text
        names: list[str] = answer.json()
        return names


def file_data(path: Any, **more: Any) -> dict[str, Any]:
    """Return what makes gradio open a file."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def mounted(app: FastAPI, runs: Path | None, path: str = "/page") -> Any:
    """Mount the page of that network, and return it.

    gradio makes locks as it is mounted, and would make a loop for them where none is running.
    """

    async def mount() -> Any:
        page = build_page(model=exported(), runs=runs)
        mount_page(app, page, path)
        return page

    return asyncio.run(mount())


@contextmanager
def served_page(folder: Path) -> Iterator[Asked]:
    """Serve the page with a network of three colours and two runs.

    Args:
        folder: An empty one, for the runs.
    """
    for name in ("first", "second"):
        make_run(folder / name, [50.0])
    app = FastAPI()
    page = mounted(app, folder)
    with TestClient(app) as client:
        yield Asked(client, app, page)
