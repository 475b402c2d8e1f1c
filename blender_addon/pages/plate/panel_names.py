"""Names of the panels of a plate: short ones that fit below a panel, each of which only one panel has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ....torch_bridge.recording import Layer
from ...layout.blocks import module_path, represented_block
from ...layout.text_fitting import common_tails, layer_names
from ..font import printable, text_length

WORD = re.compile(r"([^\W\d_])[^\W\d_]*")
MOST_PARTS = 8
"""Parts of a path that are abbreviated one after the other."""


def panel_names(layers: Sequence[Layer]) -> list[list[str]]:
    """Returns the names of each layer, longest first; no layer has a name of another.

    The first is the shortest end of its path that is no other layer's and begins with a word; in the others more and
    more words are initials: layer2.0.conv1, l2.0.conv1, l2.0.c1. A panel that represents a block has the block's name.
    """
    tails = _tails(layers)
    counts = Counter(name for names in tails for name in names)
    first = [_first_name(names, counts) for names in tails]
    shorter = [[name for name in dict.fromkeys(_abbreviated(name)) if name not in counts] for name in first]
    counts = Counter(name for names in shorter for name in names)
    return [[name, *(name for name in names if counts[name] == 1)] for name, names in zip(first, shorter, strict=True)]


def _tails(layers: Sequence[Layer]) -> list[list[str]]:
    """Returns the ends of each layer's path, longest first.

    A last part that is common is left out where the layer is the only one of its module.
    """
    named = [replace(layer, id=represented_block(layer)[1] or layer.id) for layer in layers]
    calls: Counter[str] = Counter()
    for k, layer in enumerate(named):
        calls[layer.id] += 1
        if calls[layer.id] > 1:  # runs of layers of one block
            named[k] = replace(layer, id=f"{layer.id}@{calls[layer.id]}")
    common, members = common_tails(layers), Counter(map(_module, named))
    names = [layer_names(layer, common if members[_module(layer)] == 1 else ()) for layer in named]
    return [[printable(name.lstrip(": ")) for name in own] for own in names]


def _module(layer: Layer) -> str:
    return module_path(layer.id).rpartition(".")[0]


def _first_name(names: Sequence[str], counts: Counter[str]) -> str:
    own = [name for name in names if counts[name] == 1 and not name[0].isdigit()]
    return own[-1] if own else names[0]


def _abbreviated(name: str) -> list[str]:
    """Returns a name with initials for the words of its first part, of two parts, and so on."""
    parts = name.split(".")
    initials = [WORD.sub(r"\1", part).replace("_", "") for part in parts]
    counts = range(1, len(parts) + 1)[-MOST_PARTS:]
    names = [".".join([*initials[:count], *parts[count:]]) for count in counts]
    return [name for name in names if len(name) > 1]


def fitting_names(names: Sequence[Sequence[str]], rooms: Sequence[float]) -> list[str]:
    """Returns the first name of each panel that is no longer than its room, in sizes of text; no two are equal.

    A first word that is too long for one panel is an initial on all. Where no name fits, "" stands for it.
    """
    long = {_first_word(own[0]) for own, room in zip(names, rooms, strict=True) if text_length(own[0]) > room}
    chosen = {""}
    found = []
    for options, room in zip(names, rooms, strict=True):
        if len(options) > 1 and "." in options[0] and _first_word(options[0]) in long:
            options = options[1:]
        found.append(next((name for name in options if text_length(name) <= room and name not in chosen), ""))
        chosen.add(found[-1])
    return found


def _first_word(name: str) -> str:
    found = WORD.match(name)
    return found[0] if found else ""
