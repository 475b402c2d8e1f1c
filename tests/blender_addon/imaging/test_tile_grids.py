"""Sheets and grids: every texel and every tile where it belongs."""

import numpy as np
import pytest

from innerwalk.blender_addon.imaging import tile_grids
from innerwalk.torch_bridge.recording.errors import SceneError


def texels(cells, height, width):
    return np.arange(cells * height * width * 4, dtype=np.float32).reshape(cells, height, width, 4)


def test_one_column_is_the_texels_themselves():
    values = texels(5, 3, 2)
    on = tile_grids.sheet_layout(values.shape)
    assert (on.columns, on.rows, on.width, on.height) == (1, 5, 2, 15)
    pixels = tile_grids.flag_nonfinite(tile_grids.to_pixels(values, on))
    assert np.shares_memory(pixels, values) and np.array_equal(pixels, values.ravel())


@pytest.mark.parametrize("cells, tallest, columns, rows", [(5, 6, 3, 2), (6, 9, 2, 3), (7, 9, 3, 3), (7, 21, 1, 7)])
def test_a_tall_stack_goes_on_in_more_columns(cells, tallest, columns, rows):
    values = texels(cells, 3, 2)
    on = tile_grids.sheet_layout(values.shape, tallest)
    assert (on.columns, on.rows) == (columns, rows)
    pixels = tile_grids.to_pixels(values, on)
    for cell in range(cells):
        column, row = cell // rows, cell % rows
        assert np.array_equal(pixels[row * 3 : row * 3 + 3, column * 2 : column * 2 + 2], values[cell])
    assert np.array_equal(tile_grids.to_texels(pixels.ravel(), on, cells), values)


@pytest.mark.parametrize("per_cell, cells", [(4, 3), (1, 9)])
def test_a_peak_lies_where_the_values_of_its_channel_are(per_cell, cells):
    peak = np.arange(1, 10, dtype=np.float32)
    texels = tile_grids.peak_texels(peak, cells, per_cell)
    assert texels.shape == (cells, 1, 1, 4) and texels.sum() == peak.sum()
    assert [texels[k // per_cell, 0, 0, k % per_cell] for k in range(9)] == peak.tolist()
    small = tile_grids.peak_sheet(tile_grids.sheet_layout((cells, 3, 2, 4), 9))
    assert (small.width, small.height) == (small.columns, small.rows)
    assert np.array_equal(tile_grids.to_texels(tile_grids.to_pixels(texels, small), small, cells), texels)


def test_what_fits_in_no_image_is_told():
    with pytest.raises(SceneError, match="30 × 20 in 9 cells don't fit in an image of 40 × 40 pixels"):
        tile_grids.sheet_layout((9, 30, 20, 4), 40)
    with pytest.raises(SceneError, match="don't fit"):
        tile_grids.sheet_layout((1, 41, 1, 4), 40)


def test_nan_and_infinity_are_flagged_and_large_numbers_are_not():
    values = np.array([1, np.nan, np.inf, -np.inf, 1e30, -65505], np.float32)
    with np.errstate(all="raise"):
        assert tile_grids.flag_nonfinite(values).tolist() == [
            1,
            *[float(tile_grids.FLAG)] * 3,
            np.float32(1e30),
            -65505,
        ]
        assert np.shares_memory(tile_grids.flag_nonfinite(values[4:]), values), "squares overflow, values don't"


def test_shrink_takes_means_of_blocks():
    values = np.zeros((1, 4, 6, 4), np.float32)
    values[0, :, :, 1] = np.arange(24).reshape(4, 6)
    small = tile_grids.block_means(values, 2)
    assert small.shape == (1, 2, 3, 4) and small.dtype == np.float32
    assert small[0, :, :, 1].tolist() == [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]
    assert tile_grids.block_means(values, 1) is values


def test_shrink_leaves_no_texel_out():
    values = np.random.default_rng(0).normal(size=(2, 7, 5, 4)).astype(np.float32)
    small = tile_grids.block_means(values, 3)
    assert small.shape == (2, 3, 2, 4)
    assert np.allclose(small[:, 0, 1], values[:, :2, 2:].mean((1, 2)), atol=1e-6)
    assert np.isnan(tile_grids.block_means(np.where(values == values[0, 6, 4, 0], np.nan, values), 3)).sum() == 1


def test_grid_is_read_from_the_top_left():
    grid = tile_grids.TileGrid(3, 2, (2.0, 1.0))
    assert grid.centre(np.arange(4)).tolist() == [[1, 1.5], [3, 1.5], [5, 1.5], [1, 0.5]]
    assert np.allclose(grid.inside(0, [0, 1], [0, 1]), [[0.08, 1.96], [1.92, 1.04]])


@pytest.mark.parametrize("place", range(6))
def test_picking_a_tile_and_the_gap_beside_it(place):
    grid = tile_grids.TileGrid(3, 2, (2.0, 1.0))
    for u, v in ((0.5, 0.5), (0.01, 0.01), (0.99, 0.99)):
        assert grid.pick(*grid.inside(place, u, v)) == place
    assert grid.pick(*grid.inside(place, -0.02, 0.5)) == -1
    assert grid.pick(-0.5, 0.5) == grid.pick(0.5, 2.5) == grid.pick(6.5, 0.5) == -1
