"""Charts on boards: words fit and never touch, bars, lines and cells have the sizes and places of their values."""

import numpy as np
import pytest

from innerwalk.blender_addon.imaging.tile_grids import TileGrid
from innerwalk.blender_addon.layout.boards import BESIDE, CHARTS
from innerwalk.blender_addon.plans.board_contents.chart_bars import DEEPEST, MOST_BARS, series_colour, series_letters
from innerwalk.blender_addon.plans.chart_boards import first_charts, plan_charts
from innerwalk.blender_addon.plans.primitives import Plan, Style
from innerwalk.blender_addon.plans.tile_labels import MOST_LABELS, TileLabel, add_tile_labels, strongest
from innerwalk.tests.support.charts import KINDS, chart, random_chart

STYLE = Style.of("dark")


def boxes(plan: Plan, colour: str) -> list[np.ndarray]:
    """Lower left and upper right corners, (2, 2), of the rectangles of a colour."""
    rgb = STYLE.colour(colour)
    found = [face.points[:, :2] for face in plan.faces if np.allclose(face.colours[0], rgb)]
    return [np.array([points.min(0), points.max(0)]) for points in found]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_drawn_lies_on_the_board_and_no_two_words_touch(kind, seed):
    plan = plan_charts([random_chart(kind, seed)], STYLE)
    extents = [(run.text, run.box()[:, :2].min(0), run.box()[:, :2].max(0)) for run in plan.texts]
    title, inner = extents[0], extents[1:]
    assert title[2][0] <= CHARTS[0] + 1e-6 and title[1][1] > CHARTS[1]
    letters = set(series_letters(random_chart(kind, seed).series))
    words = [own for own in inner if own[0] not in letters]  # letters lie on bars and chips
    for text, low, high in inner:
        assert (low > -1e-6).all() and (high <= np.array(CHARTS) + 1e-6).all(), text
    for k, (text, low, high) in enumerate(words):
        for other, other_low, other_high in words[:k]:
            apart = (low >= other_high - 1e-6).any() or (high <= other_low + 1e-6).any()
            assert apart, (text, other)
    for face in plan.faces[2:]:
        assert np.isfinite(face.points).all()
        assert (face.points[:, :2] >= -1e-6).all() and (face.points[:, :2] <= np.array(CHARTS) + 1e-6).all()


def test_bars_are_as_long_as_their_values():
    plan = plan_charts([chart(values=((1.0,), (4.0,), (-2.0,)))], STYLE)
    lengths = [np.ptp(box[:, 0]) for colour in ("bar", "skip") for box in boxes(plan, colour)]
    assert np.array(lengths) / lengths[0] == pytest.approx([1.0, 4.0, 2.0])
    positive, negative = boxes(plan, "bar")[0], boxes(plan, "skip")[0]
    assert negative[1, 0] == pytest.approx(positive[0, 0])  # both begin at zero
    texts = [run.text for run in plan.texts]
    assert texts[1:7] == ["row 0", "1", "row 1", "4", "row 2", "−2"]


def test_series_stand_end_to_end_in_colours_and_letters_of_the_key():
    plan = plan_charts([chart(values=((3.0, 1.0, 0.0), (1.0, 3.0, 0.0)), series=("object", "part", "scene"))], STYLE)
    key, first, second = boxes(plan, series_colour(0)), boxes(plan, series_colour(0))[1:], boxes(plan, series_colour(1))
    assert len(key) == 3 and not boxes(plan, series_colour(2))  # a series that is 0 everywhere has no place in the key
    for left, right in zip(first, second[1:], strict=True):
        assert left[1, 0] == pytest.approx(right[0, 0])
    assert np.ptp(first[0][:, 0]) == pytest.approx(3 * np.ptp(first[1][:, 0]))
    texts = [run.text for run in plan.texts]
    assert texts.count("O") == texts.count("P") == 3 and "4" in texts


def test_letters_are_initials_unless_two_are_equal():
    assert series_letters(("scene", "object", "part")) == ("S", "O", "P")
    assert series_letters(("part", "paint")) == ("A", "B")


def test_more_bars_than_have_room_are_counted():
    plan = plan_charts([chart(values=[[1.0]] * (MOST_BARS + 3))], STYLE)
    assert len(boxes(plan, "bar")) == MOST_BARS and plan.texts[-1].text == "3 more rows"


def test_lines_pass_through_their_values_and_are_named_at_their_ends():
    plan = plan_charts([chart("lines", ((0.0, 4.0), (2.0, 2.0), (4.0, 0.0)), series=("up", "down"))], STYLE)
    ups, downs = (boxes(plan, series_colour(place))[1:] for place in (0, 1))
    middles = [np.array([box.mean(0) for box in own]) for own in (ups, downs)]
    assert np.diff(middles[0][:, 1]) == pytest.approx(np.full(2, np.diff(middles[0][:, 1])[0]))
    assert middles[0][:, 1] == pytest.approx(middles[1][::-1, 1])
    names = {run.text: run for run in plan.texts}
    assert names["up"].y > names["down"].y and names["up"].x > middles[0][-1, 0]
    assert np.allclose(names["up"].colour, STYLE.colour(series_colour(0)))


def test_cells_of_a_matrix_have_the_colours_of_their_values():
    for style, most in ((Style.of("paper"), 1.0), (STYLE, DEEPEST)):
        plan = plan_charts([chart("matrix", ((2.0, 0.0), (-1.0, 1.0)))], style)
        cells = [face.colours[0] for face in plan.faces[2:]]
        track, bar, skip = (style.colour(role) for role in ("track", "bar", "skip"))
        wanted = [(bar, 1.0), (track, 0.0), (skip, 0.5), (bar, 0.5)]
        assert np.allclose(cells, [track + (end - track) * share * most for end, share in wanted])


