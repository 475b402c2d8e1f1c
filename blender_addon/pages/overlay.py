"""The preset overlay: what explains an answer, laid over the input, several methods side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...torch_bridge.recording import ACTIVATIONS, Maps, Recording
from ...torch_bridge.recording.errors import SceneError
from ..imaging.heat_map import overlay_heat
from ..plans.number_text import format_number, format_percent
from .map_pictures import fit_picture
from .page import FlatPage
from .page_options import PageOptions
from .page_style import PageStyle
from .picture_marks import PictureMark
from .picture_rows import CaptionedPicture, add_rows, picture_width, rows_height

WIDEST = 45.0
"""Width of a picture, mm, from which more of them stand in a row."""


def draw_overlay(recordings: Sequence[Recording], options: PageOptions) -> FlatPage:
    """Draws the input, and over it the maps of methods, separated by commas; by default all that lie over it.

    Of several layers the last one is shown, unless the options name one. Raises UnknownName or SceneError.
    """
    style = PageStyle(options.width, options.dpi)
    found = [(recording, maps) for recording in recordings for maps in overlaid_maps(recording, options)]
    if not found:
        raise SceneError(f"{recordings[0].network.name!r}: no maps that lie over the input; innerwalk ask makes them")
    count = 1 + len(found)
    columns = min(count, max(1, round(style.width / WIDEST)))
    size = picture_width(style, columns)
    pictures = [_input_picture(recordings[0], size, style)]
    pictures += [
        _heat_picture(recording, maps, place, size, style)
        for recording, maps in found
        for place in _places(maps, options)
    ]
    top = style.margin
    page = FlatPage(options.width, top + rows_height(style, pictures, columns), options.theme, options.dpi)
    add_rows(page, style, pictures, columns, top)
    return page


def overlaid_maps(recording: Recording, options: PageOptions) -> Iterator[Maps]:
    """Yields the maps over the input of each method, of the layer that is named or of the last one that has some."""
    methods = dict.fromkeys(method for _, method in recording.all_maps)
    if options.method != ACTIVATIONS:
        methods = dict.fromkeys(options.method.split(","))
    for method in methods:
        recording.check_method(method)
        if options.layer is not None and options.method != ACTIVATIONS:
            yield recording.maps(options.layer, method)
            continue
        fits = [
            maps
            for (layer, name), maps in recording.all_maps.items()
            if name == method and maps.frame == "input" and not maps.colour and maps.shape[1:] != (1, 1)
            if options.layer in (None, layer)
        ]
        order = {layer.id: number for number, layer in enumerate(recording.network.layers)}
        yield from sorted(fits, key=lambda maps: order[maps.layer])[-1:]


def _places(maps: Maps, options: PageOptions) -> list[int]:
    """Returns which maps are shown: of the channels that are named, else of the one with the largest values."""
    if options.channels:
        return [maps.index(channel) for channel in options.channels]
    return [int(np.argmax(maps.peak))]


def _input_picture(recording: Recording, size: float, style: PageStyle) -> CaptionedPicture:
    answer = recording.prediction
    best = answer.top[0] if answer.kind == "classes" and answer.top else None
    caption = (recording.input_name or "input", f"{best[1]} {format_percent(best[2])}" if best else "")
    marks = tuple(PictureMark((x0, y0, x1, y1)) for _, _, x0, y0, x1, y1 in answer.boxes)
    return CaptionedPicture(_fitted(recording.picture, size, style), caption, marks)


def _heat_picture(recording: Recording, maps: Maps, place: int, size: float, style: PageStyle) -> CaptionedPicture:
    heat = overlay_heat(recording.picture, maps.data[place], float(maps.peak[place]))
    label = maps.labels[place] if maps.labels else f"channel {maps.numbers[place]}"
    shares = {name: share for _, name, share in recording.prediction.top}
    named = max((name for name in shares if f"{label}, ".startswith(f"{name}, ")), key=len, default="")
    if named:  # what a method adds to the name of its class stands behind the score
        label = f"{named} {format_percent(shares[named])}{label[len(named) :]}"
    elif "values" in maps.extras:
        label = f"{label} {format_number(float(maps.extras['values'][place]))}"
    boxes = np.asarray(maps.extras.get("boxes", np.zeros((0, 6))))
    marks = tuple(
        PictureMark((float(x0), float(y0), float(x1), float(y1)))
        for channel, x0, y0, x1, y1, _ in boxes
        if int(channel) == maps.numbers[place]
    )
    return CaptionedPicture(_fitted(heat, size, style), (f"{maps.method}, {maps.layer}", label), marks)


def _fitted(picture: np.ndarray, size: float, style: PageStyle) -> np.ndarray:
    """Returns a picture (H, W, 3) uint8 sRGB in the size in which it is printed, `size` mm wide."""
    width = round(size / style.pixel)
    return fit_picture(picture, width, max(1, round(width * picture.shape[0] / picture.shape[1])))
