"""Cameras computed from the layout, so that nothing is cut off: overview, walk, entrance, layer, tile."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from .boards import answer_boards, boards, chart_boards, shelf_desk, upright_axes
from .edge_routes import LEVELS, edge_path
from .figure_projection import FigureProjection, overlaps
from .hall_model import AISLE_HALF_WIDTH, EYE_HEIGHT, PANEL_BOTTOM, PANEL_TOP, EdgeRun, HallLayout, Slot
from .label_placement import stage_labels
from .view import SENSOR, View

AZIMUTH, ELEVATION = math.radians(57), math.radians(38)
"""Angles of an overview's camera to the right of the hall's front and above the floor, radians."""
CAMERA_DISTANCE = 800.0
"""Metres between an orthographic camera and the hall."""
EDGE = 0.02
"""Margin of an overview, as a share of the picture's width."""
BASE_SPAN = 32.0
"""Span in metres up to which input and answer board keep their size; beyond it they grow with it."""
BAND = 0.50
"""Height of the clear band between the rows of a figure in which edges run, metres."""
WIDE_AISLE = 2.2
"""Greatest width that the aisle gets for that band, from its middle to the posts; metres."""
REFERENCE_WIDTH = 1920.0
"""Width in pixels of the picture that sizes of corners and labels in an overview refer to."""
PRESETS = ("overview", "walk", "entrance", "layer", "tile")
"""Names of the cameras; each has a function here."""
OWN_CAMERA = "camera"
"""Name of the preset that leaves a hall's scene as it is, with its own camera."""
TITLE, LEGEND_CORNER = (70.0, 60.0, 760.0, 180.0), (1440.0, 60.0, 1880.0, 225.0)
"""Left, near edge, right and far edge in pixels of REFERENCE_WIDTH: of the title's corner, from the top, and of the
legend's, from below."""
CORNER_AIR = 14.0
"""Least distance of anything from those corners, in the same pixels."""
CARD, CARD_GAP = (1.18, 1.70), 0.22
"""Width and height of a panel's card, and its distance from the panel, metres. Lower panels share its upper edge."""
LENS, ENTRANCE, TILES = 20.0, -3.5, 5
"""Lens of a walker in millimetres; y of the place before the hall in metres; tiles across in the tile preset."""


@dataclass(frozen=True)
class FigureCorner:
    """A free corner of an overview: lower left point and size, in pixels of a picture REFERENCE_WIDTH wide."""

    left: float
    bottom: float
    width: float
    height: float

    def box(self) -> np.ndarray:
        """Returns (4,) float left, bottom, right, top in those pixels."""
        return np.array([self.left, self.bottom, self.left + self.width, self.bottom + self.height])

    def place(self, view: View) -> tuple[np.ndarray, float]:
        """Returns the world point (3,) of its lower left, well before everything else, and metres of one pixel."""
        sheet = float(view.span or 1.0) / REFERENCE_WIDTH
        shift = (self.left - REFERENCE_WIDTH / 2, self.bottom - REFERENCE_WIDTH * view.height / view.width / 2)
        return view.position - view.back * CAMERA_DISTANCE * 0.375 + (
            view.right * shift[0] + view.up * shift[1]
        ) * sheet, sheet


def free_corners(view: View) -> tuple[FigureCorner, FigureCorner]:
    """Returns the corners that an overview leaves free: the title's, top left, and the legend's, bottom right."""
    tall = REFERENCE_WIDTH * view.height / view.width
    title = FigureCorner(TITLE[0], tall - TITLE[3], TITLE[2] - TITLE[0], TITLE[3] - TITLE[1])
    return title, FigureCorner(
        LEGEND_CORNER[0], LEGEND_CORNER[1], LEGEND_CORNER[2] - LEGEND_CORNER[0], LEGEND_CORNER[3] - LEGEND_CORNER[1]
    )


def hidden_height(azimuth: float, elevation: float) -> float:
    """Returns how many metres of height one metre across the hall hides from an overview's camera."""
    return math.tan(elevation) / math.sin(azimuth)


