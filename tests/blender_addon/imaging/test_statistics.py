"""Statistics against values worked out by hand and by numpy one channel at a time; pictures against both."""

import numpy as np
import pytest

from innerwalk.blender_addon.imaging import colour_maps, plots, statistics
from innerwalk.torch_bridge.recording import Maps, pack

NAN, INF = np.nan, np.inf
NUMBERS = ("count", "mean", "deviation", "low", "high", "zeros", "below", "nan", "infinite")


def maps_of(data) -> Maps:
    data = np.asarray(data, np.float32)
    return Maps("a", "activations", pack(data), len(data))


def by_hand(values: np.ndarray) -> list[float]:
    """In the order of NUMBERS."""
    known = values[np.isfinite(values)].astype(np.float64)
    moments = [known.mean(), known.std(), known.min(), known.max()] if known.size else [NAN] * 4
    signs = [(known == 0).sum(), (known < 0).sum()]
    return [known.size, *moments, *signs, np.isnan(values).sum(), np.isinf(values).sum()]


def test_known_answers():
    maps = maps_of([[[-2, 0, 4, 2]], [[-1, -1, 0, NAN]], [[NAN, INF, -INF, NAN]]])
    found = statistics.channel_statistics(statistics.channel_rows(maps))
    told = {name: getattr(found, name).tolist() for name in NUMBERS}
    assert told["count"] == [4, 3, 0] and told["zeros"] == [1, 1, 0] and told["below"] == [1, 2, 0]
    assert told["nan"] == [0, 1, 2] and told["infinite"] == [0, 0, 2]
    assert told["low"][:2] == [-2, -1] and told["high"][:2] == [4, 0] and np.isnan(told["high"][2])
    assert told["mean"][:2] == pytest.approx([1, -2 / 3]) and np.isnan(told["mean"][2])
    assert told["deviation"][:2] == pytest.approx([np.sqrt(5), np.sqrt(2) / 3])
    assert found.sparsity.tolist() == pytest.approx([0.5, 1, 0])
    assert found.share_below.tolist() == pytest.approx([0.25, 2 / 3, 0])
    assert found.share_of_zeros.tolist() == pytest.approx([0.25, 1 / 3, 0])
    assert found.dead.tolist() == [False, True, True]
    assert found.nonfinite.tolist() == [0, 1, 4]


def random_data() -> np.ndarray:
    """Channels of very different size and mean, with zeros, some without any finite value."""
    rng = np.random.default_rng(3)
    data = rng.normal(rng.normal(size=(7, 1, 1)) * 100, rng.gamma(2, 3, (7, 1, 1)), (7, 5, 6)).astype(np.float32)
    data[rng.random(data.shape) < 0.2] = 0
    data[2, 1, 1], data[2, 0, 3], data[5] = NAN, -INF, INF
    return data


def test_channels_and_their_layer_are_what_numpy_says_of_each():
    data = random_data()
    found = statistics.channel_statistics(statistics.channel_rows(maps_of(data)))
    for channel in range(7):
        one = [getattr(found.of(channel), name) for name in NUMBERS]
        assert np.allclose(one, by_hand(data[channel]), rtol=1e-12, equal_nan=True)
    whole = statistics.layer_statistics(maps_of(data))
    assert np.allclose([getattr(whole, name) for name in NUMBERS], by_hand(data), rtol=1e-12)


def test_large_values_close_together_keep_their_deviation():
    data = np.float32(2**23) + np.arange(3000, dtype=np.float32).reshape(1, 50, 60) % 2
    assert statistics.layer_statistics(maps_of(data)).deviation == pytest.approx(0.5, rel=1e-9)
    assert statistics.layer_statistics(maps_of(np.full((1, 2, 2), 3e38))).mean == pytest.approx(np.float32(3e38))


def test_nothing_finite_is_no_range():
    whole = statistics.layer_statistics(maps_of(np.full((2, 3, 3), NAN)))
    assert whole.count == 0 and np.isnan([whole.low, whole.high, whole.mean, whole.deviation]).all()
    assert whole.dead and whole.sparsity == 0 and whole.nonfinite == 18


