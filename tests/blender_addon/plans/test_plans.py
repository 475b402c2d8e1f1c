"""Plans of a hall's parts: made without Blender, with known geometry, and with texts that stay apart."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

from innerwalk.blender_addon.imaging import colour_maps
from innerwalk.blender_addon.imaging.tile_grids import TileGrid
from innerwalk.blender_addon.layout import boards, camera_presets, lay_out
from innerwalk.blender_addon.layout.text_fitting import CAP, DESCENT
from innerwalk.blender_addon.plans import answer_board, channel_links, layer_card, shelf_desk
from innerwalk.blender_addon.plans.annotations import LINE_MOST, chip_edge, plan_annotations, plan_input_boxes
from innerwalk.blender_addon.plans.channel_links import ChannelLink, LinkEnd, plan_channel_links
from innerwalk.blender_addon.plans.edges import DROP, WIDTHS, plan_edges
from innerwalk.blender_addon.plans.floor import FAR, FOOT, POST, plan_floor
from innerwalk.blender_addon.plans.panel_frames import panel_plane
from innerwalk.blender_addon.plans.primitives import Plan, Style, TextRun, wall
from innerwalk.blender_addon.plans.title_board import SIDE
from innerwalk.tests.support.part_plans import STYLE, card_of, frames_of, hall_of, parts_of
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import UnknownName

WALK = {"floor", "edges", "beams", "charts", "input frame", "answer board", "gates", "numbers", "title"}
FIGURE = {"floor", "edges", "beams", "charts", "input frame", "answer board", "words", "head"}
ANSWERS = ("classes", "numbers", "mask", "boxes", "picture")

WITHOUT_BLENDER = """
import sys
sys.modules.update(dict.fromkeys(("bpy", "mathutils", "gpu", "torch", "PIL")))
from innerwalk.tests.support import part_plans as plans
from innerwalk.torch_bridge import recording
loaded = recording.load(sys.argv[1])
parts = [*plans.parts_of(loaded), *plans.parts_of(loaded, figure=True), plans.card_of(loaded), *plans.frames_of(loaded)]
print(sorted({part.role for part in parts}), all(part.items for part in parts if part.role not in ("beams", "charts")))
"""


@pytest.fixture
def tiny(recorded) -> rec.Recording:
    return rec.load(recorded)


def part(parts: list[Plan], role: str) -> Plan:
    (found,) = (plan for plan in parts if plan.role == role)
    return found


def quads(plan: Plan, role: str | None = None) -> np.ndarray:
    """(n, 4, 3) points of a plan's quads, or of those in the colour of a role."""
    corners = np.concatenate([face.points[face.corners] for face in plan.faces if face.corners.shape[1] == 4])
    colours = np.concatenate([face.colours[face.corners[:, 0]] for face in plan.faces if face.corners.shape[1] == 4])
    return corners if role is None else corners[(colours == STYLE.palette[role]).all(1)]


def has_quad(plan: Plan, role: str, corners: list[tuple[float, float, float]]) -> bool:
    return any(np.allclose(quad, corners, atol=1e-9) for quad in quads(plan, role))


def flat_boxes(texts: list[TextRun]) -> list[tuple[np.ndarray, np.ndarray]]:
    """(low, high) of each text on the common plane x, y."""
    return [(run.box()[:, :2].min(0), run.box()[:, :2].max(0)) for run in texts]


def overlapping(texts: list[TextRun]) -> list[tuple[str, str]]:
    pairs = itertools.combinations(zip(texts, flat_boxes(texts), strict=True), 2)
    return [
        (one.text, other.text)
        for (one, (low, high)), (other, (other_low, other_high)) in pairs
        if (low < other_high - 1e-6).all() and (other_low < high - 1e-6).all()
    ]


