"""The data model of a recording: what a network did with one input. Needs neither torch nor Blender.

The maps of a layer are stored as `texels`, (cells, H, W, 4) float32. Scalar maps have four channels in a texel (channel
c is component c % 4 of cell c // 4), colour maps have red, green, blue and alpha (cell c is channel c). The recorder,
the files and Blender's images all use this layout, so that values are never rearranged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from .charts import Chart
from .errors import RecordingError, UnknownName

PEAK_QUANTILE = 0.995
MAX_LINKS = 500_000
"""Largest number of links between panels, counted again at each layer that merges several; DenseNet-201 has 2,101."""
MAX_GROUP = 14
"""Largest number of values in a group in `peaks`."""
MAX_REPEATED = 32
"""Number of values up to which repeated argmax is faster than a partition in `peaks`."""
ACTIVATIONS, CATEGORY = "activations", "category"
FLAGS = ("dead", "duplicate", "saturated", "aliased", "beyond data")
"""Names of the bits of a channel's flags, lowest first.

"beyond data": a synthesised image activates the channel more than all images of the data set.
"""
LINK_PREFIX = "weights:"
"""Prefix of the names of extra arrays that link channels to those of another layer; the layer's id follows."""

Role = Literal["input", "panel", "joint", "edge", "output"]
MapFrame = Literal["layer", "input"]
BOARD_ROLES: tuple[Role, ...] = ("input", "panel", "joint", "output")
"""Roles of all that a hall shows, boards included."""
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

    def folded(self, roles: Sequence[Role] = ("panel", "joint")) -> tuple[list[Layer], list[tuple[int, int]]]:
        """Layers of some roles in order, and the data flow between them through all other layers.

        roles: panels and joints; with BOARD_ROLES, the flow from inputs and to outputs is included. Edges are (source,
        target) positions in the list, source before target, each once. Raises RecordingError for more than MAX_LINKS.
        """
        shown = [layer for layer in self.layers if layer.role in roles]
        position = {layer.id: k for k, layer in enumerate(shown)}
        sources: dict[str, list[str]] = {layer.id: [] for layer in self.layers}
        for edge in self.edges:
            sources[edge.target].append(edge.source)
        origins_by_id: dict[str, dict[int, None]] = {}  # layer id -> positions its value comes from, in order
        links: dict[tuple[int, int], None] = {}
        merged = 0
        for layer in self.layers:
            # Layers with one origin share its set: a copy for each would make a graph of a megabyte take gigabytes.
            parts = {id(part): part for source in sources[layer.id] if (part := origins_by_id.get(source))}
            is_shown = layer.id in position
            merged += sum(map(len, parts.values())) if is_shown or len(parts) > 1 else 0
            if merged > MAX_LINKS:
                raise RecordingError(f"network {self.name!r}: more than {MAX_LINKS:,} links between its panels")
            if is_shown:
                links.update({(k, position[layer.id]): None for part in parts.values() for k in part})
                origins_by_id[layer.id] = {position[layer.id]: None}
            elif len(parts) == 1:
                origins_by_id[layer.id] = next(iter(parts.values()))
            else:
                origins_by_id[layer.id] = {k: None for part in parts.values() for k in part}
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
    category             (C,) int32: of what a channel stands for, from 1, 0 for none; a chart names the categories
    samples              (2,) int32: rows and columns, where each tile is a mosaic of several pictures
    weights:LAYER        (n, 3): channel, channel of LAYER, signed strength of the link between them
    scores:METHOD        (3,): area of insertion, area of deletion and their difference, of an attribution method
    curves:METHOD        (2, n): probabilities after each of n steps of insertion and deletion
    correlations:METHOD  (n,): rank correlations with the original map after weights of n parts have become random
    direction            (C,): a direction in the layer's values, of length 1
    projection           (h, w): projection of each position on the direction, less a threshold
    accuracy:probe       (2,): share of held-out pictures that a probe classifies correctly, probability of this by
                         chance
    sensitivity:CLASS    (3,): share of a class's pictures whose score rises along the direction, the same along random
                         directions, probability of the first by chance
    """
    position: int = 0
    """Which of the `positions` is shown, from 0, where the network works on several parts of one input."""
    positions: int = 1
    """Number of parts of one input that the layer has values for: 16 frames, 64 windows."""
    axis: str = ""
    """What a position is: frame, window, node, step, row, column or part; "" for maps of a whole input."""
    channel_numbers: tuple[int, ...] = ()
    """Numbers of the held channels in their layer, in the order of the maps; () where the maps are of all channels."""
    note: str = ""
    """What the maps show besides, or instead of, what the method's name says, such as "zero everywhere: …"."""
    charts: tuple[Chart, ...] = ()
    """What the method found in all layers, as charts: the same with the maps of each layer."""

    def __repr__(self) -> str:
        """One line: method, layer, shape, and the note if there is one."""
        shape = " × ".join(map(str, self.shape)) + (" × 3" if self.colour else "")
        return f"<Maps: {self.method} of {self.layer}, {shape}{self.note and f'; {self.note}'}>"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, height, width, _ = self.texels.shape
        return (self.channels, height, width)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the held channels in their layer, in the order of the maps."""
        return self.channel_numbers or tuple(range(self.channels))

    def index(self, channel: int) -> int:
        """Returns the place of a channel's map, see `map_index`. Raises UnknownName for a channel without one."""
        return map_index(self.layer, channel, self.channel_numbers, self.channels)

    def only(self, channels: Sequence[int]) -> Maps:
        """Returns the maps of some channels of the layer, in this order; of all for (). Raises UnknownName."""
        if not channels or tuple(channels) == self.numbers:
            return self
        kept = [self.index(channel) for channel in channels]
        texels = self.texels[kept] if self.colour else pack(unpack(self.texels, self.channels)[kept])
        labels = tuple(self.labels[k] for k in kept) if self.labels else ()
        extras = {
            name: _only(name, np.asarray(array), self.channels, kept, channels) for name, array in self.extras.items()
        }
        return replace(
            self, texels=texels, channels=len(kept), labels=labels, extras=extras, channel_numbers=tuple(channels)
        )

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


