"""Options of flat figures, and what they choose of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...torch_bridge.recording import ACTIVATIONS, Layer, Maps, Recording
from ...torch_bridge.recording.errors import SceneError, UnknownName
from ..imaging.colour_maps import COLOUR_MAPS, THEMES
from ..plans.legend import ColourScale, colour_scale
from .map_pictures import MapLook

PAGE_PRESETS = ("plate", "grid", "overlay", "chart")
COLUMNS = {"single": 85.0, "middle": 114.0, "double": 170.0}
"""Names of common widths of a journal's column, mm."""
WIDTHS = (50.0, 1200.0)
"""Least and greatest width of a page, mm."""
RESOLUTIONS = (72, 1200)
"""Least and greatest resolution, pixels an inch."""
MOST_PIXELS = 1 << 28
NORMALISATIONS = ("channel", "layer", "network")
MOST_GAIN = 1e6


@dataclass(frozen=True)
class PageOptions:
    """What a flat figure shows and how."""

    preset: str = "plate"
    """One of PAGE_PRESETS."""
    width: float = COLUMNS["double"]
    """Of the page, mm."""
    dpi: int = 300
    theme: str = "paper"
    colour_map: str = ""
    """Name of a colour map; "" for the theme's own. All of them are safe for colour-blind readers."""
    normalisation: str = "channel"
    gain: float = 1.0
    title: str | None = None
    method: str = ACTIVATIONS
    collapse: tuple[str, ...] = ()
    """Globs of blocks to show as one panel each."""
    layer: str | None = None
    """Layer of the presets grid and overlay, and whose channels a plate calls out."""
    channels: tuple[int, ...] = ()
    """Channels of that layer; () for its strongest."""

    @property
    def look(self) -> MapLook:
        """The colours of maps."""
        return MapLook(self.theme, self.colour_map or ("paper" if self.theme == "paper" else "signed"), self.gain)


def check_page_options(options: PageOptions) -> None:
    """Raises UnknownName or SceneError for options that no figure can have."""
    for what, name, known in (
        ("preset", options.preset, PAGE_PRESETS),
        ("theme", options.theme, tuple(THEMES)),
        ("colour map", options.look.colour_map, tuple(COLOUR_MAPS)),
        ("normalisation", options.normalisation, NORMALISATIONS),
    ):
        if name not in known:
            raise UnknownName(what, name, known)
    if not WIDTHS[0] <= options.width <= WIDTHS[1]:
        raise SceneError(f"a page {options.width:g} mm wide can't be made; {WIDTHS[0]:g} to {WIDTHS[1]:g} mm can")
    if not RESOLUTIONS[0] <= options.dpi <= RESOLUTIONS[1]:
        raise SceneError(f"{options.dpi} dpi can't be made; {RESOLUTIONS[0]} to {RESOLUTIONS[1]} dpi can")
    if not 0 < options.gain <= MOST_GAIN:
        raise SceneError(f"gain {options.gain:g}: a number above 0, up to {MOST_GAIN:,.0f} is needed")


def page_title(recording: Recording, options: PageOptions) -> str:
    """Returns the title of a figure: the network's name, and of other methods than activations also method and class.

    The class is named where all maps of the method are of the same.
    """
    if options.title or options.method == ACTIVATIONS:
        return options.title or recording.network.name
    methods = options.method.split(",")
    labels = {maps.labels for (_, method), maps in recording.all_maps.items() if method in methods}
    name = f"{recording.network.name}: {', '.join(methods)}"
    return f"{name} of {labels.pop()[0]}" if len(labels) == 1 and len(min(labels)) == 1 else name


@dataclass
class ShownMaps:
    """The maps of a method, with what each channel's values are divided by."""

    recording: Recording
    options: PageOptions

    def of(self, layer: Layer) -> Maps | None:
        """Returns the maps of a panel's layer, None if there are none."""
        return self.recording.all_maps.get((layer.shows or layer.id, self.options.method))

    def peaks(self, maps: Maps, places: Sequence[int]) -> np.ndarray:
        """Returns what the values of some maps are divided by, (n,) float64."""
        kind = self.options.normalisation
        if kind == "network":
            return np.full(len(places), self.largest)
        if kind == "layer" or maps.shape[1:] == (1, 1):
            return np.full(len(places), float(maps.peak.max(initial=0.0)))
        return maps.peak[list(places)].astype(float)

    @cached_property
    def largest(self) -> float:
        """Largest peak of all maps of the method."""
        used = (maps for (_, method), maps in self.recording.all_maps.items() if method == self.options.method)
        return max((float(maps.peak.max(initial=0.0)) for maps in used), default=0.0)

    @property
    def scale(self) -> ColourScale:
        """The meaning of the colours."""
        options = self.options
        number = NORMALISATIONS.index(options.normalisation)
        peak = self.largest if options.normalisation == "network" else None
        return colour_scale(COLOUR_MAPS[options.look.colour_map], number, options.gain, peak)