def test_every_part_is_planned_without_blender(recorded):
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_BLENDER, str(recorded)], capture_output=True, text=True, check=False
    )
    wanted = sorted({*WALK, *FIGURE, "card", "frame"})
    assert (run.returncode, run.stdout.strip()) == (0, f"{wanted} True"), run.stderr


def test_walk_and_figure_have_their_parts(tiny):
    assert [plan.role for plan in parts_of(tiny)].count("floor") == 1
    assert {plan.role for plan in parts_of(tiny)} == WALK
    assert {plan.role for plan in parts_of(tiny, figure=True)} == FIGURE
    tiny.prediction = rec.Prediction("none")
    assert {plan.role for plan in parts_of(tiny)} == WALK - {"answer board"}


@pytest.mark.parametrize("theme", colour_maps.THEMES)
def test_another_painter_needs_neither_themes_nor_roles(tiny, theme):
    for plan in [*parts_of(tiny, style=Style.of(theme)), *parts_of(tiny, True, Style.of(theme))]:
        for face in plan.faces:
            assert face.points.shape == face.colours.shape == (len(face.points), 3)
            assert face.corners.shape[1] in (3, 4) and face.corners.max() == len(face.points) - 1
            assert (face.colours >= 0).all() and (face.colours <= 1).all()
        for run in plan.texts:
            assert run.colour.shape == (3,) and run.width > 0 and run.size > 0
    assert parts_of(tiny, style=Style.of(theme))[0].faces[0].colours[0] == pytest.approx(
        colour_maps.linear(colour_maps.THEMES[theme]["floor"])
    )


def test_an_unknown_theme_is_refused():
    with pytest.raises(UnknownName, match="no theme 'drak'; did you mean dark"):
        Style.of("drak")


def test_the_floor_of_two_panels():
    layers = [rec.Layer(id, "Conv2d", "panel", (4, 8, 8), (4, 8, 8)) for id in "ab"]
    hall = lay_out(layers, [(0, 1)])
    plan, (stage,) = plan_floor(hall, STYLE), hall.stages
    far = FAR + hall.wings[0].end
    assert has_quad(plan, "floor", [(-FAR, -FAR, -0.004), (FAR, -FAR, -0.004), (FAR, far, -0.004), (-FAR, far, -0.004)])
    start, end = stage.start, stage.end
    aisle = [(-1.2, start, 0.008), (1.2, start, 0.008), (1.2, end, 0.008), (-1.2, end, 0.008)]
    assert has_quad(plan, "aisle", aisle)
    ticks = quads(plan, "tick")[:, :, 1].mean(1)
    assert ticks.tolist() == pytest.approx([y for y in range(0, 40, 2) if start <= y < end])
    for slot in hall.panels:
        x = slot.side * 1.2
        along = np.array([math.cos(hall.yaw(slot)), math.sin(hall.yaw(slot)), 0.0])
        low, high = np.array([x, slot.y, 0.0]) - POST * along, np.array([x, slot.y, 0.0]) + POST * along
        up = np.array([0.0, 0.0, slot.bottom])
        assert has_quad(plan, "frame", [low, high, high + up, low + up])
    feet = [quad for quad in quads(plan, "frame") if np.ptp(quad[:, 2]) == 0]
    assert [np.linalg.norm(quad[1] - quad[0]) for quad in feet] == pytest.approx([slot.width for slot in hall.panels])
    assert [np.linalg.norm(quad[3] - quad[0]) for quad in feet] == pytest.approx([2 * FOOT] * 2)


