"""Innerwalk's own engine draws the 3D view of a hall in its true colours."""

import pytest


@pytest.fixture(scope="module")
def result(play) -> dict:
    return play("own_engine")


def test_a_new_hall_is_drawn_by_it(result):
    assert (result["shading"], result["engine"]) == ("RENDERED", "INNERWALK")


def test_tiles_have_the_colours_that_numpy_computes(result):
    assert result["tiles"] == 20 and result["tiles: largest difference from numpy"] <= 2


def test_new_values_and_colours_are_drawn(result):
    assert result["new values: difference"] <= 2 and result["new colours: difference"] <= 2