def map_index(layer: str, channel: int, numbers: Sequence[int], count: int) -> int:
    """Returns the place of a channel's map among the `count` maps of a layer.

    numbers: of the channels that have a map, in the order of the maps; () for all, and for an only map of all channels
    together. Raises UnknownName for a channel without a map.
    """
    if count == 1 and not len(numbers):
        return 0
    places = {number: place for place, number in enumerate(numbers)}
    place = places.get(channel, -1) if places else channel
    if not 0 <= place < count:
        known = list(map(str, numbers)) if places else [f"0 to {count - 1}"]
        raise UnknownName(f"{'shown ' if places else ''}channel of {layer}", str(channel), known)
    return place


def _only(name: str, array: np.ndarray, count: int, kept: Sequence[int], channels: Sequence[int]) -> np.ndarray:
    """Returns the part of an extra that belongs to some of `count` channels: `kept` are their places."""
    if name == "boxes" or name.startswith(LINK_PREFIX):
        return array[np.isin(array[:, 0], channels)]
    return array[list(kept)] if name != "samples" and array.shape[:1] == (count,) else array


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
    """A channel as an image: (H, W) uint8, black at its minimum, white at its maximum; colour maps (H, W, 3) uint8.

    Raises UnknownName for a channel without a map.
    """
    index = maps.index(channel)
    if maps.colour:
        return (np.clip(np.nan_to_num(maps.texels[index, ..., :3]), 0, 1) * 255 + 0.5).astype(np.uint8)
    cell, component = divmod(index, 4)
    plane = np.nan_to_num(maps.texels[cell, ..., component].astype(np.float64), posinf=0.0, neginf=0.0)
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