def test_the_edge_between_two_panels():
    """They stand so near to each other that the edge meets the aisle's middle half way, and leaves it at once."""
    layers = [rec.Layer(id, "Conv2d", "panel", (4, 8, 8), (4, 8, 8)) for id in "ab"]
    hall = lay_out(layers, [(0, 1)])
    a, b = hall.slots
    plan = plan_edges(hall, None, STYLE)
    middles = quads(plan, "data").mean(1)
    (run,) = hall.runs
    reach, apart = 0.97 * 1.2, b.y - a.y
    assert run.lane == 0.0 and not run.above and {a.side, b.side} == {-1, 1}
    for x, y in ((a.side * reach / 2, a.y + apart / 4), (b.side * reach / 2, b.y - apart / 4)):
        assert np.abs(middles - (x, y, 0.03)).max(1).min() < 1e-9
    for quad in quads(plan, "data"):
        width, ahead = quad[3] - quad[0], quad[1] - quad[0]
        assert np.linalg.norm(width) == pytest.approx(WIDTHS["data"]) and width @ ahead == pytest.approx(0)


def test_far_edges_come_down_along_posts(tiny):
    plan = part(parts_of(tiny), "edges")
    upright = [quad for quad in quads(plan, "skip") if np.ptp(quad[:, 2]) > 1]
    assert len(upright) == 2  # from a, and to the sum
    for quad in upright:
        assert sorted({round(z, 6) for z in quad[:, 2]}) == [0.02, 3.45] and np.ptp(quad[:, 0]) == pytest.approx(DROP)


@pytest.mark.parametrize("kind", ANSWERS)
def test_texts_of_boards_neither_overlap_nor_leave_them(tiny, kind):
    name = "a class with quite a long name that has to become smaller"
    tiny.prediction = rec.Prediction(
        kind,
        tuple((k, f"{name} {k}", 0.2) for k in range(5)),
        np.zeros((20, 30, 3), np.uint8),
        numbers=tuple(range(9)),
    )
    answer = part(parts_of(tiny), "answer board")
    assert not overlapping(answer.texts)
    for low, high in flat_boxes(answer.texts):
        assert low[0] >= -1e-6 and high[0] <= answer_board.WIDTH + 1e-6
    assert bool(answer.pictures) == (kind in ("picture", "mask", "boxes"))
    for picture in answer.pictures:
        corner = picture.plane.origin[:2]
        assert (corner > 0).all() and (corner + picture.size < (answer_board.WIDTH, answer_board.HEIGHT)).all()


def test_texts_of_title_card_and_input_stay_apart(tiny):
    tiny.input_name = "the name of an input that is much too long for its frame"
    title, frame, card = part(parts_of(tiny), "title"), part(parts_of(tiny), "input frame"), card_of(tiny)
    for plan, (low, high) in ((title, (0.0, SIDE)), (card, (0.0, layer_card.WIDTH)), (frame, (0.0, boards.SQUARE))):
        assert len(plan.texts) >= 2 and not overlapping(plan.texts), plan.role
        assert all(low - 1e-6 <= box[0][0] and box[1][0] <= high + 1e-6 for box in flat_boxes(plan.texts)), plan.role
    assert [run.text for run in card.texts[:2]] == ["a", "Conv2d"]
    assert min(box[0][1] for box in flat_boxes(card.texts)) >= -layer_card.HEIGHT


@pytest.mark.parametrize("figure", [False, True])
def test_labels_over_panels_cover_neither_tiles_nor_each_other(tiny, figure):
    plans, panels = frames_of(tiny, figure), hall_of(tiny, figure).panels
    assert any(plan.texts for plan in plans)
    for plan, slot in zip(plans, panels, strict=True):
        assert not overlapping(plan.texts)
        assert all(low[1] >= slot.height - 1e-6 for low, _ in flat_boxes(plan.texts))


def test_a_frame_stands_where_its_panel_hangs(tiny):
    hall = hall_of(tiny)
    for plan, slot in zip(frames_of(tiny), hall.panels, strict=True):
        left, right = slot.corners(hall.yaw(slot))
        plane = panel_plane(hall, slot)
        assert np.allclose(plan.placement.matrix(), plane.matrix())
        ends = plane.points(np.array([0.0, slot.width]), np.array([0.0, slot.height]), -0.02)
        assert np.allclose(ends, [(*left, slot.bottom), (*right, slot.top)])


