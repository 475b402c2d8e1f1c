"""Blocks of the module hierarchy: the middle words of the hall (`layer3.2`), and panels that stand for a block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from statistics import median
from typing import NamedTuple

from ...torch_bridge.recording import Layer, Network
from ...torch_bridge.recording.errors import UnknownName

DEEPEST = 8
MOST = 150
"""Panels up to which an overview shows maps; a figure of more shows a representative of each block."""
FEWEST = 6
"""Panels under which nothing is left to see."""
ALL = "all"
"""Instead of globs: every block that the hall has a word for."""

Graph = tuple[list[Layer], list[tuple[int, int]]]
"""Layers that are shown, and links between their positions."""


class Block(NamedTuple):
    """A run of layers that share the first parts of their paths."""

    first: int
    last: int
    """Positions in the list of layers, both included."""
    name: str
    panels: int
    """How many of the layers are panels."""


def shown_graph(network: Network, globs: Sequence[str] = (), *, over: bool = False) -> Graph:
    """What a hall shows of a network: all panels and joints; blocks that match a glob stand as one panel each.

    `over`: for a picture of the whole, in which a network of very many panels is shown by its blocks anyway.
    Raises UnknownName for a glob that no block matches.
    """
    layers, links = network.folded()
    if globs:
        layers, links = collapse(layers, links, matching_blocks(layers, globs))
    return collapse_to_fit(layers, links) if over else (layers, links)


def named_blocks(layers: Sequence[Layer]) -> list[tuple[int, str]]:
    """(first position, name): runs of one path prefix, at the greatest depth whose median run has at least 3 panels."""
    found: list[Block] = []
    for depth in range(1, DEEPEST):
        runs = prefix_blocks(layers, depth)
        if runs and median(run.panels for run in runs) >= 3:
            found = runs
    return [(run.first, run.name) for run in found if run.panels > 1]


def prefix_blocks(layers: Sequence[Layer], depth: int) -> list[Block]:
    """Runs of panels that share `depth` parts of their paths, each with the joints among them and right behind."""
    runs: list[Block] = []
    for k, layer in enumerate(layers):
        name = ".".join(module_path(layer.id).split(".")[:depth])
        same = bool(runs) and runs[-1].name == name
        if layer.role == "joint":
            if same:
                runs[-1] = runs[-1]._replace(last=k)
        elif same:
            runs[-1] = runs[-1]._replace(last=k, panels=runs[-1].panels + 1)
        else:
            runs.append(Block(k, k, name, 1))
    return runs


def module_path(id: str) -> str:
    """The dotted path of a layer's id, without the operation's name and the number of its call."""
    return id.split(":")[0].split("@")[0]


def collapse(layers: Sequence[Layer], links: Iterable[tuple[int, int]], found: Iterable[Block]) -> Graph:
    """Layers and links in which the last layer of each block stands for all of it; its note says for how many.

    Blocks are stretches that don't overlap, so data flows forward as before. A joint that ends a block gets a panel.
    """
    stands = list(range(len(layers)))
    shown = list(layers)
    for block in found:
        if block.panels > 1:
            stands[block.first : block.last + 1] = [block.last] * (block.last + 1 - block.first)
            told = f"stands for {block.panels} layers of {block.name}"
            last = layers[block.last]
            shown[block.last] = replace(last, role="panel", note="; ".join(filter(None, (last.note, told))))
    kept = sorted(set(stands))
    place = {old: new for new, old in enumerate(kept)}
    moved = {(place[stands[s]], place[stands[t]]): None for s, t in links if stands[s] != stands[t]}
    return [shown[k] for k in kept], list(moved)


def collapsible_blocks(layers: Sequence[Layer]) -> list[Block]:
    """The blocks of two panels or more, of every depth, the outermost first."""
    return [run for depth in range(1, DEEPEST) for run in prefix_blocks(layers, depth) if run.panels > 1]


def matching_blocks(layers: Sequence[Layer], globs: Iterable[str]) -> list[Block]:
    """The blocks whose dotted names fit one of the globs, such as `layer3.*`, in order; of nested ones the outer.

    The glob "all" stands for every block that the hall has a word for. Raises UnknownName for a glob that fits no block
    of two panels or more.
    """
    known = collapsible_blocks(layers)
    named = {name for _, name in named_blocks(layers)}
    fits: list[Block] = []
    for glob in globs:
        chosen = [run for run in known if (run.name in named if glob == ALL else fnmatchcase(run.name, glob))]
        if not chosen:
            raise UnknownName("block", glob, dict.fromkeys(run.name for run in known))
        fits += chosen
    found: list[Block] = []
    for run in sorted(fits, key=lambda run: -run.panels):
        if not any(run.first <= one.last and one.first <= run.last for one in found):
            found.append(run)
    return sorted(found)


def collapse_to_fit(layers: Sequence[Layer], links: Iterable[tuple[int, int]], most: int = MOST) -> Graph:
    """What a figure of a network with more than `most` panels shows: its blocks, as small as `most` allows.

    Unchanged if the network is small enough, or if its module hierarchy has no depth that leaves something to see.
    """
    whole = list(layers), list(links)
    if _panels(layers) <= most:
        return whole
    for depth in range(DEEPEST, 0, -1):
        found = collapse(*whole, prefix_blocks(layers, depth))
        if FEWEST <= _panels(found[0]) <= most:
            return found
    return whole


def _panels(layers: Iterable[Layer]) -> int:
    return sum(layer.role != "joint" for layer in layers)