@pytest.mark.parametrize("theme", ["dark", "paper"])
def test_numbers_can_be_read_on_every_cell(theme):
    style = Style.of(theme)
    values = np.linspace(-1, 1, 12)
    plan = plan_charts([chart("matrix", [values.tolist()])], style)
    weights = np.array([0.2126, 0.7152, 0.0722])
    cells = [float(face.colours[0] @ weights) for face in plan.faces[2:]]
    words = [float(run.colour @ weights) for run in plan.texts[-12:]]
    for cell, word in zip(cells, words, strict=True):
        light, dark = max(cell, word), min(cell, word)
        assert (light + 0.05) / (dark + 0.05) >= 3.0  # the WCAG ratio for large text


def test_numbers_of_cells_are_those_of_their_values():
    plan = plan_charts([chart("matrix", ((2.0, 0.0), (-1.0, 1.0)))], STYLE)
    assert [run.text for run in plan.texts if not run.text.strip("−0123456789")] == ["2", "0", "−1", "1"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((7.26, -0.04, 0.31), ["7.3", "0.0", "0.3"]),
        ((-0.5, 0.125, 0.0), ["−0.50", "0.12", "0.00"]),
        ((1234.2, 3.0, -2.0), ["1,234", "3", "−2"]),
        ((3e7, 1.0, 0.5), ["3.0e+07", "1", "0.5"]),
        ((7.0, 2.0, 0.0), ["7", "2", "0"]),
        ((0.0, 0.0, 0.0), ["0", "0", "0"]),
        ((2e-5, 1e-6, 0.0), ["2.0e−05", "1.0e−06", "0"]),
    ],
)
def test_numbers_of_a_matrix_have_the_same_decimals(values, texts):
    plan = plan_charts([chart("matrix", [values])], STYLE)
    assert [run.text for run in plan.texts[-3:]] == texts


def test_long_names_of_columns_stand_upright():
    plan = plan_charts([chart("matrix", [[1.0] * 10], series=tuple(f"triangle {k}" for k in range(10)))], STYLE)
    upright = [run for run in plan.texts if run.text.startswith("triangle")]
    assert len(upright) == 10 and all(np.allclose(run.plane.right, (0, 1, 0)) for run in upright)


def test_upright_names_are_of_one_size_but_for_longer_ones():
    names = ("fc", "stem", *(f"stage{k}.0.norm" for k in range(6)), "stage1.0.shortcut.norm.of.a.block.inside")
    plan = plan_charts([chart("matrix", [[1.0] * len(names)], series=names)], STYLE)
    sizes = {run.text: run.size for run in plan.texts}
    assert sizes["fc"] == sizes["stem"] == sizes["stage3.0.norm"] > 1.5 * sizes[names[-1]]


def test_the_row_beside_is_marked_on_lines():
    values, rows = ((0.0,), (1.0,), (4.0,), (2.0,), (3.0,)), tuple("abcde")
    plain, marked = (plan_charts([chart("lines", values, rows, marked=row)], STYLE).faces for row in ("", "d"))
    [line] = [face for face in marked if face.points.tolist() not in [other.points.tolist() for other in plain]]
    squares = boxes(plan_charts([chart("lines", values, rows)], STYLE), series_colour(0))[1:]
    assert line.points[:, 0].mean() == pytest.approx(squares[3][:, 0].mean())
    assert len(plan_charts([chart("lines", values, rows, marked="gone")], STYLE).faces) == len(plain)


def test_several_charts_stand_beside_each_other_and_equal_ones_once():
    one, two = chart(title="one"), chart(title="two")
    assert first_charts([(one, two), (one,), (two, one)]) == (one, two)
    plan = plan_charts([one, two], STYLE)
    titles = {run.text: run.x for run in plan.texts}
    assert titles["two"] - titles["one"] == pytest.approx(CHARTS[0] + BESIDE)
    assert not plan_charts([], STYLE)


def test_titles_of_a_figure_are_as_large_as_can_be_read():
    small, large = (plan_charts([chart()], STYLE, least=least).texts[0].size for least in (0.0, 0.35))
    assert small == pytest.approx(0.26) and large == pytest.approx(0.35)


def test_labels_of_tiles_stay_on_their_tiles_behind_chips_of_their_categories():
    plan, grid = Plan(STYLE), TileGrid(2, 1, (0.3, 0.3))
    add_tile_labels(plan, [TileLabel(0, "ring .31", 1), TileLabel(1, "W" * 40, 0)], ("scene", "object"), grid)
    assert [run.text for run in plan.texts] == ["O", "ring .31", "S", "W" * 40]
    for place in (0, 1):
        low, high = grid.inside(place, 0.0, 1.0), grid.inside(place, 1.0, 0.0)
        for run in plan.texts[2 * place : 2 * place + 2]:
            box = run.box()[:, :2]
            assert (box.min(0) >= np.array(low) - 1e-6).all() and (box.max(0) <= np.array(high) + 1e-6).all()
    assert len(boxes(plan, series_colour(1))) == 1 and plan.texts[3].size < plan.texts[1].size
    plan = Plan(STYLE)
    add_tile_labels(plan, [TileLabel(0, "ring", 1)], (), grid)  # without names of categories, no chip
    assert [run.text for run in plan.texts] == ["ring"]


def test_the_labels_of_the_largest_values_are_drawn():
    labels = [TileLabel(k, str(k), 0) for k in range(MOST_LABELS + 10)]
    values = np.arange(len(labels), dtype=np.float32) * np.where(np.arange(len(labels)) % 2, -1, 1)
    assert [own.place for own in strongest(labels, values)] == list(range(10, len(labels)))
