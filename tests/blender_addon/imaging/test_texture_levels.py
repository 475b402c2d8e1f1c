"""Sizes of textures by distance and budget, pictures of panels as the shader shows them, and the cube of colours."""

import numpy as np
import pytest

from innerwalk.blender_addon.imaging import channel_images, colour_cube, colour_maps, panel_image, plots, tile_grids
from innerwalk.blender_addon.imaging.texture_levels import TextureExtent, are_in_view, choose_levels, nearest_point
from innerwalk.torch_bridge.recording import Maps, pack

SQUARE = TextureExtent(1, 1, 8, 8)
"""256, 64, 16 and 4 bytes."""


def test_sizes_of_a_texture():
    extent = TextureExtent(3, 2, 7, 5)
    assert [extent.size(level) for level in range(4)] == [(15, 14), (9, 8), (6, 4), (3, 2)]
    assert (extent.max_level, extent.bytes(0), extent.bytes(3)) == (3, 840, 24)


@pytest.mark.parametrize(
    ("budget", "wanted"),
    [(512, [0, 0]), (511, [0, 1]), (320, [0, 1]), (319, [0, 2]), (272, [0, 2]), (271, [1, 3]), (7, [3, 3])],
)
def test_the_far_one_is_halved_first(budget, wanted):
    assert choose_levels([SQUARE, SQUARE], np.array([1.0, 4.0]), budget).tolist() == wanted


def test_each_doubling_of_the_way_halves_once_more():
    found = choose_levels([SQUARE] * 5, np.array([0.0, 2.0, 3.9, 7.0, 40.0]), 256 + 256 + 64 + 16 + 4)
    assert found.tolist() == [0, 0, 1, 2, 3]


def test_many_stay_within_the_budget_and_none_is_finer_than_a_nearer_one():
    rng = np.random.default_rng(0)
    extents = [TextureExtent(8, 8, int(side), int(side)) for side in rng.choice([7, 14, 28, 56, 112], 60)]
    distances, whole = rng.uniform(0.5, 100, 60), sum(one.bytes(0) for one in extents)
    for share in (0.9, 0.3, 0.05, 0.01):
        found = choose_levels(extents, distances, int(share * whole))
        spent = sum(one.bytes(level) for one, level in zip(extents, found, strict=True))
        assert 0.2 * share * whole < spent <= share * whole
        larger = np.array([one.height == 112 for one in extents])
        assert (np.diff(found[larger][np.argsort(distances[larger])]) >= 0).all()


def test_what_fits_in_no_image_is_halved_whatever_the_budget():
    assert choose_levels([TextureExtent(64, 1, 512, 512), SQUARE], np.array([0.1, 9.0]), 1 << 40).tolist() == [1, 0]
    assert choose_levels([], np.zeros(0), 1).shape == (0,)


def test_the_nearest_point_of_a_panel():
    turned = np.array([[0, 0, 1, 5], [2, 0, 0, 1], [0, 2, 0, 1], [0, 0, 0, 1.0]])  # faces x, twice as large
    assert np.allclose(nearest_point(turned, (3, 2), np.array([9.0, 2.0, 2.0])), [5, 2, 2])
    assert np.allclose(nearest_point(turned, (3, 2), np.array([9.0, 70.0, -1.0])), [5, 7, 1])
    assert np.isfinite(nearest_point(np.zeros((4, 4)), (1, 1), np.ones(3))).all()


def test_what_is_before_a_viewer():
    viewer = np.eye(4)
    viewer[:3, 3] = 1, 0, 0
    points = np.array([[1, 0, -3], [1, 0, 3], [1, 5.0, -3], [1, 5.4, -3], [1, 0, 0]])
    assert are_in_view(points, viewer).tolist() == [True, False, True, False, True]


@pytest.mark.parametrize("theme", colour_maps.THEMES)
def test_theme_colours_are_on_the_cube_as_they_are(theme):
    codes = list(colour_maps.THEMES[theme].values())
    assert np.allclose(found_on_cube(np.array([colour_maps.linear(code) for code in codes])),
                       [colour_maps.srgb(code) for code in codes], atol=1e-6)  # fmt: skip


def test_every_colour_is_near_its_place_on_the_cube():
    tints = np.random.default_rng(0).uniform(size=(5000, 3))
    errors = np.abs(found_on_cube(colour_maps.to_linear(tints)) - tints).max(1) * 255
    assert errors.max() < 4.1 and np.mean(errors > 2.1) < 0.01
    assert np.allclose(found_on_cube(np.array([[0.0, 0, 0], [1, 1, 1], [-1, 2, 0]])), [[0, 0, 0], [1, 1, 1], [0, 1, 0]])


def found_on_cube(linear: np.ndarray) -> np.ndarray:
    """What the nearest texel at their UVs shows, sRGB."""
    x, y = (colour_cube.lut_uvs(linear) * colour_cube.SIDE).astype(int).T
    return colour_cube.lut_pixels()[y, x, :3]


