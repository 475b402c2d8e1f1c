"""The smallest session: a new user installs the zip and opens the demo."""

import pytest


@pytest.fixture(scope="module")
def told(play) -> dict:
    return play("opens_demo")


def test_it_is_the_blender_that_was_meant(told):
    assert told["blender"].startswith("5.2")


def test_the_hall_is_whole(told):
    assert told["panels"] == 23


def test_the_picture_is_seen_in_its_colours(told):
    """The demo's picture has a blue ring with yellow inside."""
    red, green, blue = told["middle of the input"]
    assert red > 180
    assert green > 150
    assert blue < 110


def test_a_click_selects_what_is_seen(told):
    assert told["clicked"] == "input"


def test_the_other_python_has_torch(told):
    assert told["torch"] == "6.0\n"
