"""Settings of Sphinx, which builds the documentation: `make docs`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # contract.py

project = "musicvae"
author = "the musicvae authors"
copyright = f"2026, {author}"  # noqa: A001  # Sphinx's own name
release = "0.1.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "contract"]
html_theme = "furo"
html_title = "musicvae"
html_copy_source = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

# Docstrings are written for people who read code: one pair of backticks is code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True}
