"""The card of a walk: its content is within the board, legible and complete."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

from innerwalk.blender_addon.imaging.colour_maps import THEMES, srgb  # noqa: E402
from innerwalk.blender_addon.layout.text_fitting import CAP  # noqa: E402
from innerwalk.blender_addon.scene.paint import glyphs  # noqa: E402
from innerwalk.blender_addon.vr.display import card as cards  # noqa: E402
from innerwalk.blender_addon.vr.display.card import draw_card  # noqa: E402
from innerwalk.blender_addon.vr.drawing import canvas, gpu_draw, text_wrapping, textures  # noqa: E402
from innerwalk.torch_bridge.recording.errors import UnknownName  # noqa: E402

FACTS = [("Shape", "64 channels of 54 × 54"), ("Range", "−2.5 to 3"), ("Mean", "0.12"), ("Deviation", "0.8")]
PICTURE = np.linspace(0, 1, 24 * 32 * 4, dtype=np.float32).reshape(24, 32, 4)
DARK = THEMES["dark"]


@pytest.fixture
def texts(monkeypatch) -> list[tuple]:
    """(text, size, left, right, baseline) of every text that is drawn."""
    drawn, add_text = [], canvas.Canvas.text

    def record(self, text, size, colour="text", x=0.0, y=0.0, align="left", family="sans"):
        width = add_text(self, text, size, colour, x, y, align, family)
        left = x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * width
        drawn.append((text, size, left, left + width, y))
        return width

    monkeypatch.setattr(canvas.Canvas, "text", record)
    return drawn


def is_on_board(board: canvas.Canvas) -> bool:
    low, high = board.points[:, :2].min(0), board.points[:, :2].max(0)
    return bool((low >= -1e-6).all() and (high <= np.add((board.width, board.height), 1e-6)).all())


def area(board: canvas.Canvas, role: str) -> float:
    """Square metres of the triangles in a colour."""
    points, colours = board.points[board.triangles], board.colours[board.triangles[:, 0], :3]
    chosen = points[np.abs(colours - srgb(DARK[role])).max(1) < 1e-6]
    return float(np.linalg.norm(np.cross(chosen[:, 1] - chosen[:, 0], chosen[:, 2] - chosen[:, 0]), axis=1).sum() / 2)


def assert_legible(texts: list[tuple]) -> None:
    """20 pixels of 1/18 degree are 11.6 mm from 0.6 m; texts don't overlap and stay inside the margins."""
    written = [entry for entry in texts if entry[0].strip()]
    assert min(size for _, size, *_ in written) * CAP >= 0.0116
    assert len({round(size, 6) for _, size, *_ in written}) <= 3
    inside = [(left, right) for _, _, left, right, _ in written]
    assert min(left for left, _ in inside) >= cards.MARGIN - 1e-6
    assert max(right for _, right in inside) <= cards.WIDTH - cards.MARGIN + 1e-6
    for k, (_, size, left, right, y) in enumerate(written):
        for _, other, start, end, base in written[:k]:
            assert right <= start or end <= left or abs(y - base) >= 0.9 * min(size, other)


def test_a_card_is_a_board_with_a_rim(texts):
    board = draw_card("layer1.0.conv2", FACTS, PICTURE, ("−3", "3"), ("Maximisation", 0.5), "the bridge is gone")
    assert board.width == cards.WIDTH == 0.34 and 0.3 < board.height < 0.75
    assert board.points.dtype == board.colours.dtype == np.float32 and board.triangles.dtype == np.int32
    assert is_on_board(board) and board.triangles.max() == len(board.points) - 1
    assert area(board, "frame") == pytest.approx(board.width * board.height + 0.0015 * cards.INNER_WIDTH, rel=1e-4)
    assert [entry[0] for entry in texts] == [
        "layer1.0.conv2", "−3", "3", *(part for fact in FACTS for part in fact), "Maximisation", "50%",
        "the bridge is gone",
    ]  # fmt: skip
    assert_legible(texts)


def test_the_picture_keeps_its_shape_and_lies_on_the_board():
    board = draw_card("a", [], PICTURE)
    ((corners, pixels),) = board.pictures
    assert pixels is PICTURE and corners.shape == (4, 3) and corners.dtype == np.float32
    (width, height, _), middle = corners[2] - corners[0], (corners[0, 0] + corners[1, 0]) / 2
    assert width / height == pytest.approx(32 / 24) and height == pytest.approx(cards.MAX_PICTURE_HEIGHT)
    assert middle == pytest.approx(cards.WIDTH / 2) and corners[0, 2] > 0
    wide = draw_card("a", [], np.ones((64, 256, 4), np.float32)).pictures[0][0]
    assert wide[1, 0] - wide[0, 0] == pytest.approx(cards.INNER_WIDTH)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0, -1.0, 7.0])
