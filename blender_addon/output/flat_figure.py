"""Writes flat figures of halls as SVG and PNG, which needs nothing but numpy; `innerwalk figure` writes PDF too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path

from ...torch_bridge.recording.errors import SceneError
from ..pages.figure import draw_figure
from ..pages.page import FlatPage
from ..pages.page_options import PageOptions
from ..pages.svg import svg_file
from .figure_options import FigureSource, Source, open_source
from .output_files import check_place, replaced
from .page_png import png_file

WRITERS: Mapping[str, Callable[[FlatPage], bytes]] = {".svg": svg_file, ".png": png_file}
"""By ending of the file's name: encodes a page."""
OF_HALL = ("method", "collapse", "title", "normalisation", "gain")
"""Options that are the hall's own where they aren't set."""


def write_flat_figure(source: FigureSource, out: Path | str, options: PageOptions) -> Path:
    """Writes a flat figure of a hall, with its method, blocks, title and normalisation, to an .svg or .png file.

    Raises SceneError or UnknownName; then nothing is written.
    """
    out = Path(out)
    suffix = out.suffix.lower()
    if suffix not in WRITERS:
        raise SceneError(f"{out}: a flat figure of a hall is a {' or '.join(WRITERS)} file; name it {out.stem}.svg")
    check_place(out, suffix)
    opened = open_source(source)
    content = WRITERS[suffix](draw_figure([opened.recording], with_hall_options(options, opened)))
    with replaced(out, suffix) as part:
        part.write_bytes(content)
    return out


def with_hall_options(options: PageOptions, source: Source) -> PageOptions:
    """Returns the options with the hall's own in place of defaults."""
    defaults = {field.name: field.default for field in fields(PageOptions)}
    own = {name: getattr(source.appearance, name) for name in OF_HALL if getattr(options, name) == defaults[name]}
    return replace(options, **own)
