"""Every kind of chart in a rendered hall, seen from where a person would stand: marks, cells and words are legible."""

import math
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix  # noqa: E402

from innerwalk.blender_addon.actions import key_series  # noqa: E402  # which follows the timeline
from innerwalk.blender_addon.imaging.colour_maps import to_srgb  # noqa: E402
from innerwalk.blender_addon.layout import boards  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.plans.board_contents.chart_bars import series_colour  # noqa: E402
from innerwalk.blender_addon.plans.chart_boards import plan_charts  # noqa: E402
from innerwalk.blender_addon.plans.primitives import Style  # noqa: E402
from innerwalk.blender_addon.scene.hall import build  # noqa: E402
from innerwalk.blender_addon.scene.hall.series import create_folder_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.tests.support import endpoint_recordings  # noqa: E402
from innerwalk.tests.support.charts import chart  # noqa: E402
from innerwalk.tests.support.part_plans import hall_of  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402
from innerwalk.torch_bridge.recording import Chart, Recording, SeriesWriter, load_series  # noqa: E402

SIZE, MARGIN = (960, 720), 1.25
"""Pixels of a picture, and its width over that of the board in it."""
FRAMES = tuple(f"frame {k}" for k in range(5))
LINES = chart(
    "lines",
    ((0.0, 4.0, 1.6), (1.0, 3.0, 1.6), (2.0, 2.5, 1.6), (3.0, 1.0, 1.6), (4.0, 0.5, 1.6)),
    FRAMES,
    ("ring", "blue", "grey"),
    title="evidence by frame",
    row_axis="frame",
    value_axis="score",
    marked="frame 3",
)
MATRIX = chart(
    "matrix",
    ((1.0, 0.4, 0.1), (0.4, 0.9, 0.2), (0.1, 0.3, 0.8)),
    ("stem", "stage1", "stage2"),
    ("stem", "stage1", "stage2"),
    title="CKA of one and two",
    value_axis="linear CKA",
)
TABLE = chart(
    "table", ((0.31, 0.12), (-0.5, 0.25)), ("star, is ring", "ring, is star"), ("ring", "blue"), title="failures"
)
BARS = chart("bars", ((3.0,), (1.0,)), ("ring", "blue"), ("score",), title="evidence")
CHARTS = (LINES, MATRIX, TABLE)
BARS_BY_FRAME = tuple(replace(BARS, values=((k + 1.0,), (4.0,))) for k in range(3))


def recording(*charts: Chart) -> Recording:
    found = endpoint_recordings.lstm()
    found.add([replace(maps, charts=charts) for maps in found.all_maps.values()])
    return found


def look_at(scene, board: boards.Board) -> None:
    """Stands the camera before the middle of a board, which it sees without perspective's slant."""
    right, up = board.axes
    normal, fov = np.cross(right, up), math.radians(40)
    distance = MARGIN * board.width / 2 / math.tan(fov / 2)
    place = board.corners().mean(0) + normal * distance
    scene.camera.matrix_world = Matrix(np.vstack([np.column_stack([right, up, normal, place]), [0, 0, 0, 1]]).tolist())
    scene.camera.data.sensor_fit, scene.camera.data.angle = "HORIZONTAL", fov
    scene.camera.data.shift_x = scene.camera.data.shift_y = 0.0


def pixel(points: np.ndarray) -> np.ndarray:
    """(n, 2) metres on a board of full size -> (n, 2) int, column and row of a picture."""
    pace = SIZE[0] / (MARGIN * boards.CHARTS[0])
    from_middle = (np.atleast_2d(points) - np.array(boards.CHARTS) / 2) * (pace, -pace)
    return np.rint(from_middle + np.array(SIZE) / 2).astype(int)


@pytest.fixture(scope="module", params=["dark", "paper"])
def rendered(request, tmp_path_factory):
    """The theme's style, and the picture of each board, (H, W, 3) float 0..255."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    folder, found = tmp_path_factory.mktemp("charts"), recording(*CHARTS)
    scene = build.create_hall(found, Appearance(theme=request.param))
    hall = hall_of(found)
    hall.board_links = hall.board_links._replace(charts=len(CHARTS))
    options, pictures = FigureOptions(preset="camera", size=SIZE, samples=8), {}
    for number, board in enumerate(boards.chart_boards(hall)):
        look_at(scene, board)
        path = render_figure(scene, folder / f"{number}.png", options)
        pictures[CHARTS[number].kind] = read_picture(path)[..., :3].astype(float)
    return Style.of(request.param), pictures


def shown_at(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB 0..255 of a picture at (n, 2) metres on its board."""
    columns, rows = pixel(points).T
    return picture[rows, columns]


def srgb(colour: np.ndarray) -> np.ndarray:
    """Linear RGB (3,) -> sRGB (3,), 0..255."""
    return 255 * np.asarray(to_srgb(np.clip(colour, 0, 1)))


def boxes_of(chart: Chart, style: Style, colour: np.ndarray) -> list[np.ndarray]:
    """Middles, (2,) metres, of the faces of a colour."""
    faces = [face for face in plan_charts([chart], style).faces if np.allclose(face.colours[0], colour)]
    return [face.points[:, :2].mean(0) for face in faces]


def test_each_line_has_its_colour_where_its_values_are(rendered):
    style, pictures = rendered
    colours = [style.colour(series_colour(place)) for place in range(3)]
    for place, colour in enumerate(colours):
        points = boxes_of(LINES, style, colour)[1:]  # the squares at its values, behind the line itself
        assert len(points) == len(FRAMES)
        for shown in shown_at(pictures["lines"], np.array(points)):
            distances = [np.abs(shown - srgb(other)).sum() for other in colours]
            assert int(np.argmin(distances)) == place and min(distances) < 90, (place, shown)


