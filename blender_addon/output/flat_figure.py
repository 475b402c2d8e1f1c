"""Writes flat figures of halls as SVG, which needs nothing but numpy; `innerwalk figure` writes PNG and PDF too."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from ..pages.figure import draw_figure
from ..pages.page_options import PageOptions
from ..pages.svg import svg_file
from .figure_options import FigureSource, Source, open_source
from .output_files import check_place, replaced

OF_HALL = ("method", "collapse", "title", "normalisation", "gain")
"""Options that are the hall's own where they aren't set."""


def write_flat_figure(source: FigureSource, out: Path | str, options: PageOptions) -> Path:
    """Writes a flat figure of a hall, with its method, blocks, title and normalisation, to an .svg file.

    Raises SceneError or UnknownName; then nothing is written.
    """
    out = Path(out)
    check_place(out, ".svg")
    opened = open_source(source)
    content = svg_file(draw_figure([opened.recording], with_hall_options(options, opened)))
    with replaced(out, ".svg") as part:
        part.write_bytes(content)
    return out


def with_hall_options(options: PageOptions, source: Source) -> PageOptions:
    """Returns the options with the hall's own in place of defaults."""
    defaults = {field.name: field.default for field in fields(PageOptions)}
    own = {name: getattr(source.appearance, name) for name in OF_HALL if getattr(options, name) == defaults[name]}
    return replace(options, **own)
