"""Paths of edges: near ones on the floor, far ones as rails overhead, in lanes that are never shared at one place."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .hall_model import EdgeKind, EdgeRun, HallLayout, Slot

LEVELS = {"walk": (0.03, 3.45), "figure": (1.30, 2.35)}
"""Heights of near and of far edges, metres; a figure's are computed from its camera by `figure_levels`."""
LANE = 0.12
"""Distance of two lanes, metres."""
MARGIN = 4.4
"""Width of the strip beside a plate for its stage's label, in a figure of usual size; metres."""
EDGE_OFFSET = 0.4
"""Metres from a wing's plates to the edges that run back to the head of the next wing."""
HEAD, TAIL = -1.2, 0.8
"""y of the edges along the heads of wings; metres from a wing's end to the edges around it."""
POST_SHARE = 0.97
"""Place where an edge meets a post, as a share of the distance from the aisle's middle to it."""


def route_edges(hall: HallLayout, links: Iterable[tuple[int, int]]) -> list[EdgeRun]:
    """Returns one run for each source, kind and level, each in the free lane nearest to the middle of its aisle."""
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
    """Returns the number of the first lane that is free from the source on, and takes it up to the farthest target."""
    far = max((target.y for target in targets if target.wing == source.wing), default=source.y)
    lane = next((k for k, end in enumerate(ends) if end <= source.y + 1e-6), len(ends))
    ends[lane : lane + 1] = [far]
    return lane


def _offset(lane: int, count: int, aisle: float) -> float:
    """Returns a lane's distance from the aisle's middle: lanes grow outwards, right first, and always fit the aisle."""
    pitch = min(LANE, (2 * aisle - 0.6) / max(count, 1))
    return pitch * ((lane + 1) // 2) * (1 if lane % 2 else -1)


def lane_path(run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """Returns the (4, 3) float path, in metres, from post to post: to the lane at 45°, along it, and off it at 45°."""
    a, b, lane, z = run.source, target, run.lane, levels[bool(run.above)]
    xa, xb = (_side(slot, run) for slot in (a, b))
    da, db = abs(xa - lane), abs(xb - lane)
    if da + db > b.y - a.y:
        da, db = (v * (b.y - a.y) / (da + db) for v in (da, db))
    return np.array([(xa, a.y, z), (lane, a.y + da, z), (lane, b.y - db, z), (xb, b.y, z)])


def _side(slot: Slot, run: EdgeRun) -> float:
    """Returns the world x where an edge meets a slot; rails come down to joints at the aisle's edge."""
    side = slot.side or (run.above and (1 if run.lane >= slot.x else -1))
    return slot.x + side * slot.aisle * POST_SHARE if side else run.lane


def wing_path(hall: HallLayout, a: Slot, b: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """Returns the (8, 3) float path, in metres, around a wing's end and along its plates to a later wing's head."""
    here, there = hall.wings[a.wing], hall.wings[b.wing].x
    back, floor, z = here.x + here.half + EDGE_OFFSET, LEVELS["walk"][0], levels[0]
    start, end = (slot.x + slot.side * slot.aisle * POST_SHARE for slot in (a, b))
    points = [
        (start, a.y, z),
        (a.x, a.y + abs(start - a.x), floor),
        (a.x, here.end + TAIL, floor),
        (back, here.end + TAIL, floor),
        (back, HEAD, floor),
        (there, HEAD, floor),
        (there, b.y - abs(end - there), floor),
        (end, b.y, z),
    ]
    return np.array(points)


def edge_path(hall: HallLayout, run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """Returns the (n, 3) float path of a link in metres, inside its wing or to another."""
    if run.source.wing == target.wing:
        return lane_path(run, target, levels)
    return wing_path(hall, run.source, target, levels)


def rail_drops(hall: HallLayout, levels: tuple[float, float] = LEVELS["walk"]) -> list[tuple[EdgeKind, np.ndarray]]:
    """Returns kind and ends, (2, 3) float in metres, of the uprights along which rails come down, each place once."""
    found: dict[tuple[float, float], tuple[EdgeKind, np.ndarray]] = {}
    for run in hall.runs:
        for target in run.targets if run.above else ():
            path = lane_path(run, target, levels)
            for x, y, z in (path[0], path[-1]):
                found[round(float(x), 3), round(float(y), 3)] = (run.kind, np.array([(x, y, 0.02), (x, y, z)]))
    return list(found.values())


def route_board_edges(hall: HallLayout, links: Iterable[tuple[int, int]], gate: Slot, answer: Slot) -> list[EdgeRun]:
    """Returns the runs from the input to the first panels, and from the last panels to the answer board.

    gate, answer: slots that stand for the input and the answer board.
    """
    links = list(links)
    fed, used = {t for _, t in links}, {s for s, _ in links}
    first = [slot for slot in hall.slots if slot.index not in fed and slot.wing == 0]
    last = [slot for slot in hall.slots if slot.index not in used and slot.wing == len(hall.wings) - 1]
    runs = [EdgeRun("data", False, gate.x, gate, first)] if first else []
    return runs + [EdgeRun("data", False, answer.x, slot, [answer]) for slot in last]