def test_a_card_hangs_beside_its_panel_towards_the_aisle(tiny):
    hall = hall_of(tiny)
    for slot in hall.panels:
        plane = layer_card.card_plane(hall, slot)
        points = plane.points(np.array([0.0, layer_card.WIDTH]), np.array([0.0, 0.0]))
        left, right = (np.append(foot, 0.0) for foot in slot.corners(hall.yaw(slot)))
        post, away = (left, points[1]) if slot.side > 0 else (right, points[0])
        assert np.linalg.norm((away - post)[:2]) == pytest.approx(camera_presets.CARD_GAP)
        assert np.abs(points[:, 0]).min() < 1.2  # in the aisle


def test_a_box_of_text_is_as_large_as_it_says():
    plan = Plan(Style(STYLE.palette, measure=lambda text, font: 2.0 if font == "mono" else 1.0))
    plane = wall((1.0, 2.0, 3.0), 0.0)
    assert plan.text(plane, "abc", 0.5, x=4.0, align="right", font="mono", lift=0.0) == 1.0
    plan.text(plane, "abc", 0.5, x=4.0, y=1.0, align="centre", lift=0.1)
    first, second = (run.box() for run in plan.texts)
    low, high = -DESCENT * 0.5, CAP * 0.5
    assert np.allclose(first, [(4, 2, 3 + low), (5, 2, 3 + low), (5, 2, 3 + high), (4, 2, 3 + high)])
    assert np.allclose(second[:, 0], [4.75, 5.25, 5.25, 4.75]) and np.allclose(second[:, 1], 1.9)
    assert plan.style.fit("abc", 0.25, 0.5) == 0.25 and plan.style.fit("abc", 9.0, 0.5) == 0.5


def test_a_flag_is_a_chip_with_its_letter_in_its_tiles_corner():
    grid, places = TileGrid(2, 2, (0.5, 0.5)), np.array([0, 1, -1, 3])
    plan = plan_annotations(np.zeros((0, 6)), np.array([0, 1, 1, 5], np.int32), places, grid, 1.0, STYLE)
    edge = chip_edge(grid)
    for place in (1, 3):
        x, y = grid.inside(place, 0.0, 0.0)
        lift = 0.008
        chip = [(x, y - edge, lift), (x + edge, y - edge, lift), (x + edge, y, lift), (x, y, lift)]
        assert has_quad(plan, "quiet", chip)
    on_tiles = [run.text for run in plan.texts if run.plane.origin[1] > 0]
    assert on_tiles == ["D", "D", "S"]  # the channel without a place has none
    assert [run.text for run in plan.texts[3:]] == ["D", "dead 3", "S", "saturated 1"]
    assert not overlapping([run for run in plan.texts[3:] if len(run.text) > 1])


def test_which_window_is_shown_stands_below_tiles_and_flags():
    grid, places, flags = TileGrid(2, 2, (0.5, 0.5)), np.arange(4), np.array([0, 1, 1, 5], np.int32)

    def lines(flags: np.ndarray, text: str, size: float) -> list[TextRun]:
        return [
            run
            for run in plan_annotations(np.zeros((0, 6)), flags, places, grid, 1.0, STYLE, text, size).texts
            if run.plane.origin[1] <= 0 and len(run.text) > 1
        ]

    (alone,) = lines(flags * 0, "window 2 of 64", 0.1)
    assert (alone.text, alone.size, alone.x, alone.y) == ("window 2 of 64", 0.1, 0.1, pytest.approx(-0.15))
    below = lines(flags, "window 2 of 64", 0.1)
    assert [run.text for run in below] == ["dead 3", "saturated 1", "window 2 of 64"] and not overlapping(below)
    (long,) = lines(flags * 0, "window 2 of 64" * 9, 0.1)
    assert 1.0 >= STYLE.measure(long.text, "sans") * long.size > 0.99, "as long as the panel"
    assert lines(flags * 0, "window 2 of 64", 0.0) == lines(flags * 0, "", 0.1) == []


