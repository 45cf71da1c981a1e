"""The memory that decoding is said to take, held against what it takes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from python_process import run_python

SIDE = 1600
_STATUS = Path("/proc/self/status")

# A process of its own, whose peak of memory can be set back to what it holds now.
_MEASURE = """
import sys
from pathlib import Path
from resnext.data.prepare.preparation import Preparation
from resnext.inference.preprocessor import Preprocessor
from resnext.serving.limits import Limits
from resnext.serving.preparation import check_header, decode_image

def peak_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

preprocessor = Preprocessor(3, Preparation(224))
small, large = (Path(name).read_bytes() for name in sys.argv[1:])
decode_image(small, preprocessor)  # Pillow's modules are loaded by now
Path("/proc/self/clear_refs").write_text("5")
before = peak_bytes()
told = check_header(large, Limits())
decode_image(large, preprocessor)
print(told, peak_bytes() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not _STATUS.exists(), reason="only Linux tells a process's peak of memory")
@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *(("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "LA"), ("JPEG", "RGB"), ("JPEG", "CMYK")),
        *(("WEBP", "RGB"), ("WEBP", "RGBA"), ("TIFF", "RGBA"), ("GIF", "P"), ("BMP", "RGB")),
    ],
)
def test_decoding_takes_no_more_memory_than_is_set_aside_for_it(
    tmp_path: Path, form: str, mode: str
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 4), dtype=np.uint8)
    image = Image.fromarray(noise)
    files = [tmp_path / name for name in ("small", "large")]
    for file, part in zip(files, (image.crop((0, 0, 8, 8)), image), strict=True):
        (part if "A" in mode else part.convert("RGB")).convert(mode).save(file, form)
    told, taken = map(int, run_python(_MEASURE, *files).split())
    assert SIDE * SIDE < taken <= told * 1.02  # beside the pixels there are a few small objects