def content(data: np.ndarray, kind="scalar", scales=None, places=None, columns=3, rows=2) -> panel_image.PanelContent:
    texels = data if kind == "colour" else tile_grids.flag_nonfinite(pack(data)).reshape(pack(data).shape)
    count = len(data)
    scales = np.linspace(0.5, 2, count) if scales is None else scales
    return panel_image.PanelContent(kind, texels, scales, np.arange(count) if places is None else places, columns, rows)


def tiles(picture: np.ndarray, made: panel_image.PanelContent) -> np.ndarray:
    """(places, h, w, 3), rows from the top, of a picture whose first row is the bottom one."""
    grid = picture[::-1].reshape(made.rows, len(picture) // made.rows, made.columns, -1, 4)
    return grid.swapaxes(1, 2).reshape(made.rows * made.columns, grid.shape[1], -1, 4)[..., :3]


@pytest.mark.parametrize("colour_map", colour_maps.COLOUR_MAPS)
@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_values_have_the_colours_of_the_shader(colour_map, gain):
    data = np.random.default_rng(0).normal(size=(5, 6, 4)).astype(np.float32)
    data[1, 2, 3], data[4, 0, 0], data[2, 1, 1], data[3, 5, 3] = np.nan, np.inf, -np.inf, 3e37
    made = content(data)
    wanted = colour_maps.colour_values(data, made.scales[:, None, None], colour_map, gain)
    picture = panel_image.draw_panel(made, channel_images.Colouring("dark", colour_map, gain))
    assert np.abs(tiles(picture, made)[:5] - wanted).max() * 255 < 0.3


def test_channels_lie_where_they_are_shown():
    data = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((1, 2, 2), np.float32)
    made = content(data, scales=np.full(5, 4.0), places=np.array([-1, 5, 0, -1, 2]))
    found = tiles(panel_image.draw_panel(made, channel_images.Colouring("dark", "ember", 1.0)), made)
    for place, value in ((5, 1), (0, 2), (2, 4)):
        assert np.allclose(found[place], colour_maps.colour_values(np.array(value), 4.0, "ember"), atol=1e-3)


@pytest.mark.parametrize("colour_map", colour_maps.COLOUR_MAPS)
@pytest.mark.parametrize("theme", colour_maps.THEMES)
def test_vectors_are_bars(colour_map, theme):
    data = np.array([-3, -0.4, 0, 1.5, np.nan], np.float32)[:, None, None]
    made = content(data, "bars", np.full(5, 2.0))
    found = tiles(panel_image.draw_panel(made, channel_images.Colouring(theme, colour_map, 1.2)), made)
    for k, value in enumerate(data.ravel()):
        wanted = plots.draw_bar(float(value), 2.0, colour_map, 1.2, theme, panel_image.BAR_SHAPE[1])[..., :3]
        assert np.abs(found[k] - wanted).max() < 1e-5


def test_colour_maps_pass_through():
    texels = np.random.default_rng(0).uniform(size=(4, 5, 3, 4)).astype(np.float32)
    texels[0, ..., 3] = 1
    texels[1, 2, 2, :3] = 1.7
    opaque = texels.copy()
    opaque[..., 3] = 1
    for given in (texels, opaque):
        made, maps = content(given, "colour"), Maps("a", "x", given, 4, colour=True)
        colouring = channel_images.Colouring("paper", "paper", 1.0)
        found = tiles(panel_image.draw_panel(made, colouring), made)
        for k in range(4):
            assert np.abs(found[k] - channel_images.draw_tile(maps, k, 1.0, colouring)).max() < 1e-5
    opaque[2, 1, 1] = colour_maps.FLAG
    made = content(opaque, "colour")
    found = tiles(panel_image.draw_panel(made, channel_images.Colouring("paper", "paper", 1.0)), made)
    assert np.allclose(found[2, 1, 1], colour_maps.srgb(colour_maps.MARKER), atol=1e-6)


@pytest.mark.parametrize("kind", ["scalar", "colour"])
def test_halved_tiles_are_as_bright_as_whole_ones(kind):
    """A tile of black and white stripes is grey of half the light, not of half the number."""
    striped = np.zeros((1, 4, 4), np.float32)
    striped[:, ::2] = 1
    given = (
        striped if kind == "scalar" else np.concatenate([striped[..., None].repeat(3, -1), np.ones((1, 4, 4, 1))], -1)
    )
    made = content(given.astype(np.float32), kind, np.ones(1), columns=1, rows=1)
    look = channel_images.Colouring("dark", "signed", 1.0)
    for level, size in ((1, 2), (2, 1)):
        found = panel_image.draw_panel(made, look, level)
        assert found.shape == (size, size, 4)
        assert np.allclose(found[..., :3], colour_maps.to_srgb(0.5), atol=1e-3) and (found[..., 3] == 1).all()
    assert set(np.unique(panel_image.draw_panel(made, look)[..., :3])) == {0.0, 1.0}


def test_the_grid_of_a_halved_picture_is_that_of_its_extent():
    data = np.random.default_rng(0).normal(size=(5, 7, 5)).astype(np.float32)
    for level in range(4):
        colouring = channel_images.Colouring("dark", "signed", 1.0)
        height, width, _ = panel_image.draw_panel(content(data), colouring, level).shape
        assert (width, height) == TextureExtent(3, 2, 7, 5).size(level)
