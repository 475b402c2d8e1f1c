"""How `make docs` turns README.md, docs/*.md and their neighbours into a site that loads nothing from afar.

The root of the source is the repository's, so that links between its pages are the same here and there.
"""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

project = "Innerwalk"
author = copyright = "The Innerwalk developers"
version = release = re.findall(r'^version = "(.*)"$', (ROOT / "blender_manifest.toml").read_text("utf-8"), re.M)[0]

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "*.md", "torch_bridge/**/MODEL_CARD.md"]
exclude_patterns = [".*", "bench", "build", "dist", "out", "tests"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "colon_fence"]
suppress_warnings = ["misc.highlighting_failure"]  # lines for a shell that end in an ellipsis
highlight_language = "text"

html_theme = "furo"
html_title = f"Innerwalk {version}"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_theme_options: dict[str, Any] = {"top_of_page_buttons": []}

FIRST_PAGE = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">'


def write_first_page(app: Any, error: Exception | None) -> None:
    """Leads from the folder of the site to its first page."""
    if error is None and app.builder.name == "html":
        (Path(app.outdir) / "index.html").write_text(f"{FIRST_PAGE}\n<title>{project}</title>\n", "utf-8")


def move_links(app: Any, file: Path, parent: str, content: list[str]) -> None:
    """Makes the links of an included part of README relative to the page of docs/ that includes it."""
    content[0] = re.sub(r"\]\((?!#|https?:)(?:docs/)?([^)]+)\)", _moved, content[0])


def _moved(link: re.Match[str]) -> str:
    return f"]({link[1]})" if link[0].startswith("](docs/") else f"](../{link[1]})"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("include-read", move_links)
    app.connect("build-finished", write_first_page)
