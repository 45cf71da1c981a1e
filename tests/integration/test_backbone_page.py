"""The page on use with other libraries, executed from its own code blocks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from hub_networks import ODD, random_network

import resnext
from resnext.hub.save import save_pretrained

PAGE = (Path(__file__).parents[2] / "docs" / "backbone.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
OPTIONAL = ("timm", "segmentation_models_pytorch", "transformers", "lightning")
PRINTED = {
    0: "[256, 512, 1024, 2048]\n[4, 8, 16, 16]\n"
    "[(256, 16, 16), (512, 8, 8), (1024, 4, 4), (2048, 4, 4)]\n",
    2: "True\ntorch.Size([1, 10])\n",
    4: "['boxes', 'labels', 'scores']\n",
    5: "torch.Size([1, 5, 64, 64])\n",
    6: "torch.Size([1, 11, 64, 96])\n",
    7: "torch.Size([1, 2, 64, 64])\n",
    8: "torch.Size([1, 11, 50, 70])\n",
    9: "torch.Size([1, 2, 32, 32])\n",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_examples_of_the_page_run(
    number: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in OPTIONAL:
        if re.search(rf"^(?:import|from) {library}\b", BLOCKS[number], re.MULTILINE):
            pytest.importorskip(library)
    save_pretrained(random_network(ODD), here / "photos-network")
    program = compile(BLOCKS[number], "backbone.md", "exec")
    exec(program, {"torch": torch, "resnext": resnext})
    printed = capsys.readouterr().out
    assert number not in PRINTED or printed == PRINTED[number]


def test_the_page_has_all_its_examples() -> None:
    assert len(BLOCKS) == 12