def test_a_note_is_broken_into_lines_below_the_tiles():
    note = "plain gradient: no ReLU on the way; own gradient of gelu"
    for flags, top in ((0, -0.1), (1, -0.2)):
        arrays = np.zeros((0, 6)), np.full(1, flags, np.int32), np.zeros(1, int)
        plan = plan_annotations(*arrays, TileGrid(1, 1, (0.2, 0.2)), 0.2, STYLE, note=note)
        lines = plan.texts[-2:]
        assert " ".join(run.text for run in lines) == note and lines[0].text.endswith(" the")
        assert not overlapping(lines)
        boxes = flat_boxes(lines)
        assert max(box[1][0] for box in boxes) <= 0.6 + 1e-6 and -0.45 < min(box[0][1] for box in boxes)
        assert max(box[1][1] for box in boxes) < top
        plan = plan_annotations(*arrays, TileGrid(1, 1, (0.2, 0.2)), 0.2, STYLE, "window 2 of 64", note=note)
        boxes = flat_boxes([run for run in plan.texts if len(run.text) > 1])
        assert any(run.text == "window 2 of 64" for run in plan.texts) and not overlapping(plan.texts[2 * flags :])
        assert -0.45 < min(box[0][1] for box in boxes), "above the floor"
    long = plan_annotations(*arrays, TileGrid(1, 1, (0.2, 0.2)), 0.2, STYLE, note=9 * f"{note} ").texts[3:]
    assert len(long) == 4 and min(box[0][1] for box in flat_boxes(long)) > -0.45 and not overlapping(long)


@pytest.mark.parametrize(
    ("method", "notes", "caption"),
    [
        (rec.ACTIVATIONS, ["", ""], None),
        (rec.ACTIVATIONS, ["", "sums"], "sums (1 of 2 layers)"),
        ("saliency", ["", ""], "saliency"),
        ("saliency", ["score of ring", "score of ring"], "saliency: score of ring"),
        ("cam", ["zero", "plain", "zero", ""], "cam: zero (2 of 4 layers, and 1 other note)"),
        (rec.ACTIVATIONS, [50 * "long "], 50 * "long "),
    ],
)
def test_a_figure_says_in_a_caption_what_maps_show(tiny, method, notes, caption):
    view = camera_presets.overview(hall_of(tiny, figure=True), 960, 540)
    title = part(parts_of(tiny, figure=True, method=method, maps_notes=notes), "head").texts[: 3 if caption else 2]
    assert [run.text for run in title[2:]] == list(filter(None, [caption]))
    axes = np.array([view.right, view.up])
    boxes = [(corners.min(0), corners.max(0)) for corners in (run.box() @ axes.T for run in title)]
    for (low, high), (other_low, other_high) in itertools.combinations(boxes, 2):
        assert not ((low < other_high - 1e-6).all() and (other_low < high - 1e-6).all())
        assert low[1] > other_low[1], "name, counts, caption"
    room = camera_presets.free_corners(view)[0]
    assert max(high[0] - low[0] for low, high in boxes) <= room.width * room.place(view)[1] + 1e-6


def test_tiles_of_some_channels_have_their_numbers():
    places, grid = np.array([-1, 1, -1, 0]), TileGrid(2, 1, (1.0, 1.0))
    none = np.zeros(4, np.int32)
    plan = plan_annotations(np.zeros((0, 6)), none, places, grid, 2.0, STYLE, numbered=True)
    assert [run.text for run in plan.texts] == ["1", "3"]
    for run, place in zip(plan.texts, (1, 0), strict=True):
        low, high = grid.inside(place, 0.0, 1.0), grid.inside(place, 0.5, 0.5)
        assert (run.box()[:, :2] >= low).all() and (run.box()[:, :2] <= high).all()
    assert not plan_annotations(np.zeros((0, 6)), none, places, grid, 2.0, STYLE).texts
    box = np.array([[1, 0.0, 0.5, 0.5, 1.0, 0.9]])
    plan = plan_annotations(box, none, places, grid, 2.0, STYLE, numbered=True)
    rim = quads(plan, "skip").reshape(-1, 3)
    assert (plan.texts[0].box()[:, 2] > rim[:, 2].max() + 0.001).all(), "a box doesn't cover a number"


