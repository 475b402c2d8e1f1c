"""Paths of edges: near ones on the floor, far ones as rails overhead, in lanes that are never shared at one place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .hall_model import BoardLinks, EdgeKind, EdgeRun, HallLayout, Slot, WingCrossing
from .wing_crossings import LinkGroup, Way, board_spans, crossing_places, crossings, link_groups

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


def route_edges(hall: HallLayout, links: Iterable[tuple[int, int]]) -> None:
    """Sets the runs of a hall, one for each source, kind, level and wing of targets, and the lanes of boards' edges.

    Each gets the free lane nearest to the middle of its aisle.
    """
    groups, spans = link_groups(hall.slots, links), board_spans(hall.slots, hall.board_links)
    trunks: dict[Way, _Trunk] = {
        (key, wing): trunk for key, targets in groups.items() for wing, trunk in _trunks(hall, key, targets)
    }
    trunks.update({key: _Trunk(key[1], False, *span) for key, span in spans.items()})
    lanes = dict(zip(trunks, _free_lanes(hall, list(trunks.values())), strict=True))
    places = crossing_places(crossings(hall.slots, links, hall.board_links), lanes)
    runs = []
    for key, targets in groups.items():
        source, wing = hall.slots[key.source], key.wing
        place = places.get((key, source.wing))
        crossing = None if place is None else WingCrossing(lanes[key, wing], *place)
        runs.append(EdgeRun(key.kind, key.above, lanes[key, source.wing], source, targets, crossing))
    hall.runs = sorted(runs, key=lambda run: run.source.y)
    hall.board_lanes = {key: lanes[key] for key in spans}
    hall.board_tracks = {key: places[key] for key in spans if key in places}


def _trunks(hall: HallLayout, key: LinkGroup, targets: list[Slot]) -> Iterator[tuple[int, _Trunk]]:
    """Yields the wings in which a group of links needs a lane, and its stretch there."""
    source, end = hall.slots[key.source], max(target.y for target in targets)
    yield source.wing, _Trunk(source.wing, key.above, source.y, end if key.wing == source.wing else math.inf)
    if key.wing != source.wing:
        yield key.wing, _Trunk(key.wing, key.above, -math.inf, end)


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


def wing_path(hall: HallLayout, run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """Returns the (n, 3) float path, in metres, around a wing's end and along its plates to a later wing's head."""
    assert run.crossing is not None
    a, b, (lane, track, row) = run.source, target, run.crossing
    here, floor, z = hall.wings[a.wing], LEVELS["walk"][0], levels[bool(run.above)]
    back = here.x + here.half + hall.edge_start + track * hall.edge_pitch
    tail, head = here.end + TAIL + track * hall.edge_pitch, HEAD - row * hall.edge_pitch
    start, end = (slot.x + slot.side * slot.aisle * POST_SHARE for slot in (a, b))
    start = start if a.side else run.lane
    da, db = (
        0.0 if abs(x - slot.x) > slot.aisle else abs(x - near)
        for slot, x, near in ((a, start, run.lane), (b, end, lane))
    )
    turn = [(lane, b.y - db, z)]
    if abs(end - b.x) > hall.aisle:
        turn = _along_row(lane, b, end, z, hall.parallel_yaw or 0.0)
    around = [(x, y, floor) for x, y in ((run.lane, tail), (back, tail), (back, head), (lane, head))]
    along = [(start, a.y, z), (run.lane, a.y + da, z), (run.lane, tail, z)]
    return np.array([*along, *around, (lane, head, z), *turn, (end, b.y, z)])


def edge_path(hall: HallLayout, run: EdgeRun, target: Slot, levels: tuple[float, float] = LEVELS["walk"]) -> np.ndarray:
    """Returns the (n, 3) float path of a link in metres, inside its wing or to another."""
    if run.source.wing == target.wing:
        return lane_path(run, target, levels, hall.parallel_yaw or 0.0)
    return wing_path(hall, run, target, levels)


def rail_drops(hall: HallLayout, levels: tuple[float, float] = LEVELS["walk"]) -> list[tuple[EdgeKind, np.ndarray]]:
    """Returns kind and ends, (2, 3) float in metres, of the uprights along which rails come down, each place once."""
    found: dict[tuple[float, float], tuple[EdgeKind, np.ndarray]] = {}
    for run in hall.runs:
        for target in run.targets if run.above else ():
            path = edge_path(hall, run, target, levels)
            for x, y, z in (path[0], path[-1]):
                found[round(float(x), 3), round(float(y), 3)] = (run.kind, np.array([(x, y, 0.02), (x, y, z)]))
    return list(found.values())


def route_board_edges(hall: HallLayout, inputs: Sequence[Slot], answers: Sequence[Slot]) -> list[EdgeRun]:
    """Returns the runs from each input to the layers that it feeds, and from layers to the answers that they make.

    Last come those from inputs that are answers themselves. inputs, answers: slots that stand for the boards, in the
    order of `hall.board_links`.
    """
    links, slots = hall.board_links, hall.slots
    pairs = [(gate, slots[k], number) for number, gate in enumerate(inputs) for k in links.inputs[number]]
    number = len(inputs)
    pairs += [(slots[k], answer, number + n) for n, answer in enumerate(answers) for k in links.answers[n]]
    number += len(answers)
    pairs += [(inputs[k], answers[n], number + m) for m, (k, n) in enumerate(links.through)]
    return [_board_run(hall, *pair) for pair in pairs]


def _board_run(hall: HallLayout, source: Slot, target: Slot, number: int) -> EdgeRun:
    crossing = None
    if source.wing != target.wing:
        crossing = WingCrossing(hall.board_lanes[number, target.wing], *hall.board_tracks[number, source.wing])
    return EdgeRun("data", False, hall.board_lanes[number, source.wing], source, [target], crossing)


def end_links(count: int, links: Iterable[tuple[int, int]]) -> BoardLinks:
    """Returns the links of one input and one answer where nothing else is known of them.

    The input feeds all of `count` layers without a source, and the answer is made of those that no layer reads.
    """
    links = list(links)
    fed, read = {t for _, t in links}, {s for s, _ in links}
    first, last = (tuple(k for k in range(count) if k not in known) for known in (fed, read))
    return BoardLinks((first,), (last,))
