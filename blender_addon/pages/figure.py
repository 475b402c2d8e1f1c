"""Draws the flat figure of a preset as a page; svg.py and `scenes/page_files` write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.errors import SceneError
from ..imaging.file_facts import file_facts
from .chart import draw_charts
from .grid import draw_grid
from .overlay import draw_overlay
from .page import FlatPage
from .page_options import MOST_PIXELS, PageOptions, check_page_options, page_title
from .plate.plate_page import draw_plate


def _of_single(
    draw: Callable[[Recording, PageOptions], FlatPage],
) -> Callable[[Sequence[Recording], PageOptions], FlatPage]:
    """Returns a drawer of several recordings that takes only one."""

    def drawn(recordings: Sequence[Recording], options: PageOptions) -> FlatPage:
        if len(recordings) > 1:
            raise SceneError(f"preset {options.preset} shows one recording; grid and overlay show several")
        return draw(recordings[0], options)

    return drawn


DRAWERS: Mapping[str, Callable[[Sequence[Recording], PageOptions], FlatPage]] = {
    "plate": _of_single(draw_plate),
    "grid": draw_grid,
    "overlay": draw_overlay,
    "chart": _of_single(draw_charts),
}
"""By preset."""


def draw_figure(recordings: Sequence[Recording], options: PageOptions) -> FlatPage:
    """Draws a flat figure of recordings, with the provenance of the first. Raises UnknownName or SceneError."""
    check_page_options(options)
    page = DRAWERS[options.preset](recordings, options)
    width, height = page.size
    if width * height > MOST_PIXELS:
        raise SceneError(f"a page of {width:,} × {height:,} pixels can't be made; choose fewer dpi or a smaller width")
    page.facts = page_facts(recordings, options)
    return page


def page_facts(recordings: Sequence[Recording], options: PageOptions) -> dict[str, str]:
    """Returns what a file says about itself: what it shows and what made it, without times or host names."""
    recording = recordings[0]
    how = {
        "preset": options.preset,
        "layer": options.layer,
        "channels": list(options.channels),
        "width": options.width,
        "dpi": options.dpi,
        "theme": options.theme,
        "colour_map": options.look.colour_map,
        "normalisation": options.normalisation,
        "gain": options.gain,
        "method": options.method,
        "collapse": list(options.collapse),
        "beside": [other.input_name for other in recordings[1:]],
    }
    return file_facts(page_title(recording, options), recording, how)