def figure_aisle(tallest: float, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> float:
    """Returns the distance from the aisle's middle to its posts that leaves a clear band between two rows of panels.

    tallest: height of the tallest panel, metres.
    """
    return min(max((tallest + BAND) / 2 / hidden_height(azimuth, elevation), AISLE_HALF_WIDTH), WIDE_AISLE)


def figure_levels(hall: HallLayout, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> tuple[float, float]:
    """Returns the heights of a figure's near and far edges, which the camera sees between the two rows."""
    shift = hidden_height(azimuth, elevation) * hall.aisle
    right, left = ([slot for slot in hall.panels if slot.side == side] or hall.panels for side in (1, -1))
    low = max((slot.top for slot in right), default=PANEL_TOP) - shift
    high = min((slot.bottom for slot in left), default=PANEL_BOTTOM) + shift
    middle, half = (low + high) / 2, max((high - low) / 2 - 0.05, 0.2)
    near = max(middle - half, LEVELS["walk"][0])
    return near, max(middle + half, near + 0.3)


def figure_scale(span: float) -> float:
    """Returns the factor for the size of input and answer board in an overview of `span` metres."""
    return max(1.0, span / BASE_SPAN)


def overview_direction(width: int, height: int, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> View:
    """Returns an orthographic camera with the direction of an overview; its position and span are not set yet."""
    away = (math.sin(azimuth) * math.cos(elevation), -math.cos(azimuth) * math.cos(elevation), math.sin(elevation))
    return View(away, (0.0, 0.0, 0.0), width, height, span=1.0)


def overview(hall: HallLayout, width: int, height: int, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> View:
    """Returns an orthographic camera that shows the whole hall and leaves corners for title and legend free."""
    bare = overview_direction(width, height, azimuth, elevation)
    things = things_in_figure(hall)
    view = frame_things(bare, things)
    for _ in range(4):
        labels = np.array([label.corners() for label in stage_labels(hall, view)]).reshape(-1, 4, 3)
        if is_inside(view, labels.reshape(-1, 3), EDGE):
            break
        view = frame_things(bare, [*things, labels])
    return view


def frame_things(view: View, things: list[np.ndarray]) -> View:
    """Returns the camera moved and widened to show all things, (n, points, 3) float each, with its corners free."""
    boxes = _boxes(view, things)
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    inner = 1 - 2 * EDGE, view.height / view.width - 2 * EDGE
    span = max((high[0] - low[0]) / inner[0], (high[1] - low[1]) / inner[1])
    while (middle := _middle(boxes, span, view)) is None:
        span *= 1.02
    centre = view.right * middle[0] + view.up * middle[1]
    return replace(view, position=_point(centre + view.back * CAMERA_DISTANCE), target=_point(centre), span=float(span))


def _boxes(view: View, things: list[np.ndarray]) -> np.ndarray:
    """Returns (m, 4) float left, bottom, right, top of all things in the picture's plane, metres."""
    flat = [thing @ view.axes[:2].T for thing in things if len(thing)]
    return np.concatenate([np.concatenate([thing.min(1), thing.max(1)], 1) for thing in flat])


def _middle(boxes: np.ndarray, span: float, view: View) -> tuple[float, float] | None:
    """Returns the middle of a picture of `span` metres that holds all boxes (n, 4), with free corners, or None."""
    size = np.array([span, span * view.height / view.width])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    slack = np.maximum(size - (high - low) - 2 * EDGE * span, 0.0)
    shifts = (0.0, 0.5, -0.5)
    for shift in sorted(((a, b) for a in shifts for b in shifts), key=lambda s: abs(s[0]) + abs(s[1])):
        middle = (low + high) / 2 + slack * shift
        origin, sheet = middle - size / 2, span / REFERENCE_WIDTH
        air = CORNER_AIR * np.array([-1.0, -1.0, 1.0, 1.0])
        taken = [((corner.box() + air) * sheet + np.tile(origin, 2)) for corner in free_corners(view)]
        if not any(overlaps(boxes, box).any() for box in taken):
            return float(middle[0]), float(middle[1])
    return None


def things_in_figure(hall: HallLayout) -> list[np.ndarray]:
    """Returns all things in a figure's hall, (n, points, 3) float each: boards, panels with labels, plates, lines."""
    return [np.array([board.corners(0.6 * board.scale) for board in boards(hall)]), *_between(hall)]


def _between(hall: HallLayout) -> list[np.ndarray]:
    """Returns panels with labels, plates and lines, (n, points, 3) float each; long lines as points."""
    feet = np.array([slot.corners(hall.yaw(slot)) for slot in hall.panels]).reshape(-1, 2, 2)
    tops = np.array([slot.top + 0.13 + 0.01 * hall.scale * BASE_SPAN for slot in hall.panels])
    low = np.concatenate([feet, np.zeros((len(feet), 2, 1))], 2)
    high = np.concatenate([feet, np.repeat(tops, 2).reshape(-1, 2, 1)], 2)
    legs: list[np.ndarray] = []
    for run, target in _leaving(hall):
        legs += [np.array(leg) for leg in itertools.pairwise(edge_path(hall, run, target))]
    for stage in hall.stages:
        x, right = hall.wings[stage.wing].x, stage.half + hall.margin
        legs += [np.array([(x + side, y, 0.0) for y in (stage.start, stage.end)]) for side in (-stage.half, right)]
    return [np.concatenate([low, high], 1), *(_points(leg) for leg in legs)]


def _leaving(hall: HallLayout) -> list[tuple[EdgeRun, Slot]]:
    """Returns one link of each run into a later wing; its other links take the same path."""
    return [(run, run.targets[0]) for run in hall.runs if run.crossing is not None]


def _points(leg: np.ndarray) -> np.ndarray:
    """Returns (n, 1, 3) float points on a straight line, not more than a metre apart."""
    start, end = leg
    count = int(np.linalg.norm(end - start)) + 2
    return (start + (end - start) * np.linspace(0, 1, count)[:, None])[:, None]


def place_answers(hall: HallLayout, view: View, least: float) -> float:
    """Returns a y for the answers, `least` metres or more behind the last wing, where they cover nothing.

    Panels and boards are parallel, so all of them are rectangles in the sheared projection.
    """
    projection = FigureProjection.of(replace(hall, slots=[]), view)
    flat = [projection.locate(thing)[..., :2] for thing in _between(hall)]
    boxes = np.concatenate([np.concatenate([thing.min(1), thing.max(1)], 1) for thing in flat])
    start = hall.wings[-1].end + least
    placed = (replace(hall, answer_y=y) for y in (start, start + 1.0))
    rows = ([*answer_boards(own), *chart_boards(own)] for own in placed)
    shapes = (np.concatenate([board.corners(0.6 * hall.scale) for board in row]) for row in rows)
    first, second = (projection.locate(shape)[:, :2] for shape in shapes)
    room = np.concatenate([first.min(0) - 0.5, first.max(0) + 0.5])
    return start + _first_free(boxes, room, (second - first)[0])


def _first_free(boxes: np.ndarray, room: np.ndarray, pace: np.ndarray) -> float:
    """Returns the least k >= 0 for which `room` (4,) moved by k * pace (2,) overlaps none of the boxes (n, 4)."""
    into, out = (boxes[:, :2] - room[2:]) / pace, (boxes[:, 2:] - room[:2]) / pace
    enter, leave = np.minimum(into, out).max(1), np.maximum(into, out).min(1)
    k = 0.0
    for start, end in sorted(zip(enter, leave, strict=True)):
        if start < k + 1e-9 < end:
            k = float(end)
    return k


def walk(hall: HallLayout, y: float, width: int, height: int, lens: float = LENS) -> View:
    """Returns the camera of a walker in the first wing's aisle at `y`, who looks slightly up along it."""
    x = hall.wings[0].x
    return View((x, y, EYE_HEIGHT), (x, y + 10, EYE_HEIGHT + 0.15), width, height, lens)


def entrance(hall: HallLayout, width: int, height: int, desk: bool = False) -> View:
    """Returns the camera of a walker before the hall who sees input, first gate and title board whole, and the desk.

    Where charts stand beside the title board, the walker looks at the middle of it all.
    """
    before = [board.corners(0.4) for board in boards(hall) if board.position[1] < hall.slots[0].y]
    points = np.concatenate([*before, *([shelf_desk(hall).corners] if desk else [])])
    y = ENTRANCE
    while not is_inside(view := _turned(walk(hall, y, width, height), points, hall), points, EDGE):
        y -= 0.25
    return view


def _turned(view: View, points: np.ndarray, hall: HallLayout) -> View:
    """Returns a walker's camera turned to the middle of points (n, 3), if the hall has charts."""
    if not hall.board_links.charts:
        return view
    x, y = (points - view.position)[:, :2].T
    angles = np.arctan2(x, np.maximum(y, 1e-6))
    middle, reach = (angles.min() + angles.max()) / 2, view.target[1] - view.position[1]
    return replace(view, target=(view.position[0] + math.tan(middle) * reach, *view.target[1:]))


def layer(hall: HallLayout, slot: Slot, width: int, height: int) -> View:
    """Returns a camera in the middle of the aisle, on the panel's normal, that shows the panel and its card."""
    yaw = hall.yaw(slot)
    left, right = slot.corners(yaw)
    axes = upright_axes(yaw)
    tall, below = max(slot.height, CARD[1]), max(CARD[1] - slot.height, 0.0)
    centre = np.append((left + right) / 2, slot.bottom + (slot.height - below) / 2 + 0.08)
    centre -= axes[0] * slot.side * (CARD[0] + CARD_GAP) / 2
    distance = abs(centre[0] - slot.x) / abs(math.sin(yaw))
    need = max((slot.width + CARD[0] + CARD_GAP) / 0.90, tall / 0.80 * width / height)
    position = centre + np.cross(*axes) * distance
    return View(_point(position), _point(centre), width, height, SENSOR * distance / need)


def tile(hall: HallLayout, slot: Slot, width: int, height: int) -> View:
    """Returns a camera that shows the first five tiles across, or the whole panel, from 14° beside its normal."""
    yaw = hall.yaw(slot)
    axes = upright_axes(yaw)
    across = min(slot.cell[0] * TILES, max(slot.width, slot.height * width / height))
    half = min(across, slot.width) / 2, min(across * height / width, slot.height) / 2
    upper = np.append(slot.corners(yaw)[0], slot.top)
    centre = upper + axes[0] * half[0] - axes[1] * half[1]
    position = centre + np.cross(*upright_axes(yaw + 0.25)) * across * 1.12 * 50 / SENSOR
    return View(_point(position), _point(centre), width, height, 50.0)


def is_inside(view: View, points: np.ndarray, margin: float = 0.0) -> bool:
    """Returns whether all points (n, 3) are in the picture, `margin` (a share of its width) away from its edges."""
    x, y, depth = view.project(points).T
    edge = margin * view.width - 1e-6
    across = (x >= edge) & (x <= view.width - edge)
    return bool((across & (y >= edge) & (y <= view.height - edge) & (depth > 0)).all())


def _point(point: np.ndarray) -> tuple[float, float, float]:
    return (float(point[0]), float(point[1]), float(point[2]))
