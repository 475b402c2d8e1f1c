"""The fold: which layers of a network get a panel, which are joints, which lie on an edge.

    panel    each convolution and linear; sums and products of two recorded values; attention; token layers
             (embeddings, recurrent layers); code that can't be looked into but has parameters
    joint    a concatenation or stack of two or more layers' values: no panel, its inputs are shown already
             (sums, products and joints of box coordinates and the like, in what follows a detector, don't count)
    edge     batch norm, activation, pooling, dropout, other norms, sums with constants, plumbing, and whatever is
             the same for every input

A batch norm that alone reads a convolution or linear layer is folded into it: the panel shows the batch norm's values,
before the activation, so that negative values are still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..recording import Role

Family = Literal[
    "input", "output", "conv", "linear", "norm", "sum", "product", "joint", "attention", "tokens", "opaque", "other"
]
ALWAYS: frozenset[Family] = frozenset({"conv", "linear", "attention", "tokens"})
NORMED: frozenset[Family] = frozenset({"conv", "linear"})
OF_TWO: frozenset[Family] = frozenset({"sum", "product"})


@dataclass(frozen=True)
class LayerFacts:
    """What the fold needs to know of one layer."""

    id: str
    family: Family
    sources: tuple[str, ...] = ()
    """Ids of the layers it reads, each once."""
    values: int = 0
    """How many values that depend on the input it reads: 2 for x + x, 1 for x + 3."""
    parameters: int = 0
    drawable: bool = True
    """False when its output is empty or no tensor."""
    live: bool = True
    """False when it is the same for every input, such as layers that make position biases."""
    maps: bool = True
    """False when its output is a list of numbers about things found, such as boxes, not maps of the input."""


def fold(units: Iterable[LayerFacts]) -> dict[str, tuple[Role, str]]:
    """(role, shows) by id. shows: for panels the id of the layer whose maps they show, "" for all others."""
    units = list(units)
    norms = _folded_norms(units)
    return {unit.id: _decide(unit, norms) for unit in units}


def is_panel(unit: LayerFacts) -> bool:
    """Whether a layer gets a panel, which its own facts decide."""
    if not (unit.drawable and unit.live):
        return False
    if unit.family == "opaque":
        return unit.parameters > 0
    return unit.family in ALWAYS or (unit.family in OF_TWO and unit.values >= 2 and unit.maps)


def _decide(unit: LayerFacts, norms: Mapping[str, str]) -> tuple[Role, str]:
    if unit.family == "input":
        return "input", ""
    if unit.family == "output":
        return "output", ""
    if is_panel(unit):
        return "panel", norms.get(unit.id, unit.id)
    joint = unit.family == "joint" and len(unit.sources) >= 2 and unit.maps and unit.live
    return ("joint" if joint else "edge"), ""


def _folded_norms(units: list[LayerFacts]) -> dict[str, str]:
    """Batch norms by the layer that they are folded into."""
    readers: dict[str, list[LayerFacts]] = {}
    for unit in units:
        for source in unit.sources:
            readers.setdefault(source, []).append(unit)
    return {
        unit.id: reader.id
        for unit in units
        if unit.family in NORMED
        for reader in readers.get(unit.id, [])
        if len(readers[unit.id]) == 1 and reader.family == "norm" and reader.drawable and reader.sources == (unit.id,)
    }
