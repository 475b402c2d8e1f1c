"""The data model of a recording: what a network did with one input. Needs neither torch nor Blender.

The maps of a layer are stored as `texels`, (cells, H, W, 4) float32. Scalar maps have four channels in a texel (channel
c is component c % 4 of cell c // 4), colour maps have red, green, blue and alpha (cell c is channel c). The recorder,
the files and Blender's images all use this layout, so that values are never rearranged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from .errors import UnknownName

PEAK_QUANTILE = 0.995
MAX_GROUP = 14
"""Largest number of values in a group in `peaks`."""
MAX_REPEATED = 32
"""Number of values up to which repeated argmax is faster than a partition in `peaks`."""
ACTIVATIONS = "activations"
FLAGS = ("dead", "duplicate", "saturated", "aliased", "beyond data")
"""Names of the bits of a channel's flags, lowest first.

"beyond data": a synthesised image activates the channel more than all images of the data set.
"""
LINK_PREFIX = "weights:"
"""Prefix of the names of extra arrays that link channels to those of another layer; the layer's id follows."""

Role = Literal["input", "panel", "joint", "edge", "output"]
MapFrame = Literal["layer", "input"]
PredictionKind = Literal["classes", "picture", "mask", "boxes", "numbers", "none"]


def flag_names(bits: int) -> list[str]:
    """Returns the names of the flags that are set in a channel's bits."""
    return [flag for k, flag in enumerate(FLAGS) if bits >> k & 1]


@dataclass(frozen=True)
class Layer:
    """One call of one module, or one functional operation that matters."""

    id: str
    """Path as in `named_modules()`, or `blocks[0].conv` for a module in a plain list; later calls `path@2`; operations
    `path:add`, `path:add@2`."""
    kind: str
    """Class name of the module or name of the operation; "input", "output" or "opaque" for anything else."""
    role: Role
    """Its role after the fold: a panel, a joint (concatenation), part of an edge, or the network's input or output."""
    shape: tuple[int, ...]
    """Shape of its output without the batch axis."""
    map_shape: tuple[int, int, int]
    """Shape of its output as maps: (C, H, W)."""
    shows: str = ""
    """For panels: id of the layer whose maps are shown, which is the layer itself or the batch norm folded into it."""
    parameters: int = 0
    note: str = ""
    """A remark for people, such as "unknown origin"."""


@dataclass(frozen=True)
class Edge:
    """Data flow between two layers, by their ids."""

    source: str
    target: str


@dataclass(frozen=True)
class Network:
    """The recorded graph, layers in order of execution."""

    name: str
    layers: tuple[Layer, ...]
    edges: tuple[Edge, ...]
    trained: bool = False
    weights: str = ""
    """Origin of the weights, for people and provenance; "" for random ones."""
    parameters: int = 0

    @cached_property
    def digest(self) -> str:
        """A hash that is equal for equal networks, so that a known graph need not be sent again."""
        return hashlib.blake2b(repr(self).encode(errors="replace"), digest_size=12).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Layer]:
        """Layer id -> layer."""
        return {layer.id: layer for layer in self.layers}

    def layer(self, id: str) -> Layer:
        """The layer of this id. Raises UnknownName with near matches."""
        if id not in self.by_id:
            raise UnknownName("layer", id, self.by_id)
        return self.by_id[id]

    def folded(self) -> tuple[list[Layer], list[tuple[int, int]]]:
        """Panels and joints in order, and the data flow between them through all other layers.

        Edges are (source, target) positions in the list, source before target, each once.
        """
        shown = [layer for layer in self.layers if layer.role in ("panel", "joint")]
        position = {layer.id: k for k, layer in enumerate(shown)}
        sources: dict[str, list[str]] = {layer.id: [] for layer in self.layers}
        for edge in self.edges:
            sources[edge.target].append(edge.source)
        origins_by_id: dict[
            str, dict[int, None]
        ] = {}  # layer id -> positions its value comes from; dicts keep the order
        links: dict[tuple[int, int], None] = {}
        for layer in self.layers:
            origins = {k: None for source in sources[layer.id] for k in origins_by_id.get(source, ())}
            origins_by_id[layer.id] = {position[layer.id]: None} if layer.id in position else origins
            links.update({(k, position[layer.id]): None for k in origins if layer.id in position})
        return shown, list(links)


