"""Paths of edges: near ones on the floor, far ones as rails overhead, in lanes that are never shared at one place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .hall_model import BoardLinks, EdgeKind, EdgeRun, HallLayout, Slot

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
BOARD_TURN = 0.6
"""Metres before a row of answers at which edges turn to their boards."""
POST_SHARE = 0.97
"""Place where an edge meets a post, as a share of the distance from the aisle's middle to it."""


class _Trunk(NamedTuple):
    """A stretch of an aisle that the edges of one source, or of one board, share."""

    wing: int
    above: bool
    start: float
    """y from which it needs a lane, metres."""
    end: float


def route_edges(hall: HallLayout, links: Iterable[tuple[int, int]]) -> tuple[list[EdgeRun], tuple[float, ...]]:
    """Returns one run for each source, kind and level, and the lane of each board of `hall.board_links` as world x.

    Each gets the free lane nearest to the middle of its aisle. The lanes of inputs come before those of answers, then
    those of inputs that are answers.
    """
    groups: dict[tuple[int, EdgeKind, bool], list[Slot]] = {}
    for s, t in links:
        a, b = hall.slots[s], hall.slots[t]
        above = b.rank - a.rank > 1 and a.wing == b.wing
        kind: EdgeKind = "joined" if b.kind == "join" else "skip" if above else "data"
        groups.setdefault((s, kind, above), []).append(b)
    trunks = [_trunk(hall.slots[s], above, targets) for (s, _, above), targets in groups.items()]
    lanes = _free_lanes(hall, [*trunks, *_board_trunks(hall)])
    runs = [
        EdgeRun(kind, above, lane, hall.slots[s], targets)
        for ((s, kind, above), targets), lane in zip(groups.items(), lanes, strict=False)
    ]
    return sorted(runs, key=lambda run: run.source.y), tuple(lanes[len(trunks) :])


def _trunk(source: Slot, above: bool, targets: list[Slot]) -> _Trunk:
    end = max((target.y for target in targets if target.wing == source.wing), default=source.y)
    return _Trunk(source.wing, above, source.y, end)


def _board_trunks(hall: HallLayout) -> list[_Trunk]:
    """Returns the stretch of each input's edges in the first wing, of each answer's in the last one, and of both."""
    last, trunks = len(hall.wings) - 1, []
    for fed in hall.board_links.inputs:
        ends = [hall.slots[k].y for k in fed if hall.slots[k].wing == 0]
        trunks.append(_Trunk(0, False, -math.inf, max(ends, default=-math.inf)))
    for sources in hall.board_links.answers:
        starts = [hall.slots[k].y for k in sources if hall.slots[k].wing == last]
        trunks.append(_Trunk(last, False, min(starts, default=hall.wings[last].end), math.inf))
    return trunks + [_Trunk(0, False, -math.inf, math.inf) for _ in hall.board_links.through]


def _free_lanes(hall: HallLayout, trunks: list[_Trunk]) -> list[float]:
    """Returns the world x of the lane of each trunk: the first of its aisle that is free from its start on."""
    ends: dict[tuple[int, bool], list[float]] = {}
    numbers = [0] * len(trunks)
    for k in sorted(range(len(trunks)), key=lambda k: trunks[k].start):
        taken = ends.setdefault((trunks[k].wing, trunks[k].above), [])
        number = next((n for n, end in enumerate(taken) if end <= trunks[k].start + 1e-6), len(taken))
        taken[number : number + 1] = [trunks[k].end]
        numbers[k] = number
    return [
        hall.wings[trunk.wing].x + _offset(number, len(ends[trunk.wing, trunk.above]), hall.aisle)
        for trunk, number in zip(trunks, numbers, strict=True)
    ]


