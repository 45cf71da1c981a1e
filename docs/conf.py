"""How the site is built: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import generated

from resnext import __version__

project = "resnext"
author = "the resnext authors"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_ext"]

html_theme = "furo"
html_title = f"resnext {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"source_directory": "docs/"}
pygments_style = "friendly"
pygments_dark_style = "monokai"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True


def setup(app):
    """Write the pages that come from the program, and adapt the links between pages."""
    app.connect("builder-inited", generated.write_pages)
    app.connect("source-read", generated.adapt_page)
