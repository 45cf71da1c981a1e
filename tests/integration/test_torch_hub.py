"""A checkout serves torch.hub: its entry points are listed, explained, and build networks."""

import json
import os
import subprocess
import sys
from pathlib import Path

from published_network import NETWORKS, ODD, random_network

from resnext.hub.save import save_pretrained

ROOT = Path(__file__).parents[2]
ENTRY_POINTS = {
    *("create_model", "load", "resnet50", "resnet101", "resnet152", "resnext50_32x4d"),
    *("resnext101_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    *("resnext29_8x64d", "resnext29_16x64d"),
}


def run_torch_hub(program: str, folder: Path) -> str:
    """Run a program in a process where resnext is not installed, and return what it prints."""
    heading = (
        "import sys, torch.hub as hub\n"
        # An editable installation puts src/ on the path, which a checkout has not.
        f"sys.path[:] = [p for p in sys.path if p != {str(ROOT / 'src')!r}]\n"
        f"ROOT = {str(ROOT)!r}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", heading + program],
        cwd=folder,
        env={**os.environ, "TORCH_HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_torch_hub_lists_the_networks_and_explains_them(tmp_path: Path) -> None:
    """Where torch.hub keeps what it fetched from GitHub there is a link to this checkout."""
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "me_resnext_main").symlink_to(ROOT)
    printed = run_torch_hub(
        "place = {'github': 'me/resnext:main', 'trust_repo': True, 'skip_validation': True}\n"
        "import json\n"
        "names = hub.list(**place)\n"
        "helps = {name: hub.help(model=name, **place) for name in names}\n"
        "print(json.dumps(helps))\n",
        tmp_path,
    )
    helps = json.loads(printed.splitlines()[-1])
    assert set(helps) == ENTRY_POINTS
    assert "32 paths of 4 channels" in helps["resnext50_32x4d"]
    assert "a weight file of any known family" in helps["load"]


def test_a_network_with_random_weights_is_built_without_an_installation(tmp_path: Path) -> None:
    printed = run_torch_hub(
        "model = hub.load(ROOT, 'resnext50_32x4d', source='local', num_classes=5)\n"
        "import resnext\nprint(resnext.__file__, model.config.template, model.fc.out_features)\n"
        "cifar = hub.load(ROOT, 'resnext29_8x64d', source='local', weights=None)\n"
        "print(cifar.config.stem, cifar.config.num_classes)\n"
        "model = hub.load(ROOT, 'create_model', 'resnext11_2x4d', source='local', in_channels=1)\n"
        "print(model.conv1.in_channels)\n",
        tmp_path,
    )
    package = ROOT / "src" / "resnext" / "__init__.py"
    assert printed.splitlines() == [f"{package} 32x4d 5", "cifar 10", "1"]


def test_weights_are_loaded_from_a_file_if_they_are_of_that_network(tmp_path: Path) -> None:
    save_pretrained(random_network(ODD), tmp_path / "odd")
    save_pretrained(random_network(NETWORKS["resnext50_32x4d"]), tmp_path / "fifty")
    printed = run_torch_hub(
        "load = lambda *names, **more: hub.load(ROOT, *names, source='local', **more)\n"
        "print(load('load', 'odd').card.classes)\n"
        "print(load('resnext50_32x4d', weights='fifty/model.safetensors').config.template)\n"
        "for more in ({'weights': 'odd'}, {'weights': 'odd', 'num_classes': 3}):\n"
        "    try:\n        load('resnet50', **more)\n"
        "    except ValueError as error:\n        print(error)\n",
        tmp_path,
    )
    classes, template, other, fixed = printed.splitlines()
    assert classes == repr(tuple("abcdefg"))
    assert template == "32x4d"
    assert "are those of resnext14_8x4d, not of resnet50" in other
    assert "num_classes: weights='odd' fix the architecture" in fixed
