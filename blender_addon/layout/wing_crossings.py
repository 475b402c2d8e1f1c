"""Edges from wing to wing: which there are, and their places beside the plates of a wing and along the heads."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .hall_model import BoardLinks, EdgeKind, Slot


class LinkGroup(NamedTuple):
    """Links that share their way."""

    source: int
    """Index of the slot."""
    kind: EdgeKind
    above: bool
    wing: int
    """Of the targets."""


Way = tuple[LinkGroup | int, int]
"""A group of links, or the number of a board's edges, in a wing."""


def link_groups(slots: Sequence[Slot], links: Iterable[tuple[int, int]]) -> dict[LinkGroup, list[Slot]]:
    """Returns the targets of each group of links."""
    groups: dict[LinkGroup, list[Slot]] = {}
    for s, t in links:
        a, b = slots[s], slots[t]
        above = b.rank - a.rank > 1
        kind: EdgeKind = "joined" if b.kind == "join" else "skip" if above else "data"
        groups.setdefault(LinkGroup(s, kind, above, b.wing), []).append(b)
    return groups


def board_spans(slots: Sequence[Slot], links: BoardLinks) -> dict[tuple[int, int], tuple[float, float]]:
    """Returns the y from and to which the edges of boards need a lane, by their number and wing.

    Inputs come first, then answers, then inputs that are answers.
    """
    last = max((slot.wing for slot in slots), default=0)
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for number, fed in enumerate(links.inputs):
        wings = _by_wing(slots, fed)
        for wing in {0, *wings}:
            passes = wing == 0 and any(wings.keys() - {0})
            found[number, wing] = -math.inf, math.inf if passes else max(wings.get(wing, [-math.inf]))
    for number, sources in enumerate(links.answers, len(links.inputs)):
        wings = _by_wing(slots, sources)
        for wing in {last, *wings}:
            passes = wing == last and any(wings.keys() - {last})
            found[number, wing] = -math.inf if passes else min(wings.get(wing, [math.inf])), math.inf
    for number in range(len(links.through)):
        found |= {(len(links.inputs) + len(links.answers) + number, wing): (-math.inf, math.inf) for wing in {0, last}}
    return found


def _by_wing(slots: Sequence[Slot], chosen: Iterable[int]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for k in chosen:
        found[slots[k].wing].append(slots[k].y)
    return found


def crossings(slots: Sequence[Slot], links: Iterable[tuple[int, int]], board_links: BoardLinks) -> dict[Way, int]:
    """Returns the last wing to which edges lead from an earlier one, by their way in that one."""
    found: dict[Way, int] = {}
    for group in link_groups(slots, links):
        if group.wing != slots[group.source].wing:
            found[group, slots[group.source].wing] = group.wing
    wings: dict[int, list[int]] = defaultdict(list)
    for number, wing in board_spans(slots, board_links):
        wings[number].append(wing)
    for number, own in wings.items():
        is_answer = 0 <= number - len(board_links.inputs) < len(board_links.answers)
        starts = [wing for wing in own if wing < max(own)] if is_answer else [0] * (max(own) > 0)
        found |= {(number, wing): max(own) for wing in starts}
    return found


def crossing_counts(found: Mapping[Way, int]) -> Counter[int]:
    """Returns how many edges of `crossings` leave each wing."""
    return Counter(wing for _, wing in found)


def crossing_places(found: Mapping[Way, int], lanes: Mapping[Way, float]) -> dict[Way, tuple[int, int]]:
    """Returns track and row of each of the edges of `crossings`; those whose lane is farther left run farther outside.

    lanes: world x by the same keys. Edges that pass the head of a later wing run outside of all that leave it.
    """
    counts, furthest = crossing_counts(found), dict.fromkeys((wing for _, wing in found), 0)
    for (_, wing), target in found.items():
        furthest[wing] = max(furthest[wing], target)
    first: dict[int, int] = {}
    for wing in sorted(furthest, reverse=True):
        passed = (first[other] + counts[other] for other in first if other < furthest[wing])
        first[wing] = max(passed, default=0)
    places = {}
    for wing, start in first.items():
        own = sorted((key for key in found if key[1] == wing), key=lambda key: -lanes[key])
        places.update({key: (track, start + track) for track, key in enumerate(own)})
    return places
