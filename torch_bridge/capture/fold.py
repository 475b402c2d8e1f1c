"""The fold: decides which layers of a network get a panel, which are joints, and which lie on an edge.

    panel    each convolution and linear layer; sums and products of two values that depend on the input; attention;
             token layers (embeddings, recurrent layers); opaque code that has parameters
    joint    a concatenation or stack of two or more layers' values: no panel, because its inputs are shown already
             (sums, products and joints of box coordinates and the like, behind a detector, don't count)
    edge     batch norm, activation, pooling, dropout, other norms, sums with constants, operations that only move
             values, and layers whose output is the same for every input

A batch norm that is the only reader of a convolution or linear layer, and scales its channels, is folded into it: the
panel shows the batch norm's values, before the activation, so that negative values are still visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..recording import Role

Family = Literal[
    "input", "output", "conv", "linear", "norm", "sum", "product", "joint", "attention", "tokens", "opaque", "other"
]
PANEL_FAMILIES: frozenset[Family] = frozenset({"conv", "linear", "attention", "tokens"})
"""Families that always get a panel."""
NORM_FOLDING_FAMILIES: frozenset[Family] = frozenset({"conv", "linear"})
"""Families that a batch norm can be folded into."""
BINARY_FAMILIES: frozenset[Family] = frozenset({"sum", "product"})
"""Families that get a panel when two of their inputs depend on the network's input."""


@dataclass(frozen=True)
class LayerFacts:
    """The properties of one layer that the fold depends on."""

    id: str
    family: Family
    sources: tuple[str, ...] = ()
    """Ids of the layers it reads, each once."""
    varying_reads: int = 0
    """Number of read values that depend on the network's input: 2 for x + x, 1 for x + 3."""
    parameters: int = 0
    """Number of parameters."""
    drawable: bool = True
    """False if its output is empty or no plain tensor."""
    varies: bool = True
    """False if its output is the same for every input, as for layers that make position biases."""
    has_maps: bool = True
    """False if its output is a list of numbers about detected things, such as boxes, rather than maps of the input."""
    by_channel: bool = True
    """False for a batch norm that scales another axis than that of the channels, such as the tokens."""


def fold(layers: Iterable[LayerFacts]) -> dict[str, tuple[Role, str]]:
    """Returns (role, shows) by layer id; `shows` is the layer whose maps a panel shows, "" for other roles."""
    layers = list(layers)
    norms = _folded_norms(layers)
    return {layer.id: _decide(layer, norms) for layer in layers}


def is_panel(layer: LayerFacts) -> bool:
    """Whether a layer gets a panel; this depends on its own facts only."""
    if not (layer.drawable and layer.varies):
        return False
    if layer.family == "opaque":
        return layer.parameters > 0
    binary = layer.family in BINARY_FAMILIES and layer.varying_reads >= 2 and layer.has_maps
    return layer.family in PANEL_FAMILIES or binary


def _decide(layer: LayerFacts, norms: Mapping[str, str]) -> tuple[Role, str]:
    if layer.family == "input":
        return "input", ""
    if layer.family == "output":
        return "output", ""
    if is_panel(layer):
        return "panel", norms.get(layer.id, layer.id)
    joint = layer.family == "joint" and len(layer.sources) >= 2 and layer.has_maps and layer.varies
    return ("joint" if joint else "edge"), ""


def _folded_norms(layers: list[LayerFacts]) -> dict[str, str]:
    """Returns the batch norms by the id of the layer that each is folded into."""
    readers: dict[str, list[LayerFacts]] = {}
    for layer in layers:
        for source in layer.sources:
            readers.setdefault(source, []).append(layer)
    return {
        layer.id: reader.id
        for layer in layers
        if layer.family in NORM_FOLDING_FAMILIES
        for reader in readers.get(layer.id, [])
        if len(readers[layer.id]) == 1 and reader.sources == (layer.id,)
        if reader.family == "norm" and reader.drawable and reader.by_channel
    }
