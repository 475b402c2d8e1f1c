"""Blocks of the module hierarchy, such as `layer3.2`: labels of a hall, and panels that represent a whole block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import product
from statistics import median
from typing import NamedTuple

from ...torch_bridge.recording import BOARD_ROLES, Layer, Network
from ...torch_bridge.recording.errors import UnknownName
from .edge_routes import end_links
from .hall_model import BoardLinks

DEEPEST = 8
"""Parts of a path that are looked at."""
MOST = 150
"""Panels that an overview shows; of a larger network it shows one panel for each block."""
FEWEST = 6
"""Panels that must be left when blocks are collapsed."""
REPRESENTS = re.compile(r"(?:; )?represents (\d+) layers of (.*)$")
"""In the note of a block's panel."""
ALL = "all"
"""A glob that matches every block that the hall has a label for."""

Graph = tuple[list[Layer], list[tuple[int, int]]]
"""Layers of a hall, and links between their positions."""
BoardLayers = tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]
"""Ids of the layers that stand for the inputs and for the outputs with a board."""


class Block(NamedTuple):
    """Consecutive layers that share the first parts of their paths."""

    first: int
    """Position of its first layer in the list of layers."""
    last: int
    """Position of its last layer."""
    name: str
    panels: int
    """Number of its layers that are panels."""


def shown_graph(network: Network, globs: Sequence[str] = (), *, for_overview: bool = False) -> Graph:
    """Returns the layers and links that a hall shows: blocks that match a glob are one panel each.

    for_overview: for an overview, where networks of more than MOST panels are shown by their blocks in any case.
    Raises UnknownName for a glob that no block matches.
    """
    layers, links = network.folded()
    if globs:
        layers, links = collapse(layers, links, matching_blocks(layers, globs))
    return collapse_to_fit(layers, links) if for_overview else (layers, links)


def board_links(network: Network, shown: Graph, boards: BoardLayers) -> BoardLinks:
    """Returns which of the shown layers each input feeds and each output is made of, by the network's own edges.

    shown: layers and links of `shown_graph`. boards: () for inputs or outputs that aren't known; then the layers
    without a source belong to one input, and those that no layer reads to one output.
    """
    ends = end_links(len(shown[0]), shown[1])
    if not any(boards):
        return ends
    layers, links = network.folded(BOARD_ROLES)
    position = {layer.id: k for k, layer in enumerate(layers)}
    stands = representatives([layer for layer in layers if layer.role in ("panel", "joint")], shown[0])

    def neighbours(ids: Sequence[str], side: int) -> tuple[int, ...]:
        own = {position[id] for id in ids}
        found = [layers[link[1 - side]].id for link in links if link[side] in own]
        return tuple(sorted({stands[other] for other in found if other in stands}))

    inputs, outputs = (tuple(neighbours(ids, side) for ids in boards[side]) for side in (0, 1))
    found = {(layers[source].id, layers[target].id) for source, target in links}
    through = tuple(
        (k, n)
        for (k, sources), (n, targets) in product(*map(enumerate, boards))
        if found & set(product(sources, targets))
    )
    return BoardLinks(inputs or ends.inputs, outputs or ends.answers, through)


def representatives(layers: Sequence[Layer], shown: Sequence[Layer]) -> dict[str, int]:
    """Returns the position of the shown layer that stands for each layer, by the layer's id.

    A collapsed block is shown by its last layer, so what isn't shown belongs to the next one that is.
    """
    places = {layer.id: k for k, layer in enumerate(shown)}
    stands, place = {}, len(shown) - 1
    for layer in reversed(layers):
        place = places.get(layer.id, place)
        stands[layer.id] = place
    return stands


def named_blocks(layers: Sequence[Layer]) -> list[tuple[int, str]]:
    """Returns (first position, name) of the blocks at the greatest depth whose median block has at least 3 panels."""
    found: list[Block] = []
    for depth in range(1, DEEPEST):
        runs = prefix_blocks(layers, depth)
        if runs and median(run.panels for run in runs) >= 3:
            found = runs
    return [(run.first, run.name) for run in found if run.panels > 1]


def prefix_blocks(layers: Sequence[Layer], depth: int) -> list[Block]:
    """Returns the blocks of panels that share `depth` parts of their paths, with the joints inside and right behind."""
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
    """Returns the dotted path in a layer's id, without the operation's name and the number of its call."""
    return id.split(":")[0].split("@")[0]


def collapse(layers: Sequence[Layer], links: Iterable[tuple[int, int]], found: Iterable[Block]) -> Graph:
    """Returns layers and links with only the last layer of each block, whose note says how many it represents.

    Blocks don't overlap, so all links still lead forward. A joint that ends a block becomes a panel.
    """
    stands = list(range(len(layers)))
    shown = list(layers)
    for block in found:
        if block.panels > 1:
            stands[block.first : block.last + 1] = [block.last] * (block.last + 1 - block.first)
            members = (layer for layer in layers[block.first : block.last + 1] if layer.role != "joint")
            note = f"represents {sum(represented_block(layer)[0] for layer in members)} layers of {block.name}"
            last = layers[block.last]
            own = REPRESENTS.sub("", last.note)
            shown[block.last] = replace(last, role="panel", note="; ".join(filter(None, (own, note))))
    kept = sorted(set(stands))
    place = {old: new for new, old in enumerate(kept)}
    moved = {(place[stands[s]], place[stands[t]]): None for s, t in links if stands[s] != stands[t]}
    return [shown[k] for k in kept], list(moved)


def represented_block(layer: Layer) -> tuple[int, str]:
    """Returns how many layers a collapsed block's panel represents, and the block's name; (1, "") for any other."""
    found = REPRESENTS.search(layer.note)
    return (int(found[1]), found[2]) if found else (1, "")


def collapsible_blocks(layers: Sequence[Layer]) -> list[Block]:
    """Returns the blocks of two panels or more, of every depth, the outermost first."""
    return [run for depth in range(1, DEEPEST) for run in prefix_blocks(layers, depth) if run.panels > 1]


def matching_blocks(layers: Sequence[Layer], globs: Iterable[str]) -> list[Block]:
    """Returns the blocks whose dotted names match one of the globs, such as `layer3.*`, in order; of nested ones the
    outer.

    The glob "all" matches every block that the hall has a label for. Raises UnknownName for a glob that matches no
    block of two panels or more.
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
        if not any(run.first <= outer.last and outer.first <= run.last for outer in found):
            found.append(run)
    return sorted(found)


def collapse_to_fit(layers: Sequence[Layer], links: Iterable[tuple[int, int]], most: int = MOST) -> Graph:
    """Returns a network of more than `most` panels with its blocks collapsed, at the greatest depth that is enough.

    It is unchanged if it is small enough, or if every depth leaves fewer than FEWEST panels.
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
