"""What channels send back to the input as maps, shown while they come; parameters of the methods that do so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image
from torch import Tensor

from ..inputs.preprocess import denormalise
from ..predictions.classes import PREDICTED
from ..recording import Maps
from ..recording.errors import ModelError
from .input_gradients import GradientTarget, compute_input_gradients
from .method import MethodContext, Step, parameter
from .picture_maps import mosaic, picture_maps, scalar_maps, shrink

Display = Literal["sizes", "colours", "beside"]
"""The size of a signal at each pixel, its signed colours, or what is seen of it enlarged, beside the picture there."""
SCALED, BESIDE = 0.99, 112
SHOWN = 16
"""The quantile of sizes that is drawn black or white; pixels of an enlarged part; how often a layer is shown."""
CROPPED = "Show what a channel sees enlarged, beside this part of the picture"
OF_CLASS = "A class by its number; -1 is the one that is predicted"


@dataclass(frozen=True)
class AttributionParameters:
    """What is explained."""

    of: Literal["maximum", "mean", "class"] = parameter(
        "maximum", "What is explained: a channel's strongest place, its mean, or what it does for of_class"
    )
    of_class: int = parameter(PREDICTED, OF_CLASS, PREDICTED, 1_000_000)


@dataclass(frozen=True)
class CroppableParameters(AttributionParameters):
    """And how it is shown."""

    cropped: bool = parameter(False, CROPPED)


class AttributedLayer:
    """Maps of one layer as they come."""

    def __init__(self, work: MethodContext, id: str, method: str, looks: Display) -> None:
        self.id, self.method, self.looks, self.work = id, method, looks, work
        self.channels = work.network.layer(id).map_shape[0]
        self.labels = work.names.names if len(work.names.names) == self.channels else ()
        self.pictures: dict[int, np.ndarray] = {}
        self.values = np.zeros(self.channels, np.float32)
        self.boxes: list[tuple[float, ...]] = []

    def add(self, channel: int, signal: np.ndarray, value: float) -> None:
        """signal: (C, H, W), what the channel sends back; a channel that isn't finite stays empty."""
        self.values[channel] = value
        if np.isfinite(signal).all():
            self.pictures[channel] = shrink(self._look(channel, signal, value), self.channels)

    def _look(self, channel: int, signal: np.ndarray, value: float) -> np.ndarray:
        if self.looks == "sizes":
            return np.abs(signal).max(0)
        seen = nonzero_box(signal)
        if self.looks == "beside":
            picture = denormalise(self.work.picture[0].float().cpu().numpy(), self.work.how)
            return crops_side_by_side(signed_colours(signal), np.broadcast_to(picture, (3, *picture.shape[1:])).transpose(1, 2, 0), seen)
        _, height, width = signal.shape
        if seen not in ((0, 0, 0, 0), (0, 0, width, height)):
            self.boxes.append((channel, *np.array(seen) / (width, height, width, height), value))
        return signed_colours(signal)

    def maps(self) -> tuple[Maps, ...]:
        """What there is so far."""
        if not self.pictures:
            return ()
        extras: dict[str, np.ndarray] = {"values": self.values.copy()}
        if self.boxes:
            extras["boxes"] = np.array(self.boxes, np.float32)
        if self.looks == "sizes":
            return (scalar_maps(self.id, self.method, self.pictures, self.channels, self.labels, extras),)
        if self.looks == "beside":
            extras["samples"] = np.array([1, 2], np.int32)
        made = picture_maps(self.id, self.method, self.pictures, self.channels, self.labels, extras)
        return (replace(made, frame="layer") if self.looks == "beside" else made,)


def attribute_layers(work: MethodContext, method: str, aim: GradientTarget, looks: Display) -> Iterator[Step]:
    """Layer after layer: signed colours, or sizes of signals. Raises InputError and ModelError where none come."""
    counts, empty = [len(work.chosen(id)) for id in work.layers], []
    for number, id in enumerate(work.layers):
        layer, before, done = AttributedLayer(work, id, method, looks), sum(counts[:number]), 0
        for found in compute_input_gradients(work, id, aim):
            if found is None:
                yield Step((before + done) / sum(counts), f"{id}: running the network")
                continue
            for channel, signal, value in zip(found.channels, _plain(found.signals), found.values, strict=True):
                layer.add(channel, signal, value)
            was, done = done, done + len(found.channels)
            due = was * SHOWN // counts[number] < done * SHOWN // counts[number]
            told = f"{id}: {done} of {counts[number]} channels{found.told}"
            yield Step((before + done) / sum(counts), told, layer.maps() if due else ())
        empty += [] if layer.pictures else [id]
    if len(empty) == len(work.layers):
        raise ModelError(f"{', '.join(empty)}: what comes back isn't finite; values of the network overflow or are NaN")


def _plain(signals: Tensor) -> np.ndarray:
    plain: np.ndarray = signals.float().cpu().numpy()
    return plain


def signed_colours(signal: np.ndarray) -> np.ndarray:
    """(C, H, W) signed -> (H, W, 3) 0..1: 0 is middle grey; grey unless C is 3.

    The scale leaves out the largest of its sizes, else a few pixels would hide the others.
    """
    colours = signal if len(signal) == 3 else np.repeat(signal.mean(0, keepdims=True), 3, 0)
    sizes = np.abs(colours[colours != 0])
    peak = float(np.quantile(sizes, SCALED)) if len(sizes) else 1.0
    return np.clip(0.5 + colours / (2 * max(peak, 1e-30)), 0, 1).transpose(1, 2, 0)


def nonzero_box(signal: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in pixels, half-open: where a signal (C, H, W) isn't 0; all 0 if it is everywhere."""
    columns, rows = (np.flatnonzero(signal.any(axis)) for axis in ((0, 1), (0, 2)))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def crops_side_by_side(signal: np.ndarray, picture: np.ndarray, seen: tuple[int, int, int, int]) -> np.ndarray:
    """(H, W, 3) each -> (BESIDE, 2 BESIDE + 2, 3): what is seen of a signal, and the same part of the picture."""
    x0, y0, x1, y1 = seen if any(seen) else (0, 0, picture.shape[1], picture.shape[0])
    side, (x, y) = max(x1 - x0, y1 - y0), ((x0 + x1) / 2, (y0 + y1) / 2)
    left, top = round(x - side / 2), round(y - side / 2)
    parts = [Image.fromarray((one * 255 + 0.5).astype(np.uint8)) for one in (signal, picture)]
    grey = Image.new("RGB", (side, side), (128, 128, 128))
    cut = []
    for part in parts:
        square = grey.copy()
        square.paste(part, (-left, -top))
        cut.append(np.asarray(square.resize((BESIDE, BESIDE), Image.Resampling.BILINEAR), np.float32) / 255)
    return mosaic(np.stack(cut))