def test_colour_maps_count_red_green_and_blue_but_not_alpha():
    texels = np.random.default_rng(1).random((3, 4, 5, 4)).astype(np.float32)
    texels[..., 3] = 9
    found = statistics.channel_statistics(statistics.channel_rows(Maps("a", "x", texels, 3, colour=True)))
    assert found.count.tolist() == [60] * 3 and found.high.max() < 1
    assert np.allclose(found.mean, texels[..., :3].mean((1, 2, 3), dtype=np.float64))


def test_histograms_are_numpys():
    data = random_data()
    found = statistics.compute_histogram(data, 17)
    counts, edges = np.histogram(data[np.isfinite(data)].astype(np.float64), 17)
    assert found.counts.tolist() == counts.tolist() and found.nonfinite == 32
    assert (found.low, found.high) == (edges[0], edges[-1])
    equal = statistics.compute_histogram(np.full(9, 2.0), 5)
    assert equal.counts.tolist() == [0, 0, 9, 0, 0] and (equal.low, equal.high) == (1.5, 2.5)
    none = statistics.compute_histogram(np.array([NAN, INF]), 5)
    assert none.counts.tolist() == [0] * 5 and none.nonfinite == 2


def heights(picture: np.ndarray, theme: str) -> np.ndarray:
    """Pixels of each bar, the uppermost in part: how far they are from the board on the way to the bar's colour."""
    plot = picture[plots.MARGIN : -plots.MARGIN, plots.MARGIN : -plots.MARGIN, :3]
    board = colour_maps.srgb(colour_maps.THEMES[theme]["board"])
    away = np.abs(plot - board).sum(2)
    return (away / np.abs(plot[-1] - board).sum(1).max(initial=1e-9)).sum(0)


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_parts_together_are_the_whole(rows):
    values = np.random.default_rng(3).normal(size=(7, 50))
    values[2], values[4, :3] = NAN, INF
    parts = [values[start : start + rows] for start in range(0, 7, rows)]
    known = statistics.channel_statistics(values)
    found = statistics.concatenate([statistics.channel_statistics(part) for part in parts])
    for name in NUMBERS:
        assert np.array_equal(getattr(found, name), getattr(known, name), equal_nan=True)
    whole, ends = statistics.compute_histogram(values), (float(known.merged().low), float(known.merged().high))
    counted = statistics.sum_histograms([statistics.compute_histogram(one, ends=ends) for one in parts])
    assert np.array_equal(counted.counts, whole.counts)
    assert (counted.low, counted.high, counted.nonfinite) == (whole.low, whole.high, whole.nonfinite)


