"""Edges as trunks with taps: near ones painted on the floor, far ones as rails overhead; lanes never share a place."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .model import EdgeKind, EdgeRun, Hall, Slot

LEVELS = {"walk": (0.03, 3.45), "figure": (1.30, 2.35)}
"""Height of near edges and of far edges; a figure's are computed from its camera in `presets`."""
LANE = 0.12
"""Distance of two lanes."""
MARGIN = 4.4
"""Strip beside a plate for the words of its stage, in a figure of usual size."""
LINE = 0.4
"""From a wing's plates to the line that runs back to the head of the next wing."""
HEAD, TAIL = -1.2, 0.8
"""y of the way along the heads of wings; from a wing's end to the way around it."""
FOOT = 0.97
"""Where an edge meets a post, as a share of the way from the aisle's middle to it."""


def route_edges(hall: Hall, links: Iterable[tuple[int, int]]) -> list[EdgeRun]:
    """One trunk per source, kind and level, each in the free lane nearest to the middle of its aisle."""
    trunks: dict[tuple[int, EdgeKind, bool], list[Slot]] = {}
    for s, t in links:
        a, b = hall.slots[s], hall.slots[t]
        above = b.rank - a.rank > 1 and a.wing == b.wing
        kind: EdgeKind = "joined" if b.kind == "join" else "skip" if above else "data"
        trunks.setdefault((s, kind, above), []).append(b)
    ends: dict[tuple[int, bool], list[float]] = {}
    lanes: list[int] = []
    ordered = sorted(trunks.items(), key=lambda item: hall.slots[item[0][0]].y)
    for (s, _, above), targets in ordered:
        lanes.append(_lane(ends.setdefault((hall.slots[s].wing, above), []), hall.slots[s], targets))
    runs = []
    for lane, ((s, kind, above), targets) in zip(lanes, ordered, strict=True):
        source = hall.slots[s]
        offset = _offset(lane, len(ends[source.wing, above]), hall.aisle)
        runs.append(EdgeRun(kind, above, source.x + offset, source, targets))
    return runs


def _lane(ends: list[float], source: Slot, targets: list[Slot]) -> int:
    """Number of the first lane that is free from the source on; it is taken to the farthest target."""
    far = max((target.y for target in targets if target.wing == source.wing), default=source.y)
    lane = next((k for k, end in enumerate(ends) if end <= source.y + 1e-6), len(ends))
    ends[lane : lane + 1] = [far]
    return lane


def _offset(lane: int, count: int, aisle: float) -> float:
    """Lanes grow from the middle outwards, right first, and always fit into the aisle."""
    pitch = min(LANE, (2 * aisle - 0.6) / max(count, 1))
    return pitch * ((lane + 1) // 2) * (1 if lane % 2 else -1)


def lane_path(run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """(4, 3) path from the source's post to the target's: in at 45°, along the lane, out at 45°, like a metro map."""
    a, b, lane, z = run.source, target, run.lane, levels[bool(run.above)]
    xa, xb = (_side(slot, run) for slot in (a, b))
    da, db = abs(xa - lane), abs(xb - lane)
    if da + db > b.y - a.y:
        da, db = (v * (b.y - a.y) / (da + db) for v in (da, db))
    return np.array([(xa, a.y, z), (lane, a.y + da, z), (lane, b.y - db, z), (xb, b.y, z)])


def _side(slot: Slot, run: EdgeRun) -> float:
    """World x where an edge meets a slot; a rail comes down to a joint at the aisle's edge, not in a walker's way."""
    side = slot.side or (run.above and (1 if run.lane >= slot.x else -1))
    return slot.x + side * slot.aisle * FOOT if side else run.lane


def wing_route(hall: Hall, a: Slot, b: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """(8, 3) path from one wing to a later one: around the first one's end, along its plates, to the other's head."""
    here, there = hall.wings[a.wing], hall.wings[b.wing].x
    back, floor, z = here.x + here.half + LINE, LEVELS["walk"][0], levels[0]
    start, end = (slot.x + slot.side * slot.aisle * FOOT for slot in (a, b))
    return np.array(
        [
            (start, a.y, z), (a.x, a.y + abs(start - a.x), floor), (a.x, here.end + TAIL, floor),
            (back, here.end + TAIL, floor), (back, HEAD, floor), (there, HEAD, floor),
            (there, b.y - abs(end - there), floor), (end, b.y, z),
        ]
    )  # fmt: skip


def edge_path(hall: Hall, run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """(n, 3) the way of one link, inside its wing or to another."""
    return (
        lane_path(run, target, levels)
        if run.source.wing == target.wing
        else wing_route(hall, run.source, target, levels)
    )


def rail_drops(hall: Hall, levels: tuple[float, float] = LEVELS["walk"]) -> list[tuple[EdgeKind, np.ndarray]]:
    """(kind, (2, 3) floor and rail) where rails come down along posts, each place once."""
    found: dict[tuple[float, float], tuple[EdgeKind, np.ndarray]] = {}
    for run in hall.runs:
        for target in run.targets if run.above else ():
            way = lane_path(run, target, levels)
            for x, y, z in (way[0], way[-1]):
                found[round(float(x), 3), round(float(y), 3)] = (run.kind, np.array([(x, y, 0.02), (x, y, z)]))
    return list(found.values())


def board_runs(hall: Hall, links: Iterable[tuple[int, int]], gate: Slot, answer: Slot) -> list[EdgeRun]:
    """What leads from the input, a slot before the hall, to the first panels, and from the last ones to the answer."""
    links = list(links)
    fed, used = {t for _, t in links}, {s for s, _ in links}
    first = [slot for slot in hall.slots if slot.index not in fed and slot.wing == 0]
    last = [slot for slot in hall.slots if slot.index not in used and slot.wing == len(hall.wings) - 1]
    runs = [EdgeRun("data", False, gate.x, gate, first)] if first else []
    return runs + [EdgeRun("data", False, answer.x, slot, [answer]) for slot in last]
