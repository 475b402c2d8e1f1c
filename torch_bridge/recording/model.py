"""The words of the house as data, with no torch and no Blender: what a network did with one input.

A layer's maps are kept as `texels`, (cells, H, W, 4) float32: four channels a texel for scalar maps (channel c is
component c % 4 of cell c // 4), red, green, blue, alpha for colour maps (cell c is channel c). This is what the
recorder writes, what lies on disk and what Blender's images take, so that values are never rearranged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .errors import UnknownName

PEAK_QUANTILE = 0.995
MOST_IN_GROUP, FEW = 14, 32
"""Of `peaks`: values in a group; values that are found sooner one by one than by a partition."""
ACTIVATIONS = "activations"
FLAGS = ("dead", "duplicate", "saturated", "aliased", "beyond data")
"""What a bit of a channel's flags says, lowest first. Beyond data: a picture made it fire as none of the data does."""

Role = Literal["input", "panel", "joint", "edge", "output"]
Frame = Literal["layer", "input"]
PredictionKind = Literal["classes", "picture", "mask", "boxes", "numbers", "none"]


@dataclass(frozen=True)
class Layer:
    """One call of one module, or one functional operation that matters."""

    id: str
    """Dotted path as in `named_modules()`; later calls `path@2`; operations `path:add`, `path:add@2`."""
    kind: str
    """Class name of the module or name of the operation; "input", "output", "opaque" for what is neither."""
    role: Role
    """What the fold made of it: a panel, a joint (concatenation), or part of an edge."""
    shape: tuple[int, ...]
    """Shape of its output without the batch."""
    map_shape: tuple[int, int, int]
    """The same as maps: (C, H, W)."""
    shows: str = ""
    """Panels: id of the layer whose maps are shown: itself, or the batch norm folded into it."""
    parameters: int = 0
    note: str = ""
    """What a person should know, such as "unknown origin"."""


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
    """Where the weights came from, for people and provenance; "" for random ones."""
    parameters: int = 0

    @cached_property
    def digest(self) -> str:
        """Equal for equal networks, so that one need not be told or written twice."""
        return hashlib.blake2b(repr(self).encode(errors="replace"), digest_size=12).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Layer]:
        return {layer.id: layer for layer in self.layers}

    def layer(self, id: str) -> Layer:
        if id not in self.by_id:
            raise UnknownName("layer", id, self.by_id)
        return self.by_id[id]

    def folded(self) -> tuple[list[Layer], list[tuple[int, int]]]:
        """Panels and joints in order, and the data flow between them, through the layers that lie on edges.

        Edges are (source, target) positions in the list, source before target, each once.
        """
        shown = [layer for layer in self.layers if layer.role in ("panel", "joint")]
        position = {layer.id: k for k, layer in enumerate(shown)}
        sources: dict[str, list[str]] = {layer.id: [] for layer in self.layers}
        for edge in self.edges:
            sources[edge.target].append(edge.source)
        stands_for: dict[str, dict[int, None]] = {}  # layer id -> positions its value comes from; a dict keeps order
        links: dict[tuple[int, int], None] = {}
        for layer in self.layers:
            origins = {k: None for source in sources[layer.id] for k in stands_for.get(source, ())}
            stands_for[layer.id] = {position[layer.id]: None} if layer.id in position else origins
            links.update({(k, position[layer.id]): None for k in origins if layer.id in position})
        return shown, list(links)


@dataclass(frozen=True)
class Maps:
    """What one method says about one layer."""

    layer: str
    method: str
    texels: np.ndarray
    """(cells, H, W, 4) float32, see the module's text. Colour maps are sRGB."""
    channels: int
    colour: bool = False
    frame: Frame = "layer"
    labels: tuple[str, ...] = ()
    """One a channel, or none."""
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Further arrays by name, float32 unless it is said:

    peak, values         (C,) a number a channel
    flags                (C,) int32 bits, their words in FLAGS
    boxes                (n, 6): channel, x0, y0, x1, y1 (shares 0..1 of the frame), score
    curve                (C, n) a number on its way, step by step
    samples              (2,) int32: rows and columns, where each tile is a mosaic of several pictures
    weights:LAYER        (n, 3): channel, channel of LAYER, strength and sign of the link between them
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, height, width, _ = self.texels.shape
        return (self.channels, height, width)

    @cached_property
    def data(self) -> np.ndarray:
        """(C, H, W) float32, or (C, H, W, 3) sRGB float32 for colour maps. A copy."""
        if self.colour:
            return np.ascontiguousarray(self.texels[: self.channels, :, :, :3])
        return unpack(self.texels, self.channels)

    @cached_property
    def peak(self) -> np.ndarray:
        """(C,) float32: the 99.5 % quantile of |value| of each channel, NaN and Inf left out."""
        return self.extras["peak"] if "peak" in self.extras else peaks(self.texels)[: self.channels]

    @cached_property
    def nonfinite(self) -> int:
        """How many values are NaN or infinite."""
        return int(self.texels.size - np.count_nonzero(np.isfinite(self.texels)))


