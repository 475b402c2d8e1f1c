"""Cameras computed from the layout, so that nothing is cut: overview, walk, entrance, layer, tile."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .places import answer_board, boards, wall
from .route import LEVELS, path
from .signs import stage_words
from .slots import BASE, EYE, HALF, TOP, Hall, Slot
from .view import SENSOR, View

AZIMUTH, ELEVATION = math.radians(57), math.radians(38)
"""Of an overview: how far the camera stands to the right of the hall's front, and how high."""
AWAY = 800.0
"""Metres between an orthographic camera and what it shows."""
EDGE = 0.02
"""Margin of an overview, as a share of the picture's width."""
NORMAL = 27.0
"""Span in metres up to which input and class board keep their size; beyond it they grow with it."""
BAND = 0.50
"""Height of the clear band between the rows of a figure in which edges run."""
WIDE_AISLE = 2.2
"""The widest aisle that is made for that."""
SHEET = 1920.0
"""Sizes in corners and words of an overview are pixels of a picture this wide."""
TITLE, KEY = (70.0, 60.0, 760.0, 180.0), (1440.0, 60.0, 1880.0, 190.0)
"""Left, near edge, right, far edge: the title's corner from the top, the legend's from the bottom."""
LENS, ENTRANCE, TILES = 20.0, -3.5, 5
"""Lens of a walker, millimetres; where one stands before the hall; tiles across in the tile preset."""


@dataclass(frozen=True)
class Corner:
    """A free corner of an overview: its lower left and its size, in pixels of a picture SHEET wide."""

    left: float
    bottom: float
    width: float
    height: float

    def place(self, view: View) -> tuple[np.ndarray, float]:
        """World point (3,) of its lower left, well before everything else, and metres a pixel of the sheet."""
        sheet = float(view.span or 1.0) / SHEET
        shift = (self.left - SHEET / 2, self.bottom - SHEET * view.height / view.width / 2)
        return view.at - view.back * AWAY * 0.375 + (view.right * shift[0] + view.up * shift[1]) * sheet, sheet


def corners(view: View) -> tuple[Corner, Corner]:
    """The title's corner, top left, and the legend's, bottom right, that an overview leaves free."""
    tall = SHEET * view.height / view.width
    title = Corner(TITLE[0], tall - TITLE[3], TITLE[2] - TITLE[0], TITLE[3] - TITLE[1])
    return title, Corner(KEY[0], KEY[1], KEY[2] - KEY[0], KEY[3] - KEY[1])


def rise(azimuth: float, elevation: float) -> float:
    """Metres of height that a metre across the hall hides: the view of an overview, cut across the aisle."""
    return math.tan(elevation) / math.sin(azimuth)


