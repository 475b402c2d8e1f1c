"""Checks that hold for every layout: no overlaps, a free aisle, fully visible panels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .edge_routes import edge_path
from .hall_model import EdgeRun, HallLayout, Slot


def measure_layout(hall: HallLayout) -> dict[str, float]:
    """Returns measures of a hall by name; lengths in metres.

    least_gap between two panels' foot lines; free_aisle; hidden: panels not seen whole from their reading point, in a
    walk; backward: links inside a wing that don't run towards its end; crossed: links that cross a foot line in plan
    view; outside: links that leave the aisle without going to another wing; length of the first wing; widest, lowest
    and highest edge of a panel.
    """
    panels = hall.panels
    feet = np.array([slot.corners(hall.yaw(slot)) for slot in panels]).reshape(-1, 2, 2)
    middle = np.array([slot.x for slot in panels])[:, None]
    links = [(run, target) for run in [*hall.runs, *hall.board_runs] for target in run.targets]
    inner = np.abs(feet[:, :, 0] - middle).min() if panels else hall.aisle
    return {
        "panels": len(panels),
        "least_gap": least_gap(feet),
        "free_aisle": 2 * float(inner),
        "hidden": count_hidden(hall, feet) if hall.parallel_yaw is None else 0,
        "backward": sum(target.y <= run.source.y for run, target in links if run.source.wing == target.wing),
        "crossed": count_crossed(hall, links, feet),
        "outside": sum(_leaves(hall, run, target) for run, target in links if run.source.wing == target.wing),
        "length": hall.wings[0].end,
        "widest": max((slot.width for slot in panels), default=0.0),
        "lowest": min((slot.bottom for slot in panels), default=0.0),
        "highest": max((slot.top for slot in panels), default=0.0),
    }


def count_crossed(hall: HallLayout, links: Sequence[tuple[EdgeRun, Slot]], feet: np.ndarray) -> int:
    """Counts the links that cross one of the foot lines (n, 2, 2) in plan view."""
    paths = [edge_path(hall, run, target)[:, :2] for run, target in links]
    if not paths:
        return 0
    legs = np.concatenate([np.stack([path[:-1], path[1:]], 1) for path in paths])
    link = np.repeat(np.arange(len(paths)), [len(path) - 1 for path in paths])
    return len(set(link[segments_cross(legs[:, None], feet[None]).any(1)].tolist()))


def _leaves(hall: HallLayout, run: EdgeRun, target: Slot) -> bool:
    return bool((np.abs(edge_path(hall, run, target)[:, 0] - run.source.x) > hall.aisle + 1e-9).any())


def least_gap(feet: np.ndarray) -> float:
    """Returns the least distance between any two of the foot lines (n, 2, 2); infinite for one alone."""
    if len(feet) < 2:
        return math.inf
    first, second = np.triu_indices(len(feet), 1)
    if segments_cross(feet[first], feet[second]).any():
        return 0.0
    orders = ((first, second), (second, first))
    return float(min(_distance(feet[a, end], feet[b]).min() for a, b in orders for end in (0, 1)))


def _distance(points: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Returns the (n,) distances of points (n, 2) from line segments (n, 2, 2)."""
    start, along = lines[:, 0], lines[:, 1] - lines[:, 0]
    share = np.clip(((points - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12), 0, 1)
    return np.linalg.norm(points - start - along * share[:, None], axis=-1)


def segments_cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Returns (…,) bool: whether the line segments p and q, (…, 2, 2), cross inside both."""

    def side(line: np.ndarray, point: np.ndarray) -> np.ndarray:
        along, to = line[..., 1, :] - line[..., 0, :], point - line[..., 0, :]
        return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]

    apart = side(p, q[..., 0, :]) * side(p, q[..., 1, :]) < 0
    return apart & (side(q, p[..., 0, :]) * side(q, p[..., 1, :]) < 0)


def count_hidden(hall: HallLayout, feet: np.ndarray) -> int:
    """Counts the panels with an end that is covered when seen from where their normal meets the aisle's middle.

    feet: (n, 2, 2) float, the foot lines of all panels.
    """
    panels = hall.panels
    if not panels:
        return 0
    width, middle = np.array([(slot.width, slot.x) for slot in panels]).T
    back = (hall.aisle + width / 2 * math.cos(hall.swing)) / math.tan(hall.swing)
    eye = np.stack([middle, feet[:, :, 1].mean(1) - back], 1)
    along = (feet[:, 1] - feet[:, 0]) * 0.02
    ends = np.stack([feet[:, 0] + along, feet[:, 1] - along], 1)
    sight = np.stack([np.broadcast_to(eye[:, None], ends.shape), ends], 2)
    before = segments_cross(sight[:, :, None], feet[None, None]).any(1)
    np.fill_diagonal(before, False)
    return int(before.any(1).sum())
