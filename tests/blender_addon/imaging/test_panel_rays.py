"""From a ray to a pixel, without Blender: what `TileGrid.inside` says is found again under any matrix."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from innerwalk.blender_addon.imaging import panel_rays
from innerwalk.blender_addon.imaging.tile_grids import TileGrid
from innerwalk.blender_addon.layout.hall_model import FILL

SHARES = st.floats(0.01, 0.99)
SIZES = st.floats(0.05, 3.0)
GRIDS = st.builds(TileGrid, st.integers(1, 64), st.integers(1, 40), st.tuples(SIZES, SIZES))


def turned(seed: int) -> np.ndarray:
    """A matrix (4, 4) that moves, turns, scales unevenly and mirrors."""
    rng = np.random.default_rng(seed)
    found = np.eye(4)
    found[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.uniform(0.2, 5.0, 3)
    found[:3, 3] = rng.uniform(-200, 200, 3)
    return found


def world(matrix: np.ndarray, *point: float) -> np.ndarray:
    return matrix[:3, :3] @ point + matrix[:3, 3]


@given(GRIDS, st.integers(0, 10**6), SHARES, SHARES, st.integers(0, 10**6), st.integers(1, 64), st.integers(1, 64))
def test_the_point_inside_a_tile_is_picked_back(grid, place, u, v, seed, height, width):
    place %= grid.columns * grid.rows
    assume(0.001 < u * width % 1 < 0.999 and 0.001 < v * height % 1 < 0.999)
    matrix, rng = turned(seed), np.random.default_rng(seed)
    x, y = grid.inside(place, u, v)
    eye = world(matrix, *rng.uniform(-20, 20, 2), rng.uniform(0.5, 30))
    met = panel_rays.intersect_plane(matrix, eye, (world(matrix, x, y, 0.0) - eye) * rng.uniform(0.1, 9))
    assert met.front and met.distance > 0
    assert np.allclose([met.x, met.y], [x, y], atol=1e-6)
    found = panel_rays.tile_point(grid, met.x, met.y)
    assert found.place == place
    assert np.allclose([found.u, found.v], [u, v], atol=1e-4)
    assert panel_rays.map_pixel(found.u, found.v, (height, width)) == (int(v * height), int(u * width))


@given(GRIDS, st.integers(0, 10**6), st.floats(FILL / 2 + 0.005, 0.5), st.booleans(), st.booleans())
def test_gaps_are_nobodys(grid, place, off, across, side):
    place %= grid.columns * grid.rows
    shift = np.array([off if across else 0.0, 0.0 if across else off]) * grid.cell * (1 if side else -1)
    assert panel_rays.tile_point(grid, *(grid.centre(place) + shift)) is None


def test_beyond_the_edge_is_nothing():
    grid = TileGrid(3, 2, (0.5, 0.25))
    for x, y in ((-0.01, 0.1), (1.51, 0.1), (0.2, -0.01), (0.2, 0.51)):
        assert panel_rays.tile_point(grid, x, y) is None
    assert panel_rays.tile_point(grid, 0.25, 0.375) == (0, pytest.approx(0.5), pytest.approx(0.5))
    assert panel_rays.tile_point(grid, 1.25, 0.125).place == 5


def test_distance_is_counted_in_directions_and_the_back_is_told():
    met = panel_rays.intersect_plane(np.eye(4), (1, 2, 3), (0, 0, -1.5))
    assert met == (1.0, 2.0, 2.0, True)
    assert panel_rays.intersect_plane(np.eye(4), (1, 2, -3), (0, 0, 1)) == (1.0, 2.0, 3.0, False)


@pytest.mark.parametrize(
    ("matrix", "origin", "direction"),
    [
        (np.eye(4), (0, 0, 1), (1, 0, 0)),  # along the plane
        (np.eye(4), (0, 0, 1), (0, 0, 1)),  # away from it
        (np.diag([1.0, 0.0, 1.0, 1.0]), (0, 0, 1), (0, 0, -1)),  # scaled to nothing
    ],
)
def test_a_ray_that_meets_no_panel(matrix, origin, direction):
    assert panel_rays.intersect_plane(matrix, origin, direction) is None


@pytest.mark.parametrize(
    ("u", "v", "wanted"), [(0, 0, (0, 0)), (1, 1, (4, 6)), (0.5, 0.5, (2, 3)), (-1e-9, 1 + 1e-9, (4, 0))]
)
def test_edges_belong_to_the_map(u, v, wanted):
    assert panel_rays.map_pixel(u, v, (5, 7)) == wanted


def test_a_place_without_a_channel():
    places = np.array([2, -1, 0])
    assert [panel_rays.channel_at(places, k) for k in range(4)] == [2, -1, 0, -1]
