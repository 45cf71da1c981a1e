"""A process that serves the page alone, for a browser: page_server.py RUN RUNS."""

import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from resnext.inference.load import load
from resnext.page import build_page, mount_page


def serve(run: Path, runs: Path) -> None:
    """Print the port, then serve until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = FastAPI()
    mount_page(app, build_page(model=load(run), runs=runs, name=run.name))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    print(listener.getsockname()[1], flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