def figure_aisle(azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> float:
    """Way from the aisle's middle to its posts at which the camera sees a clear band between the two rows."""
    return min(max((TOP - BASE + BAND) / 2 / rise(azimuth, elevation), HALF), WIDE_AISLE)


def figure_levels(hall: Hall, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> tuple[float, float]:
    """Heights of near and far edges of a figure: over the right row, under the left one, as this camera sees them."""
    shift = rise(azimuth, elevation) * hall.aisle
    low = max((slot.top for slot in hall.panels if slot.side > 0), default=TOP) - shift
    high = min((slot.bottom for slot in hall.panels if slot.side < 0), default=BASE) + shift
    middle, half = (low + high) / 2, max((high - low) / 2 - 0.05, 0.2)
    near = max(middle - half, LEVELS["walk"][0])
    return near, max(middle + half, near + 0.3)


def figure_scale(span: float) -> float:
    """How much larger input and class board are in an overview of `span` metres."""
    return max(1.0, span / NORMAL)


def direction(width: int, height: int, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> View:
    """An orthographic camera that looks the way an overview does; where it stands says nothing yet."""
    away = (math.sin(azimuth) * math.cos(elevation), -math.cos(azimuth) * math.cos(elevation), math.sin(elevation))
    return View(away, (0.0, 0.0, 0.0), width, height, span=1.0)


def rough_span(hall: Hall, width: int, height: int, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> float:
    """Metres across a picture that holds the panels, plates and words' strips: enough to compare halls."""
    view = direction(width, height, azimuth, elevation)
    points = _plates(hall)
    return float(max(np.ptp(points @ view.right), np.ptp(points @ view.up) * width / height))


def overview(
    hall: Hall, width: int, height: int, azimuth: float = AZIMUTH, elevation: float = ELEVATION
) -> View:
    """Orthographic camera around everything that stands and is written, whose corners for title and legend are free."""
    view = _around(direction(width, height, azimuth, elevation), _boxes(hall))
    for _ in range(4):
        words = [word.corners() for word in stage_words(hall, view)]
        if all(inside(view, corners, EDGE / 2) for corners in words):
            break
        view = _around(view, [*_boxes(hall), *words])
    return view


def _around(view: View, shapes: list[np.ndarray]) -> View:
    """The same direction, moved and widened to hold all shapes, (n, 3) each."""
    width, height = view.width, view.height
    u, v = ([shape @ axis for shape in shapes] for axis in (view.right, view.up))
    boxes = np.array([(a.min(), b.min(), a.max(), b.max()) for a, b in zip(u, v, strict=True)])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    inner = 1 - 2 * EDGE, height / width - 2 * EDGE
    span = max((high[0] - low[0]) / inner[0], (high[1] - low[1]) / inner[1])
    shift = _free_shift(boxes, span, view)
    while shift is None:
        span *= 1.02
        shift = _free_shift(boxes, span, view)
    centre = view.right * shift[0] + view.up * shift[1]
    return replace(view, at=_point(centre + view.back * AWAY), look=_point(centre), span=float(span))


def _free_shift(boxes: np.ndarray, span: float, view: View) -> tuple[float, float] | None:
    """Middle of a picture `span` wide that holds all boxes (n, 4) and keeps its corners free; None: there is none."""
    tall = span * view.height / view.width
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    slack = np.maximum((span, tall) - (high - low) - 2 * EDGE * span, 0.0)
    for across in (0.0, 0.25, -0.25, 0.5, -0.5):
        for along in (0.0, 0.25, -0.25, 0.5, -0.5):
            middle = (low + high) / 2 + slack * (across, along)
            if not _covered(boxes, middle - np.array([span, tall]) / 2, span / SHEET, view):
                return float(middle[0]), float(middle[1])
    return None


def _covered(boxes: np.ndarray, origin: np.ndarray, sheet: float, view: View) -> bool:
    """Whether a box reaches into the corners of a picture whose lower left is `origin`."""
    for corner in corners(view):
        low = origin + np.array([corner.left, corner.bottom]) * sheet
        high = low + np.array([corner.width, corner.height]) * sheet
        if ((boxes[:, :2] < high).all(1) & (boxes[:, 2:] > low).all(1)).any():
            return True
    return False


def _plates(hall: Hall) -> np.ndarray:
    """(n, 3) corners of plates with their strips of words, and of panels with room for a name."""
    feet = [(*foot, z) for slot in hall.panels for foot in slot.corners(hall.yaw(slot)) for z in (0.0, slot.top + 0.5)]
    for stage in hall.stages:
        x, right = hall.wings[stage.wing].x, stage.half + hall.margin
        feet += [(x + side, y, 0.0) for side in (-stage.half, right) for y in (stage.start, stage.end)]
    return np.array(feet).reshape(-1, 3)


def _boxes(hall: Hall) -> list[np.ndarray]:
    """Points of everything that stands or lies in a hall, one array a thing."""
    found = [board.corners(0.6 * board.scale) for board in boards(hall)]
    for slot in hall.panels:
        foot = slot.corners(hall.yaw(slot))
        found.append(np.array([(*end, z) for end in foot for z in (0.0, slot.top + 0.5)]))
    for stage in hall.stages:
        x, right = hall.wings[stage.wing].x, stage.half + hall.margin
        sides, along = (x - stage.half, x + right), np.linspace(stage.start, stage.end, 5)
        found += [np.array([(side, y, 0.0) for y in along]) for side in sides]
    turns = [path(hall, run, target) for run in hall.runs for target in run.targets if target.wing != run.source.wing]
    return found + [np.array(leg) for turn in turns for leg in zip(turn, turn[1:], strict=False)]


def place_answer(hall: Hall, view: View, least: float) -> float:
    """y of the class board behind the last wing, where it covers no other thing in the picture of `view`."""
    others = _boxes(hall)[len(boards(hall)) :]
    u, v = (np.array([(s @ axis).min() for s in others] + [(s @ axis).max() for s in others]) for axis in view.axes[:2])
    count, y = len(others), hall.wings[-1].end + least
    for _ in range(400):
        shape = answer_board(replace(hall, answer=y)).corners(0.6 * hall.scale)
        a, b = shape @ view.right, shape @ view.up
        apart = (u[count:] < a.min()) | (u[:count] > a.max()) | (v[count:] < b.min()) | (v[:count] > b.max())
        if apart.all():
            break
        y += 1.0
    return y


def walk(hall: Hall, y: float, width: int, height: int, lens: float = LENS) -> View:
    """A walker in the aisle of the first wing at `y`, looking slightly up along it."""
    x = hall.wings[0].x
    return View((x, y, EYE), (x, y + 10, EYE + 0.15), width, height, lens)


def entrance(hall: Hall, width: int, height: int) -> View:
    """A walker before the hall: input left, first gate in the middle, title board right, all whole."""
    view = walk(hall, ENTRANCE, width, height)
    points = np.concatenate([board.corners(0.4) for board in boards(hall) if board.at[1] < hall.slots[0].y])
    while not inside(view, points, EDGE):
        view = walk(hall, view.at[1] - 0.25, width, height)
    return view


def layer(hall: Hall, slot: Slot, width: int, height: int) -> View:
    """From the middle of the aisle on the panel's normal, wide enough for the panel and its card."""
    yaw = hall.yaw(slot)
    left, right = slot.corners(yaw)
    axes = wall(yaw)
    centre = np.append((left + right) / 2, slot.bottom + slot.height / 2 + 0.08) - axes[0] * slot.side * 0.7
    distance = abs(centre[0] - slot.x) / abs(math.sin(yaw))
    need = max((slot.width + 1.4) / 0.90, slot.height / 0.80 * width / height)
    at = centre + np.cross(*axes) * distance
    return View(_point(at), _point(centre), width, height, SENSOR * distance / need)


def tile(hall: Hall, slot: Slot, width: int, height: int) -> View:
    """Close to the panel's first tiles, five wide, 14° off the normal, so that values are seen."""
    yaw = hall.yaw(slot)
    axes = wall(yaw)
    left = np.append(slot.corners(yaw)[0], slot.bottom)
    centre = left + axes[0] * slot.cell[0] * 2.5 + axes[1] * (slot.height - slot.cell[1] * 1.5)
    at = centre + np.cross(*wall(yaw + 0.25)) * slot.cell[0] * 5.6 * 50 / SENSOR
    return View(_point(at), _point(centre), width, height, 50.0)


def inside(view: View, points: np.ndarray, margin: float = 0.0) -> bool:
    """Whether all points (n, 3) are in the picture, `margin` (a share of its width) away from its edges."""
    x, y, depth = view.project(points).T
    edge = margin * view.width - 1e-6
    across = (x >= edge) & (x <= view.width - edge)
    return bool((across & (y >= edge) & (y <= view.height - edge) & (depth > 0)).all())


def _point(at: np.ndarray) -> tuple[float, float, float]:
    return (float(at[0]), float(at[1]), float(at[2]))
