"""The card of a walk: everything on it is on the board, large enough, and says what it was given."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

from innerwalk.blender_addon.imaging.colour import THEMES, srgb  # noqa: E402
from innerwalk.blender_addon.layout.text_fitting import CAP  # noqa: E402
from innerwalk.blender_addon.scene.paint import glyphs  # noqa: E402
from innerwalk.blender_addon.vr.display import card as cards  # noqa: E402
from innerwalk.blender_addon.vr.display.card import card  # noqa: E402
from innerwalk.blender_addon.vr.drawing import canvas, gpu_draw, text_wrapping, textures  # noqa: E402
from innerwalk.torch_bridge.recording.errors import UnknownName  # noqa: E402

FACTS = [("Shape", "64 channels of 54 × 54"), ("Range", "−2.5 to 3"), ("Mean", "0.12"), ("Deviation", "0.8")]
PICTURE = np.linspace(0, 1, 24 * 32 * 4, dtype=np.float32).reshape(24, 32, 4)
DARK = THEMES["dark"]


@pytest.fixture
def said(monkeypatch) -> list[tuple]:
    """(text, size, x, right end, base line) of all words that are drawn."""
    found, words = [], canvas.Sketch.words

    def heard(self, body, size, colour="text", x=0.0, y=0.0, align="left", family="sans"):
        wide = words(self, body, size, colour, x, y, align, family)
        left = x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * wide
        found.append((body, size, left, left + wide, y))
        return wide

    monkeypatch.setattr(canvas.Sketch, "words", heard)
    return found


def on_board(made: canvas.Sketch) -> bool:
    low, high = made.points[:, :2].min(0), made.points[:, :2].max(0)
    return bool((low >= -1e-6).all() and (high <= np.add((made.width, made.height), 1e-6)).all())


def area(made: canvas.Sketch, role: str) -> float:
    """Square metres of the triangles in a colour."""
    points, tint = made.points[made.triangles], made.colours[made.triangles[:, 0], :3]
    chosen = points[np.abs(tint - srgb(DARK[role])).max(1) < 1e-6]
    return float(np.linalg.norm(np.cross(chosen[:, 1] - chosen[:, 0], chosen[:, 2] - chosen[:, 0]), axis=1).sum() / 2)


def assert_legible(said: list[tuple]) -> None:
    """20 pixels of 1/18 degree are 11.6 mm from 0.6 m; words are beside and not on each other, inside the margins."""
    written = [one for one in said if one[0].strip()]
    assert min(size for _, size, *_ in written) * CAP >= 0.0116
    assert len({round(size, 6) for _, size, *_ in written}) <= 3
    inside = [(left, right) for _, _, left, right, _ in written]
    assert min(left for left, _ in inside) >= cards.MARGIN - 1e-6
    assert max(right for _, right in inside) <= cards.WIDTH - cards.MARGIN + 1e-6
    for k, (_, size, left, right, y) in enumerate(written):
        for _, other, start, end, base in written[:k]:
            assert right <= start or end <= left or abs(y - base) >= 0.9 * min(size, other)


def test_a_card_is_a_board_with_a_rim(said):
    made = card("layer1.0.conv2", FACTS, PICTURE, ("−3", "3"), ("Maximisation", 0.5), "the bridge is gone")
    assert made.width == cards.WIDTH == 0.34 and 0.3 < made.height < 0.75
    assert made.points.dtype == made.colours.dtype == np.float32 and made.triangles.dtype == np.int32
    assert on_board(made) and made.triangles.max() == len(made.points) - 1
    assert area(made, "frame") == pytest.approx(made.width * made.height + 0.0015 * cards.INNER, rel=1e-4)
    told = [one[0] for one in said]
    assert told == [
        "layer1.0.conv2", "−3", "3", *(part for fact in FACTS for part in fact), "Maximisation", "50%",
        "the bridge is gone",
    ]  # fmt: skip
    assert_legible(said)


def test_the_picture_keeps_its_shape_and_lies_on_the_board():
    made = card("a", [], PICTURE)
    ((corners, pixels),) = made.pictures
    assert pixels is PICTURE and corners.shape == (4, 3) and corners.dtype == np.float32
    (width, height, _), middle = corners[2] - corners[0], (corners[0, 0] + corners[1, 0]) / 2
    assert width / height == pytest.approx(32 / 24) and height == pytest.approx(cards.TALLEST)
    assert middle == pytest.approx(cards.WIDTH / 2) and corners[0, 2] > 0
    wide = card("a", [], np.ones((64, 256, 4), np.float32)).pictures[0][0]
    assert wide[1, 0] - wide[0, 0] == pytest.approx(cards.INNER)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0, -1.0, 7.0])
def test_the_bar_is_as_long_as_what_is_done(share):
    made = card("a", [], progress=("asking", share))
    done = min(max(share, 0.0), 1.0)
    assert area(made, "bar") == pytest.approx(done * cards.INNER * cards.BAR, rel=1e-4, abs=1e-9)
    assert area(made, "track") == pytest.approx(cards.INNER * cards.BAR, rel=1e-4)


def test_short_facts_share_a_line(said):
    card("a", [*FACTS[:1], *FACTS[2:], ("Operation", "sum of two paths"), ("Peak", "3")])
    rows = {what: y for what, *_, y in said}
    assert rows["Mean"] == rows["Deviation"] == rows["0.12"]
    assert rows["a"] > rows["Shape"] > rows["Mean"] > rows["Operation"] > rows["Peak"]


def test_nothing_to_tell():
    made = card("", [])
    assert on_board(made) and made.height == pytest.approx(2 * cards.MARGIN) and not made.pictures


def test_a_picture_without_pixels_is_left_out():
    assert not card("a", [], np.zeros((0, 8, 4), np.float32)).pictures


def test_twenty_facts(said):
    made = card("a", [(f"fact {k}", f"{k} of a hundred") for k in range(20)])
    assert on_board(made) and "fact 11" in [one[0] for one in said] and "fact 12" not in [one[0] for one in said]
    assert said[-1][0] == "and 8 more"
    assert_legible(said)


@pytest.mark.parametrize(
    "long", ["x" * 300, "backbone.layer4.2.conv3 " * 12, "虎猫と三毛猫、" * 6, "\uffff\x00\n" * 40]
)
def test_long_words_are_broken_and_shortened(said, long):
    made = card(long, [("Stands for", long), (long, "3"), (long, long), ("", long)], PICTURE, (long, long),
                (long, 0.5), long)  # fmt: skip
    assert on_board(made) and made.height < 1.4
    assert_legible(said)


def test_class_names_of_any_script(said):
    made = card("fc · 281", [("Stands for", "虎猫, 82.3%"), ("Then", "кошка, 3.1%")])
    assert [one[0] for one in said] == ["fc · 281", "Stands for", "虎猫, 82.3%", "Then", "кошка, 3.1%"]
    assert on_board(made)


def test_lines_are_broken_at_blanks_and_lose_their_middle():
    room = glyphs.measure("the bridge is") * 1.01
    assert text_wrapping.wrapped("the bridge is gone", room, 1.0, 3) == ["the bridge is", "gone"]
    assert text_wrapping.wrapped("the bridge is", room, 1.0, 1) == ["the bridge is"]
    short = text_wrapping.shortened("layer4.2.conv3.weight", glyphs.measure("layer4....weight", "mono"), 1.0, "mono")
    assert short.startswith("layer4") and short.endswith("weight") and "..." in short
    assert text_wrapping.shortened("abc", 0.0, 1.0) == text_wrapping.GAP
    assert text_wrapping.wrapped("", 1.0, 1.0, 2) == [""]


def test_what_is_added_lies_on_what_it_overlaps():
    made = canvas.Sketch()
    made.box((0, 1), (0, 1), "board")
    made.box((2, 3), (0, 1), "board")
    made.box((0.5, 2.5), (0.2, 0.8), (1.0, 0.5, 0.0, 0.25))
    made.picture((2.2, 2.4), (0.3, 0.4), PICTURE)
    assert made.points[::4, 2] == pytest.approx([0, 0, canvas.STEP])
    assert made.pictures[0][0][:, 2] == pytest.approx([2 * canvas.STEP] * 4)
    assert made.colours[-1] == pytest.approx([1.0, 0.5, 0.0, 0.25])
    assert (made.width, made.height) == (3, 1) and made.bounds == ((0, 3), (0, 1))


def test_the_edges_of_words_are_where_they_were_asked_for():
    made = canvas.Sketch()
    wide = made.words("HIM", 0.1, x=0.5, y=0.2, align="right")
    assert wide == pytest.approx(made.measure("HIM", 0.1))
    assert made.points[:, 1].min() == pytest.approx(0.2, abs=1e-4)
    assert made.points[:, 1].max() == pytest.approx(0.2 + CAP * 0.1, abs=1e-3)
    assert 0.5 - wide <= made.points[:, 0].min() and made.points[:, 0].max() <= 0.5


def test_an_unknown_colour_is_told():
    with pytest.raises(UnknownName, match="no colour 'fisrt'"):
        canvas.Sketch().box((0, 1), (0, 1), "fisrt")


def test_sizes_are_those_of_a_headset():
    """One degree from a metre is 17.455 mm."""
    assert canvas.size_for(18, 1.0) * CAP == pytest.approx(0.017455, rel=1e-4)


def test_a_beam_reaches_from_start_to_end():
    at = gpu_draw._along(Vector((1, 2, 3)), Vector((1, -2, 6)), 0.01)
    assert at @ Vector((0, 0, 0)) == Vector((1, 2, 3))
    assert (at @ Vector((0, 0, 1)) - Vector((1, -2, 6))).length < 1e-5
    assert (at @ Vector((1, 0, 0)) - Vector((1, 2, 3))).length == pytest.approx(0.01)


def test_a_sketch_fills_its_texture():
    at = textures._flat(((-1.0, 3.0), (0.5, 1.0)), (0.0, 0.0), (400, 50))
    assert (at @ Vector((-1, 0.5, 0, 1))).xy == Vector((-1, -1)) and (at @ Vector((3, 1, 0, 1))).xy == Vector((1, 1))
    aside = textures._flat(((-1.0, 3.0), (0.5, 1.0)), (0.5, 0.0), (400, 50))
    assert (aside @ Vector((-1, 0.5, 0, 1))).x == pytest.approx(-1 + 1 / 400)
    assert isinstance(at, Matrix)


def test_nothing_is_made_before_the_first_draw():
    """In the background there is no gpu."""
    assert textures.Shown(card("a", FACTS, PICTURE)).sketch.width == cards.WIDTH


class Painted:
    """Stands for a sketch that takes some frames to paint."""

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


def test_what_is_seen_stays_until_the_next_is_painted():
    pane, first, second = textures.Pane(), Painted(2), Painted(3)
    pane.show(first)
    pane.draw(Matrix())
    assert [pane.paint() for _ in range(3)] == [True, True, False] and pane.seen is first
    pane.show(second)
    pane.paint()
    pane.draw(Matrix())
    assert (first.drawn, second.drawn, pane.ready) == (1, 0, False)
    pane.show(first)  # it is painted already
    assert pane.ready and pane.seen is first and not pane.paint()
    pane.show(None)
    pane.draw(Matrix())
    assert pane.seen is None and first.drawn == 1


def test_rods_and_rims_are_where_they_are_said_to_be():
    text_wrapping = gpu_draw.Lines()
    text_wrapping.rod(gpu_draw.between((0, 0, 0), (0, 0, 2), 0.1), "bar")
    text_wrapping.rim(Matrix.Translation((5, 0, 0)), gpu_draw.rim((0, 0), (2, 1), 0.2), "skip")
    points = np.array(text_wrapping.points)
    rod, outer, inner = points[:8], points[8:12], points[12:]
    assert np.allclose(rod.min(0), (-0.05, -0.05, 0), atol=1e-6) and np.allclose(rod.max(0), (0.05, 0.05, 2), atol=1e-6)
    assert np.allclose(outer.min(0)[:2], (4.9, -0.1)) and np.allclose(outer.max(0)[:2], (7.1, 1.1))
    assert np.allclose(inner.min(0)[:2], (5.1, 0.1)) and np.allclose(inner.max(0)[:2], (6.9, 0.9))
    assert len(text_wrapping.colours) == len(points) == 16 and text_wrapping.colours[0] == canvas.tone("bar")
    assert gpu_draw.SIDES.max() == gpu_draw.FRAME.max() == gpu_draw.CORNERS - 1