def test_the_bar_shows_the_share_that_is_done(share):
    board = draw_card("a", [], progress=("asking", share))
    done = min(max(share, 0.0), 1.0)
    assert area(board, "bar") == pytest.approx(done * cards.INNER_WIDTH * cards.BAR_HEIGHT, rel=1e-4, abs=1e-9)
    assert area(board, "track") == pytest.approx(cards.INNER_WIDTH * cards.BAR_HEIGHT, rel=1e-4)


def test_short_facts_share_a_line(texts):
    draw_card("a", [*FACTS[:1], *FACTS[2:], ("Operation", "sum of two paths"), ("Peak", "3")])
    rows = {what: y for what, *_, y in texts}
    assert rows["Mean"] == rows["Deviation"] == rows["0.12"]
    assert rows["a"] > rows["Shape"] > rows["Mean"] > rows["Operation"] > rows["Peak"]


def test_an_empty_card():
    board = draw_card("", [])
    assert is_on_board(board) and board.height == pytest.approx(2 * cards.MARGIN) and not board.pictures


def test_a_picture_without_pixels_is_left_out():
    assert not draw_card("a", [], np.zeros((0, 8, 4), np.float32)).pictures


def test_twenty_facts(texts):
    board = draw_card("a", [(f"fact {k}", f"{k} of a hundred") for k in range(20)])
    assert (
        is_on_board(board)
        and "fact 13" in [entry[0] for entry in texts]
        and "fact 14" not in [entry[0] for entry in texts]
    )
    assert texts[-1][0] == "and 6 more"
    assert_legible(texts)


@pytest.mark.parametrize(
    "long", ["x" * 300, "backbone.layer4.2.conv3 " * 12, "虎猫と三毛猫、" * 6, "\uffff\x00\n" * 40]
)
def test_long_text_is_wrapped_and_shortened(texts, long):
    board = draw_card(long, [("Stands for", long), (long, "3"), (long, long), ("", long)], PICTURE, (long, long),
                (long, 0.5), long)  # fmt: skip
    assert is_on_board(board) and board.height < 1.4
    assert_legible(texts)


def test_class_names_of_any_script(texts):
    board = draw_card("fc · 281", [("Stands for", "虎猫, 82.3%"), ("Then", "кошка, 3.1%")])
    assert [entry[0] for entry in texts] == ["fc · 281", "Stands for", "虎猫, 82.3%", "Then", "кошка, 3.1%"]
    assert is_on_board(board)


def test_lines_are_broken_at_spaces_and_shortened_in_the_middle():
    room = glyphs.measure("the bridge is") * 1.01
    assert text_wrapping.wrapped("the bridge is gone", room, 1.0, 3) == ["the bridge is", "gone"]
    assert text_wrapping.wrapped("the bridge is", room, 1.0, 1) == ["the bridge is"]
    short = text_wrapping.shortened("layer4.2.conv3.weight", glyphs.measure("layer4....weight", "mono"), 1.0, "mono")
    assert short.startswith("layer4") and short.endswith("weight") and "..." in short
    assert text_wrapping.shortened("abc", 0.0, 1.0) == text_wrapping.ELLIPSIS
    assert text_wrapping.wrapped("", 1.0, 1.0, 2) == [""]


def test_a_shape_lies_on_those_that_it_overlaps():
    board = canvas.Canvas()
    board.box((0, 1), (0, 1), "board")
    board.box((2, 3), (0, 1), "board")
    board.box((0.5, 2.5), (0.2, 0.8), (1.0, 0.5, 0.0, 0.25))
    board.picture((2.2, 2.4), (0.3, 0.4), PICTURE)
    assert board.points[::4, 2] == pytest.approx([0, 0, canvas.LIFT_STEP])
    assert board.pictures[0][0][:, 2] == pytest.approx([2 * canvas.LIFT_STEP] * 4)
    assert board.colours[-1] == pytest.approx([1.0, 0.5, 0.0, 0.25])
    assert (board.width, board.height) == (3, 1) and board.bounds == ((0, 3), (0, 1))


