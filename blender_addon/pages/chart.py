"""The preset chart: the charts of a method one below the other, as a hall's boards show them, for print."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...torch_bridge.recording import ACTIVATIONS, Chart, Recording
from ...torch_bridge.recording.errors import SceneError
from ..imaging import colour_maps
from ..layout.boards import CHARTS
from ..layout.text_fitting import CAP, Font
from ..plans.chart_boards import plan_charts, shown_charts
from ..plans.primitives import Faces, Plan, Style, TextRun
from .font import begun, printable, text_length
from .page import POINT, FlatPage, PageShape, PageText
from .page_options import PageOptions
from .page_style import SMALLEST, PageStyle

LETTERS = CAP / 0.729
"""Size of a page's font whose capitals are as high as those of a text on a board of size 1."""
HEAD, FRAME = 0.45, 2
"""Room over a chart for its title, metres on a board; faces of a board's frame, which a page leaves out."""


def draw_charts(recording: Recording, options: PageOptions) -> FlatPage:
    """Draws the charts of the options' method, by default of the first one that has some. Raises SceneError."""
    methods = dict.fromkeys(method for _, method in recording.all_maps)
    if options.method != ACTIVATIONS:
        recording.check_method(options.method)
        methods = {options.method: None}
    charts = next((found for method in methods if (found := shown_charts(recording, method))), ())
    if not charts:
        raise SceneError(f"{recording.network.name!r}: no charts of {', '.join(methods)}; dissection makes some")
    return chart_page(charts, options)


def chart_page(charts: tuple[Chart, ...], options: PageOptions) -> FlatPage:
    """Draws charts one below the other, as wide as the page."""
    margin = PageStyle(options.width, options.dpi).margin
    scale, pace = (options.width - 2 * margin) / CHARTS[0], CHARTS[1] + HEAD
    page = FlatPage(options.width, 2 * margin + pace * scale * len(charts), options.theme, options.dpi)
    style = Style.of(options.theme, _measure)
    for number, chart in enumerate(charts):
        bottom = margin + pace * scale * (number + 1)
        page.items += _items(plan_charts([chart], style), (margin, bottom), scale)
    return page


def _measure(text: str, font: Font) -> float:
    return text_length(printable(text)) * LETTERS


def _items(plan: Plan, corner: tuple[float, float], scale: float) -> Iterator[PageShape | PageText]:
    """Yields a plan's faces and texts on a page. corner: of its origin, mm. scale: millimetres of a metre."""
    for item in plan.items[FRAME:]:
        if isinstance(item, TextRun):
            yield _text(item, corner, scale)
        elif isinstance(item, Faces):
            points = np.array(corner) + item.points[:, :2] * (scale, -scale)
            for face in item.corners:
                yield PageShape(tuple(map(tuple, points[face].tolist())), _code(item.colours[face[0]]))


def _text(run: TextRun, corner: tuple[float, float], scale: float) -> PageText:
    """Returns a line of text; one that would be too small to print is cut instead."""
    place, size = run.plane.points(np.array(run.x), np.array(run.y)), run.size * scale * LETTERS / POINT
    text = printable(run.text)
    if size < SMALLEST:
        text, size = begun(text, run.width * scale / (SMALLEST * POINT)), SMALLEST
    x, y = corner[0] + float(place[0]) * scale, corner[1] - float(place[1]) * scale
    return PageText(text, x, y, size, _code(run.colour), run.align, turned=bool(run.plane.right[1] > 0.5))


def _code(colour: np.ndarray) -> str:
    """Returns linear RGB (3,) as an sRGB code."""
    levels = np.rint(255 * colour_maps.to_srgb(np.clip(colour, 0, 1))).astype(int)
    return "#" + "".join(f"{level:02X}" for level in levels)