@dataclass(frozen=True)
class Maps:
    """The result of one method for one layer."""

    layer: str
    method: str
    texels: np.ndarray
    """(cells, H, W, 4) float32, in the layout of the module's docstring. Colour maps are sRGB with alpha."""
    channels: int
    colour: bool = False
    frame: MapFrame = "layer"
    labels: tuple[str, ...] = ()
    """One label for each channel, or ()."""
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Further arrays by name, float32 unless stated otherwise:

    peak, values         (C,) one number for each channel
    flags                (C,) int32 bits, named in FLAGS
    boxes                (n, 6): channel, x0, y0, x1, y1 (shares 0..1 of the frame), score
    curve                (C, n): a number after each of n steps
    samples              (2,) int32: rows and columns, where each tile is a mosaic of several pictures
    weights:LAYER        (n, 3): channel, channel of LAYER, signed strength of the link between them
    """
    position: int = 0
    """Which of the `positions` is shown, from 0, where the network works on several parts of one input."""
    positions: int = 1
    """Number of parts of one input that the layer has values for: 16 frames, 64 windows."""
    axis: str = ""
    """What a position is: frame, window, node, step, row, column or part; "" for maps of a whole input."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, height, width, _ = self.texels.shape
        return (self.channels, height, width)

    @property
    def place(self) -> str:
        """Which position is shown, for people: "frame 3 of 16", counted from 0; "" for maps of a whole input."""
        return place_text(self.position, self.positions, self.axis)

    @cached_property
    def data(self) -> np.ndarray:
        """A copy of the values, (C, H, W) float32; of colour maps (C, H, W, 3) float32 sRGB."""
        if self.colour:
            return np.ascontiguousarray(self.texels[: self.channels, :, :, :3])
        return unpack(self.texels, self.channels)

    @cached_property
    def peak(self) -> np.ndarray:
        """(C,) float32: the 99.5 % quantile of each channel's finite |values|."""
        return self.extras["peak"] if "peak" in self.extras else peaks(self.texels)[: self.channels]

    @cached_property
    def nonfinite(self) -> int:
        """Number of values that are NaN or infinite."""
        return int(self.texels.size - np.count_nonzero(np.isfinite(self.texels)))


def place_text(position: int, positions: int, axis: str) -> str:
    """Say which position of an input is shown: "frame 3 of 16", counted from 0; "" if there is only one."""
    return f"{axis} {position:,} of {positions:,}" if positions > 1 else ""


def pack(data: np.ndarray) -> np.ndarray:
    """Pack scalar maps, (C, H, W), into texels, (cells, H, W, 4) float32; unused components of the last cell are 0."""
    channels, height, width = data.shape
    padded = np.zeros((-(-channels // 4) * 4, height, width), np.float32)
    padded[:channels] = data
    return np.ascontiguousarray(padded.reshape(-1, 4, height, width).transpose(0, 2, 3, 1))


def unpack(texels: np.ndarray, channels: int) -> np.ndarray:
    """Undo `pack`: (cells, H, W, 4) -> (C, H, W) float32."""
    _, height, width, _ = texels.shape
    return texels.transpose(0, 3, 1, 2).reshape(-1, height, width)[:channels]


def peaks(texels: np.ndarray) -> np.ndarray:
    """Compute the 99.5 % quantile of each channel's finite |values|; with fewer than 200 values, the maximum.

    texels: (cells, H, W, 4) float32. Returns (cells * 4,) float32. For speed, values are split into strided groups: the
    k largest values (or their equals) lie in the k groups with the largest maxima.
    """
    count = texels[0, ..., 0].size
    kept = int((1 - PEAK_QUANTILE) * count) + 1
    group = max(size for size in range(1, MAX_GROUP + 1) if count % size == 0)
    magnitudes = np.abs(texels).reshape(len(texels), group, -1)
    maxima = magnitudes.max(1).reshape(len(texels), -1, 4)
    if not np.isfinite(maxima).all():
        return peaks(np.where(np.isfinite(texels), texels, np.float32(0)))
    if kept == 1:
        return maxima.max(1).reshape(-1)
    maxima = np.ascontiguousarray(maxima.transpose(0, 2, 1)).reshape(len(texels) * 4, -1)
    groups = _largest(maxima, kept)[:, :, None]
    first = (np.arange(len(texels))[:, None] * 4 * count + np.arange(4)).reshape(-1, 1, 1)
    indices = first + 4 * (groups + maxima.shape[1] * np.arange(group))
    candidates = magnitudes.reshape(-1)[indices.reshape(len(maxima), -1)]
    return np.take_along_axis(candidates, _largest(candidates, kept)[:, :1], 1)[:, 0]


def _largest(rows: np.ndarray, kept: int) -> np.ndarray:
    """Indices, (n, kept), of the largest values of each row of (n, m), smallest of them first. Overwrites `rows`."""
    if kept > MAX_REPEATED:
        return np.argpartition(rows, -kept, axis=1)[:, -kept:]
    found = np.empty((kept, len(rows)), np.intp)
    for k in range(kept):
        if k:
            rows[np.arange(len(rows)), found[k - 1]] = -1
        rows.argmax(1, out=found[k])
    return np.ascontiguousarray(found[::-1].T)


def channel_picture(maps: Maps, channel: int) -> np.ndarray:
    """A channel as an image: (H, W) uint8, black at its minimum, white at its maximum; colour maps (H, W, 3) uint8."""
    if maps.colour:
        return (np.clip(np.nan_to_num(maps.texels[channel, ..., :3]), 0, 1) * 255 + 0.5).astype(np.uint8)
    plane = np.nan_to_num(maps.texels[channel // 4, ..., channel % 4].astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(plane.min()), float(plane.max())
    return ((plane - low) / max(high - low, 1e-30) * 255 + 0.5).astype(np.uint8)


@dataclass(frozen=True)
class Prediction:
    """The network's answer. `kind` says which of the fields holds it."""

    kind: PredictionKind = "none"
    top: tuple[tuple[int, str, float], ...] = ()
    """classes: (index, name, probability 0..1), best first. mask: (index, name, share of the picture)."""
    picture: np.ndarray | None = None
    """picture, mask: (H, W, 3) uint8 sRGB. boxes: None, they are drawn over the input."""
    boxes: tuple[tuple[str, float, float, float, float, float], ...] = ()
    """(name, score, x0, y0, x1, y1), corners as shares 0..1 of the input's width and height."""
    numbers: tuple[float, ...] = ()
