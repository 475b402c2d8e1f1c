"""Grids of pictures."""

import pytest

from innerwalk.torch_bridge.recording import near_square


@pytest.mark.parametrize(
    ("count", "grid"), [(0, (1, 1)), (1, (1, 1)), (2, (1, 2)), (4, (2, 2)), (5, (2, 3)), (7, (3, 3)), (64, (8, 8))]
)
def test_a_near_square_grid_has_room_for_all_cells_and_no_empty_row(count, grid):
    assert near_square(count) == grid