def test_text_is_aligned_and_on_its_baseline():
    board = canvas.Canvas()
    width = board.text("HIM", 0.1, x=0.5, y=0.2, align="right")
    assert width == pytest.approx(board.measure("HIM", 0.1))
    assert board.points[:, 1].min() == pytest.approx(0.2, abs=1e-4)
    assert board.points[:, 1].max() == pytest.approx(0.2 + CAP * 0.1, abs=1e-3)
    assert 0.5 - width <= board.points[:, 0].min() and board.points[:, 0].max() <= 0.5


def test_an_unknown_colour_is_an_error():
    with pytest.raises(UnknownName, match="no colour 'fisrt'"):
        canvas.Canvas().box((0, 1), (0, 1), "fisrt")


def test_text_sizes_are_in_pixels_of_a_headset():
    """One degree from a metre is 17.455 mm."""
    assert canvas.size_for(18, 1.0) * CAP == pytest.approx(0.017455, rel=1e-4)


def test_a_rod_reaches_from_start_to_end():
    at = gpu_draw._unit_rod_matrix(Vector((1, 2, 3)), Vector((1, -2, 6)), 0.01)
    assert at @ Vector((0, 0, 0)) == Vector((1, 2, 3))
    assert (at @ Vector((0, 0, 1)) - Vector((1, -2, 6))).length < 1e-5
    assert (at @ Vector((1, 0, 0)) - Vector((1, 2, 3))).length == pytest.approx(0.01)


def test_a_canvas_fills_its_texture():
    at = textures._projection(((-1.0, 3.0), (0.5, 1.0)), (0.0, 0.0), (400, 50))
    assert (at @ Vector((-1, 0.5, 0, 1))).xy == Vector((-1, -1)) and (at @ Vector((3, 1, 0, 1))).xy == Vector((1, 1))
    moved = textures._projection(((-1.0, 3.0), (0.5, 1.0)), (0.5, 0.0), (400, 50))
    assert (moved @ Vector((-1, 0.5, 0, 1))).x == pytest.approx(-1 + 1 / 400)
    assert isinstance(at, Matrix)


def test_the_gpu_is_not_used_before_the_first_draw():
    """Blender has no gpu in the background."""
    assert textures.PaintedCanvas(draw_card("a", FACTS, PICTURE)).canvas.width == cards.WIDTH


class Painted:
    """Stands for a canvas that takes some frames to paint."""

    def __init__(self, parts: int) -> None:
        self.parts, self.drawn = parts, 0

    @property
    def ready(self) -> bool:
        return self.parts == 0

    def paint(self) -> None:
        self.parts -= 1

    def draw(self, matrix: Matrix) -> None:
        assert self.ready
        self.drawn += 1


def test_a_canvas_is_shown_until_the_next_one_is_painted():
    buffer, first, second = textures.DoubleBuffer(), Painted(2), Painted(3)
    buffer.show(first)
    buffer.draw(Matrix())
    assert [buffer.paint() for _ in range(3)] == [True, True, False] and buffer.front is first
    buffer.show(second)
    buffer.paint()
    buffer.draw(Matrix())
    assert (first.drawn, second.drawn, buffer.ready) == (1, 0, False)
    buffer.show(first)  # it is painted already
    assert buffer.ready and buffer.front is first and not buffer.paint()
    buffer.show(None)
    buffer.draw(Matrix())
    assert buffer.front is None and first.drawn == 1


def test_rods_and_rims_are_at_their_positions():
    lines = gpu_draw.Lines()
    lines.rod(gpu_draw.rod_matrix((0, 0, 0), (0, 0, 2), 0.1), "bar")
    lines.rim(Matrix.Translation((5, 0, 0)), gpu_draw.rim_points((0, 0), (2, 1), 0.2), "skip")
    points = np.array(lines.points)
    rod, outer, inner = points[:8], points[8:12], points[12:]
    assert np.allclose(rod.min(0), (-0.05, -0.05, 0), atol=1e-6) and np.allclose(rod.max(0), (0.05, 0.05, 2), atol=1e-6)
    assert np.allclose(outer.min(0)[:2], (4.9, -0.1)) and np.allclose(outer.max(0)[:2], (7.1, 1.1))
    assert np.allclose(inner.min(0)[:2], (5.1, 0.1)) and np.allclose(inner.max(0)[:2], (6.9, 0.9))
    assert len(lines.colours) == len(points) == 16 and lines.colours[0] == canvas.resolve_colour("bar")
    assert gpu_draw.ROD_TRIANGLES.max() == gpu_draw.RIM_TRIANGLES.max() == gpu_draw.SHAPE_POINTS - 1