def pack(data: np.ndarray) -> np.ndarray:
    """(C, H, W) -> texels (cells, H, W, 4) float32; missing channels of the last cell are 0."""
    channels, height, width = data.shape
    padded = np.zeros((-(-channels // 4) * 4, height, width), np.float32)
    padded[:channels] = data
    return np.ascontiguousarray(padded.reshape(-1, 4, height, width).transpose(0, 2, 3, 1))


def unpack(texels: np.ndarray, channels: int) -> np.ndarray:
    """The inverse of `pack`: (cells, H, W, 4) -> (C, H, W) float32."""
    _, height, width, _ = texels.shape
    return texels.transpose(0, 3, 1, 2).reshape(-1, height, width)[:channels]


def peaks(texels: np.ndarray) -> np.ndarray:
    """(cells * 4,) float32: the value below which 99.5 % of a channel's |values| lie; the largest under 200 values.

    Values are taken in groups, whose largest are found in long strides. The k largest values lie in the k groups with
    the largest of these, or have their equals there.
    """
    count = texels[0, ..., 0].size
    kept = int((1 - PEAK_QUANTILE) * count) + 1
    group = max(size for size in range(1, MOST_IN_GROUP + 1) if count % size == 0)
    sizes = np.abs(texels).reshape(len(texels), group, -1)
    tops = sizes.max(1).reshape(len(texels), -1, 4)
    if not np.isfinite(tops).all():
        return peaks(np.where(np.isfinite(texels), texels, np.float32(0)))
    if kept == 1:
        return tops.max(1).reshape(-1)
    tops = np.ascontiguousarray(tops.transpose(0, 2, 1)).reshape(len(texels) * 4, -1)
    best = _largest(tops, kept)[:, :, None]
    first = (np.arange(len(texels))[:, None] * 4 * count + np.arange(4)).reshape(-1, 1, 1)
    places = first + 4 * (best + tops.shape[1] * np.arange(group))
    found = sizes.reshape(-1)[places.reshape(len(tops), -1)]
    return np.take_along_axis(found, _largest(found, kept)[:, :1], 1)[:, 0]


def _largest(rows: np.ndarray, kept: int) -> np.ndarray:
    """(n, kept): the places of the largest in each row of (n, m) sizes, the least of them first; `rows` is used up."""
    if kept > FEW:
        return np.argpartition(rows, -kept, axis=1)[:, -kept:]
    found = np.empty((kept, len(rows)), np.intp)
    for k in range(kept):
        if k:
            rows[np.arange(len(rows)), found[k - 1]] = -1
        rows.argmax(1, out=found[k])
    return np.ascontiguousarray(found[::-1].T)


def channel_picture(maps: Maps, channel: int) -> np.ndarray:
    """(H, W[, 3]) uint8: a channel as a network may look at it; a scalar map's least and most are black and white."""
    if maps.colour:
        return (np.clip(np.nan_to_num(maps.texels[channel, ..., :3]), 0, 1) * 255 + 0.5).astype(np.uint8)
    plane = np.nan_to_num(maps.texels[channel // 4, ..., channel % 4].astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(plane.min()), float(plane.max())
    return ((plane - low) / max(high - low, 1e-30) * 255 + 0.5).astype(np.uint8)


@dataclass(frozen=True)
class Prediction:
    """What the network answered. `kind` says which of the fields holds it."""

    kind: PredictionKind = "none"
    top: tuple[tuple[int, str, float], ...] = ()
    """classes: (index, name, probability 0..1), best first. mask: (index, name, share of the picture)."""
    picture: np.ndarray | None = None
    """picture, mask: (H, W, 3) uint8 sRGB. boxes: the input is drawn behind them instead."""
    boxes: tuple[tuple[str, float, float, float, float, float], ...] = ()
    """(name, score, x0, y0, x1, y1), corners as shares 0..1 of the input's width and height."""
    numbers: tuple[float, ...] = ()


@dataclass
class Recording:
    """A network, one input, its answer, and maps by (layer, method)."""

    network: Network
    input_name: str
    picture: np.ndarray
    """(H, W, 3) uint8 sRGB: what the network saw, top row first."""
    prediction: Prediction
    all_maps: dict[tuple[str, str], Maps] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    """Preprocessing, seed, versions: plain JSON values, written into figures."""

    def maps(self, layer: str, method: str = ACTIVATIONS) -> Maps:
        """The maps of a layer. Raises UnknownName with near matches."""
        self.network.layer(layer)
        if (layer, method) not in self.all_maps:
            recorded = [name for name, how in self.all_maps if how == method]
            raise UnknownName(f"recorded {method} of layer", layer, recorded)
        return self.all_maps[layer, method]

    def add(self, maps: Iterable[Maps]) -> None:
        self.all_maps.update({(one.layer, one.method): one for one in maps})
