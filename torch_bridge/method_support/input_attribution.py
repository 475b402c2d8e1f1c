"""Turns gradients with respect to the input into maps, for saliency, guided backprop and deconvnet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from PIL import Image

from ..inputs.preprocess import denormalise
from ..predictions.classes import PREDICTED
from ..recording import MapFrame, Maps
from ..recording.errors import ModelError
from .input_gradients import GradientTarget, compute_input_gradients
from .method import ZERO, MethodContext, Step, parameter
from .picture_maps import mosaic, picture_maps, scalar_maps, shrink
from .score_paths import to_numpy

Display = Literal["sizes", "colours", "beside"]
"""Absolute values at each pixel; signed colours; or the part that a channel sees, beside the same part of the input."""
COLOUR_QUANTILE = 0.99
"""Quantile of absolute values that is drawn black or white."""
CROP_SIDE = 112
"""Side of an enlarged part in pixels."""
PARTIAL_RESULTS = 16
"""How many times maps of a layer are shown while it is computed."""
CROPPED = "Show only the part that a channel sees, enlarged, beside the same part of the picture"
CLASS_HELP = "Number or name of the class; -1: the predicted class"


@dataclass(frozen=True)
class AttributionParameters:
    """The quantity that is explained."""

    of: Literal["maximum", "mean", "class"] = parameter(
        "maximum", "What is explained: a channel's strongest position, its mean, or its part in the score of of_class"
    )
    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)


@dataclass(frozen=True)
class CroppableParameters(AttributionParameters):
    """The quantity that is explained, and how its maps are cropped."""

    cropped: bool = parameter(False, CROPPED)


class AttributedLayer:
    """Collects the maps of one layer, channel by channel."""

    def __init__(self, context: MethodContext, id: str, method: str, display: Display) -> None:
        self.id, self.method, self.display, self.context = id, method, display, context
        self.channels, self.selected = context.network.layer(id).map_shape[0], context.selected_channels(id)
        names = context.class_names.names
        self.labels = [names[channel] for channel in self.selected] if len(names) == self.channels else ()
        self.pictures: dict[int, np.ndarray] = {}
        self.values = np.zeros(len(self.selected), np.float32)
        self.boxes: list[tuple[float, ...]] = []
        self.place: dict[str, Any] = {}
        """The arguments of `Maps` that say which position of the input is explained."""
        self.note, self.is_zero = "", True

    def add(self, channel: int, signal: np.ndarray, value: float, note: str = "") -> None:
        """Adds a channel's signal (C, H, W) float32 at the input; one with NaN or infinity leaves its tile empty.

        note: what it is besides, or instead of, what the method's name says.
        """
        self.values[self.selected.index(channel)], self.note = value, note
        if np.isfinite(signal).all():
            self.is_zero = self.is_zero and not signal.any()
            self.pictures[channel] = shrink(self._draw(channel, signal, value), len(self.selected))

    def _draw(self, channel: int, signal: np.ndarray, value: float) -> np.ndarray:
        if self.display == "sizes":
            return np.abs(signal).max(0)
        box = nonzero_box(signal)
        if self.display == "beside":
            picture = denormalise(self.context.picture[0].float().cpu().numpy(), self.context.preprocessing)
            colours = np.broadcast_to(picture, (3, *picture.shape[1:])).transpose(1, 2, 0)
            return crops_side_by_side(signed_colours(signal), colours, box)
        _, height, width = signal.shape
        if box not in ((0, 0, 0, 0), (0, 0, width, height)):
            self.boxes.append((channel, *np.array(box) / (width, height, width, height), value))
        return signed_colours(signal)

    def maps(self) -> tuple[Maps, ...]:
        """Returns the maps so far; none before the first channel.

        Extras: "values" (C,) float32, what was explained; "boxes" (B, 6) float32: channel, the box that the channel
        sees as shares of the picture, value.
        """
        if not self.pictures:
            return ()
        is_said = not self.is_zero or self.note.startswith(ZERO)
        note = self.note if is_said else f"{ZERO}: nothing comes back to the input from these channels"
        extras: dict[str, np.ndarray] = {"values": self.values.copy()}
        if self.boxes:
            extras["boxes"] = np.array(self.boxes, np.float32)
        own = self.id, self.method, self.pictures, self.channels, self.context.channels
        if self.display == "sizes":
            planes = scalar_maps(*own, self.labels, extras)
            return (replace(planes, note=note, **self.place),)
        if self.display == "beside":
            extras["samples"] = np.array([1, 2], np.int32)
        frame: MapFrame = "layer" if self.display == "beside" else "input"
        return (replace(picture_maps(*own, self.labels, extras), note=note, frame=frame, **self.place),)


def attribute_layers(context: MethodContext, method: str, target: GradientTarget, display: Display) -> Iterator[Step]:
    """Computes the maps of all layers, one after another. Raises InputError and ModelError if there is no gradient."""
    counts, empty = [len(context.selected_channels(id)) for id in context.layers], []
    for number, id in enumerate(context.layers):
        layer, before, done = AttributedLayer(context, id, method, display), sum(counts[:number]), 0
        for gradients in compute_input_gradients(context, id, target):
            if gradients is None:
                yield Step((before + done) / sum(counts), f"{id}: running the network")
                continue
            layer.place, signals = gradients.place, to_numpy(gradients.signals)
            for channel, signal, value in zip(gradients.channels, signals, gradients.values, strict=True):
                layer.add(channel, signal, value, gradients.maps_note)
            last, done = done, done + len(gradients.channels)
            is_due = last * PARTIAL_RESULTS // counts[number] < done * PARTIAL_RESULTS // counts[number]
            message = f"{id}: {done} of {counts[number]} channels{gradients.note}"
            yield Step((before + done) / sum(counts), message, layer.maps() if is_due else ())
        empty += [] if layer.pictures else [id]
    if len(empty) == len(context.layers):
        raise ModelError(f"{', '.join(empty)}: the gradients are not finite; values of the network overflow or are NaN")


def signed_colours(signal: np.ndarray) -> np.ndarray:
    """(C, H, W) signed -> (H, W, 3) sRGB 0..1, 0 is middle grey; grey pictures unless C is 3.

    The scale ignores the largest values, so that a few pixels don't hide the others.
    """
    colours = signal if len(signal) == 3 else np.repeat(signal.mean(0, keepdims=True), 3, 0)
    sizes = np.abs(colours[colours != 0])
    peak = float(np.quantile(sizes, COLOUR_QUANTILE)) if len(sizes) else 1.0
    return np.clip(0.5 + colours / (2 * max(peak, 1e-30)), 0, 1).transpose(1, 2, 0)


def nonzero_box(signal: np.ndarray) -> tuple[int, int, int, int]:
    """Returns x0, y0, x1, y1 in pixels, half-open, around the values of (C, H, W) that aren't 0; all 0 if none is."""
    columns, rows = (np.flatnonzero(signal.any(axis)) for axis in ((0, 1), (0, 2)))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def crops_side_by_side(signal: np.ndarray, picture: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Enlarges the same square part of two (H, W, 3) pictures 0..1 -> (CROP_SIDE, 2 CROP_SIDE + 2, 3) float32.

    box: x0, y0, x1, y1 in pixels, which the square encloses; all 0 for the whole picture.
    """
    x0, y0, x1, y1 = box if any(box) else (0, 0, picture.shape[1], picture.shape[0])
    side, (x, y) = max(x1 - x0, y1 - y0), ((x0 + x1) / 2, (y0 + y1) / 2)
    left, top = round(x - side / 2), round(y - side / 2)
    images = [Image.fromarray((colours * 255 + 0.5).astype(np.uint8)) for colours in (signal, picture)]
    grey = Image.new("RGB", (side, side), (128, 128, 128))
    crops = []
    for image in images:
        square = grey.copy()
        square.paste(image, (-left, -top))
        crops.append(np.asarray(square.resize((CROP_SIDE, CROP_SIDE), Image.Resampling.BILINEAR), np.float32) / 255)
    return mosaic(np.stack(crops))