def test_bars_are_as_high_as_counts():
    found = statistics.Histogram(np.array([0, 5, 10, 0, 20, 1]), 1.0, 7.0, 0)
    wide = (plots.EDGE - 2 * plots.MARGIN) // 6
    seen = heights(plots.draw_histogram(found, "dark", "signed"), "dark")[wide // 2 :: wide]
    assert np.allclose(seen[[0, 1, 2, 3, 4, 5]], np.array([0, 0.25, 0.5, 0, 1, 0.05]) * plots.TALL, atol=0.01)
    logarithmic = heights(plots.draw_histogram(found, "dark", "signed", logarithmic=True), "dark")[wide // 2 :: wide]
    assert np.allclose(logarithmic, np.log1p(found.counts) / np.log(21) * plots.TALL, atol=0.01)


@pytest.mark.parametrize("theme, colour_map, below, above", [
    ("dark", "signed", "#3D7BFF", "#FFFFFF"), ("paper", "paper", "#0C54A0", "#9A2300"),
    ("dark", "ember", "#93A1B0", "#FFF4CB"),
])  # fmt: skip
def test_bars_below_and_above_zero_have_the_ends_of_the_map_and_zero_a_line(theme, colour_map, below, above):
    picture = plots.draw_histogram(statistics.Histogram(np.full(10, 7), -2.0, 3.0, 0), theme, colour_map)
    row = picture[plots.MARGIN + 3, plots.MARGIN : -plots.MARGIN, :3]
    assert np.allclose(row[5], colour_maps.srgb(below), atol=1e-6) and np.allclose(
        row[-5], colour_maps.srgb(above), atol=1e-6
    )
    line = np.flatnonzero(np.abs(row - colour_maps.srgb(colour_maps.THEMES[theme]["quiet"])).max(1) < 1e-6)
    near = round(0.4 * (len(row) - 1))
    assert near in line
    empty = plots.draw_histogram(statistics.compute_histogram(np.array([NAN])), theme, colour_map)
    assert empty.shape[2] == 4 and np.isfinite(empty).all() and empty.dtype == np.float32


@pytest.mark.parametrize("colour_map", colour_maps.COLOUR_MAPS)
def test_an_enlarged_map_has_the_colours_of_tint_and_its_legend_those_of_the_map(colour_map):
    values = np.random.default_rng(2).normal(size=(5, 9)).astype(np.float32)
    values[1, 2], values[4, 8] = NAN, INF
    picture = plots.draw_map(values, 1.5, colour_map, 2.0)
    size = plots.EDGE // 9
    assert picture.dtype == np.float32 and picture.shape == (5 * size + plots.GAP + plots.STRIP, 9 * size, 4)
    every = picture[: 5 * size].reshape(5, size, 9, size, 4)
    assert np.allclose(
        every[..., :3], colour_maps.colour_values(values, 1.5, colour_map, 2.0)[:, None, :, None], atol=1e-6
    )
    assert np.allclose(every[1, :, 2, :, :3], colour_maps.srgb(colour_maps.MARKER), atol=1e-6)
    legend, stops = picture[-1, :, :3], colour_maps.COLOUR_MAPS[colour_map].stops
    assert np.allclose(legend[[0, -1]], [colour_maps.srgb(stops[0]), colour_maps.srgb(stops[-1])], atol=1e-6)
    assert (picture[5 * size : -plots.STRIP, :, 3] == 0).all()


def test_colour_maps_are_shown_as_they_are():
    values = np.random.default_rng(2).random((4, 3, 3)).astype(np.float32)
    values[0, 0, 1], values[2, 2] = NAN, [2.0, -1.0, 0.5]
    picture = plots.draw_map(values, 9.0, "signed", 5.0)
    seen = picture[:: plots.EDGE // 4, :: plots.EDGE // 4]
    assert seen.shape == (4, 3, 4) and np.allclose(seen[1, :, :3], values[1])
    assert np.allclose(seen[0, 0, :3], colour_maps.srgb(colour_maps.MARKER)) and seen[2, 2].tolist() == [
        1.0,
        0.0,
        0.5,
        1.0,
    ]


def test_a_large_map_is_thinned_out():
    picture = plots.draw_map(np.zeros((3000, 700), np.float32), 1.0, "signed", 1.0)
    assert picture.shape[0] - plots.GAP - plots.STRIP == 500


@pytest.mark.parametrize(("value", "left", "right"), [(2.0, 0.5, 0.75), (-4.0, 0.0, 0.5), (0.0, 0.5, 0.5)])
def test_a_vector_is_a_bar_from_zero(value, left, right):
    picture = plots.draw_bar(value, 4.0, "signed", 1.0, "dark", 400)
    board = [colour_maps.srgb(colour_maps.THEMES["dark"][role]) for role in ("track", "frame")]
    row = picture[50, :, :3]
    filled = np.flatnonzero([min(np.abs(pixel - tint).max() for tint in board) > 1e-3 for pixel in row])
    assert len(filled) == round(400 * (right - left))
    if len(filled):
        assert (filled[0], filled[-1] + 1) == (400 * left, 400 * right)
    assert np.allclose(picture[5, 20, :3], board[0]) and np.allclose(
        picture[50 if value == 0 else 5, 200, :3], board[1]
    )
    assert np.allclose(plots.draw_bar(NAN, 1.0, "signed", 1.0, "dark")[..., :3], colour_maps.srgb(colour_maps.MARKER))