def test_boxes_lie_on_their_tile_and_on_the_input():
    boxes = np.array([[1, 0.25, 0.5, 0.75, 1.0, 0.9], [0, 0, 0, 1, 1, 1.0]])
    grid = TileGrid(2, 1, (1.0, 1.0))
    rim = quads(plan_annotations(boxes, np.zeros(2, np.int32), np.arange(2), grid, 2.0, STYLE), "skip")
    low, high = grid.inside(1, 0.25, 1.0), grid.inside(1, 0.75, 0.5)
    assert np.allclose(rim.reshape(-1, 3)[:, :2].min(0), low, atol=LINE_MOST)
    assert np.allclose(rim.reshape(-1, 3)[:, :2].max(0), high, atol=LINE_MOST)
    widths = np.ptp(rim.reshape(-1, 4, 3)[..., :2], 1).min(1)
    assert np.allclose(widths, LINE_MOST, atol=1e-6), "a box on a tile of a metre is no heavier than on a small one"
    plan = plan_input_boxes(boxes[:1], {1: "cat"}, (2.0, 1.0), STYLE)
    points = quads(plan, "skip").reshape(-1, 3)
    assert np.allclose(points[points[:, 2] < 0.048, :2].max(0), (1.5, 0.5), atol=LINE_MOST)
    assert [run.text for run in plan.texts] == ["cat 0.90"]


def test_a_link_runs_from_tile_to_tile():
    grid, there = TileGrid(2, 2, (0.5, 0.5)), np.eye(4)
    there[:3, 3] = (0.0, 5.0, 0.0)
    source, target = LinkEnd(np.eye(4), grid, 2, (1.0, 1.0)), LinkEnd(there, grid, -1, (1.0, 1.0))
    assert np.allclose(source.point(), (0.25, 0.25, channel_links.OFF))
    assert np.allclose(target.point(), (0.5, 5.5, channel_links.OFF))  # before the panel's middle
    plan = plan_channel_links([ChannelLink(source, target, -1.0)], 0.0, STYLE)
    points = quads(plan, "minus").reshape(-1, 3)
    for end in (source, target):
        assert np.linalg.norm(points - end.point(), axis=1).min() == pytest.approx(channel_links.THICK, rel=1e-3)
    weak = plan_channel_links([ChannelLink(source, target, 0.5)], 0.0, STYLE)
    assert len(quads(weak)) == len(quads(plan)) and len(quads(weak, "plus")) < len(quads(plan, "minus"))
    assert not plan_channel_links([], 0.0, STYLE)


def test_titles_on_the_desk_stand_under_their_pictures(tiny):
    hall, titles = hall_of(tiny), ["a title that is longer than its picture is wide"] * shelf_desk.SHOWN
    plan = shelf_desk.plan_desk(hall, titles, "a text over all of them", STYLE)
    assert not overlapping(plan.texts)
    edge = shelf_desk.PICTURE_EDGE
    for low, high in flat_boxes(plan.texts):
        for index in range(shelf_desk.SHOWN):
            x, y = shelf_desk.picture_corner(index)
            assert high[0] <= x or low[0] >= x + edge or high[1] <= y + 1e-6 or low[1] >= y + edge - 1e-6
    held = shelf_desk.plan_held_frame(hall, 7, STYLE)
    assert np.allclose(held.placement.origin, plan.placement.points(*map(np.array, shelf_desk.picture_corner(7))))