def _offset(lane: int, count: int, aisle: float) -> float:
    """Returns a lane's distance from the aisle's middle: lanes grow outwards, right first, and always fit the aisle."""
    pitch = min(LANE, (2 * aisle - 0.6) / max(count, 1))
    return pitch * ((lane + 1) // 2) * (1 if lane % 2 else -1)


def lane_path(
    run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"], row_yaw: float = 0.0
) -> np.ndarray:
    """Returns the (n, 3) float path, in metres, from post to post: to the lane at 45°, along it, and off it at 45°.

    From a board beside the aisle it runs across the hall to the lane, and to one it runs along the row of boards.
    row_yaw: direction of that row, radians.
    """
    a, b, lane, z = run.source, target, run.lane, levels[bool(run.above)]
    xa, xb = (_side(slot, run) for slot in (a, b))
    aisle = min(a.aisle, b.aisle)
    da, db = (0.0 if abs(x - slot.x) > aisle else abs(x - lane) for slot, x in ((a, xa), (b, xb)))
    if da + db > b.y - a.y:
        da, db = (v * (b.y - a.y) / (da + db) for v in (da, db))
    ends = [(lane, b.y - db, z)]
    if abs(xb - b.x) > aisle:
        ends = _along_row(lane, b, xb, z, row_yaw)
    return np.array([(xa, a.y, z), (lane, a.y + da, z), *ends, (xb, b.y, z)])


def _along_row(lane: float, board: Slot, x: float, z: float, yaw: float) -> list[tuple[float, float, float]]:
    """Returns where an edge leaves its lane and where it turns to a board at `x` beside the aisle, metres."""
    y = board.y - BOARD_TURN
    return [(lane, y - (x - lane) * math.tan(yaw), z), (x, y, z)]


def _side(slot: Slot, run: EdgeRun) -> float:
    """Returns the world x where an edge meets a slot; rails come down to joints at the aisle's edge."""
    side = slot.side or (run.above and (1 if run.lane >= slot.x else -1))
    return slot.x + side * slot.aisle * POST_SHARE if side else run.lane


def wing_path(hall: HallLayout, a: Slot, b: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """Returns the (n, 3) float path, in metres, around a wing's end and along its plates to a later wing's head."""
    here, there = hall.wings[a.wing], hall.wings[b.wing].x
    back, floor, z = here.x + here.half + EDGE_OFFSET, LEVELS["walk"][0], levels[0]
    start, end = (slot.x + slot.side * slot.aisle * POST_SHARE for slot in (a, b))
    aisle = hall.aisle
    da, db = (0.0 if abs(x - slot.x) > aisle else abs(x - slot.x) for slot, x in ((a, start), (b, end)))
    turn = [(there, b.y - db, floor)]
    if abs(end - there) > aisle:
        turn = _along_row(there, b, end, floor, hall.parallel_yaw or 0.0)
    points = [
        (start, a.y, z),
        (a.x, a.y + da, floor),
        (a.x, here.end + TAIL, floor),
        (back, here.end + TAIL, floor),
        (back, HEAD, floor),
        (there, HEAD, floor),
        *turn,
        (end, b.y, z),
    ]
    return np.array(points)


def edge_path(hall: HallLayout, run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """Returns the (n, 3) float path of a link in metres, inside its wing or to another."""
    if run.source.wing == target.wing:
        return lane_path(run, target, levels, hall.parallel_yaw or 0.0)
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


def route_board_edges(hall: HallLayout, inputs: Sequence[Slot], answers: Sequence[Slot]) -> list[EdgeRun]:
    """Returns the runs from each input to the layers that it feeds, and from layers to the answers that they make.

    Last come those from inputs that are answers themselves. inputs, answers: slots that stand for the boards, in the
    order of `hall.board_links`.
    """
    lanes, runs = iter(hall.board_lanes), []
    for gate, fed in zip(inputs, hall.board_links.inputs, strict=True):
        lane = next(lanes)
        if fed:
            runs.append(EdgeRun("data", False, lane, gate, [hall.slots[k] for k in fed]))
    for answer, sources in zip(answers, hall.board_links.answers, strict=True):
        lane = next(lanes)
        runs += [EdgeRun("data", False, lane, hall.slots[k], [answer]) for k in sources]
    return runs + [EdgeRun("data", False, next(lanes), inputs[k], [answers[n]]) for k, n in hall.board_links.through]


def end_links(count: int, links: Iterable[tuple[int, int]]) -> BoardLinks:
    """Returns the links of one input and one answer where nothing else is known of them.

    The input feeds all of `count` layers without a source, and the answer is made of those that no layer reads.
    """
    links = list(links)
    fed, read = {t for _, t in links}, {s for s, _ in links}
    first, last = (tuple(k for k in range(count) if k not in known) for known in (fed, read))
    return BoardLinks((first,), (last,))