def test_the_row_that_is_shown_is_marked(rendered):
    style, pictures = rendered
    plain, marked = (plan_charts([own], style).faces for own in (replace(LINES, marked=""), LINES))
    assert len(marked) == len(plain) + 1
    known = [face.points.tolist() for face in plain]
    [line] = [face for face in marked if face.points.tolist() not in known]
    low, high = line.points[:, :2].min(0), line.points[:, :2].max(0)
    heights = np.linspace(low[1] + 0.05, high[1] - 0.05, 40)
    on, beside = (
        shown_at(pictures["lines"], np.column_stack([np.full(40, x), heights])).mean(-1)
        for x in ((low[0] + high[0]) / 2, low[0] - 0.06)
    )
    assert abs(np.median(on) - np.median(beside)) > 60
    frames = boxes_of(LINES, style, style.colour(series_colour(0)))[1:]
    assert (low[0] + high[0]) / 2 == pytest.approx(frames[3][0], abs=1e-3)


def test_cells_are_the_more_coloured_the_larger_their_values(rendered):
    style, pictures = rendered
    cells = [face.points[:, :2] for face in plan_charts([MATRIX], style).faces[2:]]
    corners = np.array([points.min(0) + 0.03 for points in cells])  # beside the number
    shown, empty, full = shown_at(pictures["matrix"], corners), srgb(style.colour("track")), srgb(style.colour("bar"))
    along = (shown - empty) @ (full - empty)
    order = np.argsort(np.array(MATRIX.values).ravel(), kind="stable")
    assert (np.diff(along[order]) > -60).all() and along[order[-1]] > along[order[0]] + 1000
    assert np.allclose(shown[1], shown[3], atol=6)  # equal values


@pytest.mark.parametrize("kind", [own.kind for own in CHARTS])
def test_every_word_on_the_board_can_be_read(rendered, kind):
    style, pictures = rendered
    [own] = [chart for chart in CHARTS if chart.kind == kind]
    picture = pictures[kind] @ np.array([0.2126, 0.7152, 0.0722])
    words = [run for run in plan_charts([own], style).texts if run.text.strip()]
    for run in words:
        box = run.box()[:, :2]
        (left, bottom), (right, top) = pixel(box.min(0))[0], pixel(box.max(0))[0]
        inside = picture[max(top, 0) : bottom, left:right]
        linear = ((np.quantile(inside, [0.02, 0.98]) / 255 + 0.055) / 1.055) ** 2.4
        assert (linear[1] + 0.05) / (linear[0] + 0.05) >= 3.0, run.text  # the WCAG ratio for large text
        assert bottom - top >= 9, run.text  # pixels, on a board 768 wide


def test_nothing_else_stands_before_a_board(rendered):
    """Around the words and marks a board has its own colour up to its edges."""
    style, pictures = rendered
    board, edge = srgb(style.colour("board")), 0.04
    width, height = boards.CHARTS
    around = [(edge, y) for y in np.linspace(edge, height - edge, 20)] + [
        (x, edge) for x in np.linspace(edge, width - edge, 20)
    ]
    around += [(width - edge, y) for y in np.linspace(edge, height - edge, 20)]
    for kind, picture in pictures.items():
        assert np.abs(shown_at(picture, np.array(around)) - board).max() < 12, kind


def test_the_timeline_moves_bars_and_mark_of_a_series(tmp_path):
    """Each frame of the scene shows the entry's own bars, and marks its place on the lines over all entries."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with SeriesWriter(tmp_path / "s", "frame", 12.0) as writer:
        for k, own in enumerate(BARS_BY_FRAME):
            writer.add(FRAMES[k], recording(own))
    scene = create_folder_hall(tmp_path / "s")
    key_series(scene)
    lines = load_series(tmp_path / "s").load(0).maps("head").charts[1]
    hall = hall_of(recording(BARS))
    hall.board_links = hall.board_links._replace(charts=2)
    style, options = Style.of("dark"), FigureOptions(preset="camera", size=SIZE, samples=4)
    pictures = {"bars": [], "lines": []}
    for frame in (1, 3):
        scene.frame_set(frame)
        for kind, board in zip(pictures, boards.chart_boards(hall), strict=True):
            look_at(scene, board)
            pictures[kind].append(
                read_picture(render_figure(scene, tmp_path / "x.png", options))[..., :3].astype(float)
            )
    for picture, own in zip(pictures["bars"], (BARS_BY_FRAME[0], BARS_BY_FRAME[2]), strict=True):
        [bar, *_] = [
            face.points for face in plan_charts([own], style).faces if (face.colours == style.colour("bar")).all()
        ]
        ends = np.array([bar[:, 0].max() - 0.03, bar[:, 0].max() + 0.03])
        on, past = shown_at(picture, np.column_stack([ends, [bar[:, 1].mean()] * 2]))
        assert on[2] - on[0] > 60 > past[2] - past[0]
    marks = []
    for label in (FRAMES[0], FRAMES[2]):
        known = [face.points.tolist() for face in plan_charts([replace(lines, marked="")], style).faces]
        shown = plan_charts([replace(lines, marked=label)], style).faces
        [mark] = [face.points for face in shown if face.points.tolist() not in known]
        marks.append((float(mark[:, 0].mean()), float(mark[:, 1].max()) - 0.08))
    around = np.array([(x, 0.0) for x in np.linspace(-0.03, 0.03, 13)])  # letters of another width move the mark a bit
    bright = np.array(
        [[shown_at(picture, around + mark).mean(-1).max() for mark in marks] for picture in pictures["lines"]]
    )
    assert np.diag(bright).min() > 150 > 80 > max(bright[0, 1], bright[1, 0])
