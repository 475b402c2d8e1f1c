"""Which layers of a network a hall shows: all panels and joints, or one panel for a whole block."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ...torch_bridge.errors import UnknownName
from ...torch_bridge.recording import Layer, Network
from ..blocks import DEEPEST, Block, blocks, collapse, prefix_runs, simplify

ALL = "all"
"""Instead of globs: every block that the hall has a word for."""

Graph = tuple[list[Layer], list[tuple[int, int]]]


def shown(network: Network, globs: Sequence[str] = (), *, over: bool = False) -> Graph:
    """Layers and links of a hall; blocks whose names match a glob stand as one panel each.

    `over`: for a picture of the whole, in which a network of very many panels is shown by its blocks anyway.
    Raises UnknownName for a glob that no block matches.
    """
    layers, links = network.folded()
    if globs:
        layers, links = collapse(layers, links, matching(layers, globs))
    return simplify(layers, links) if over else (layers, links)


def matching(layers: Sequence[Layer], globs: Sequence[str]) -> list[Block]:
    """Blocks of two panels or more that match, in order; where one lies in another, the outer one."""
    every = [run for depth in range(1, DEEPEST) for run in prefix_runs(layers, depth) if run.panels > 1]
    named = {name for _, name in blocks(layers)}

    def matches(run: Block, glob: str) -> bool:
        return run.name in named if glob == ALL else fnmatchcase(run.name, glob)

    fits = [[run for run in every if matches(run, glob)] for glob in globs]
    for glob, runs in zip(globs, fits, strict=True):
        if not runs:
            raise UnknownName("block", glob, sorted({run.name for run in every}))
    found: list[Block] = []
    for run in sorted((run for runs in fits for run in runs), key=lambda run: -run.panels):
        if not any(run.first <= one.last and one.first <= run.last for one in found):
            found.append(run)
    return sorted(found)
