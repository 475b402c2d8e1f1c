"""The smallest session: a new user installs the zip and opens the demo."""

import pytest


@pytest.fixture(scope="module")
def result(play) -> dict:
    return play("opens_demo")


def test_it_is_the_expected_version_of_blender(result):
    assert result["blender"].startswith("5.2")


def test_the_hall_is_whole(result):
    assert result["panels"] == 53


def test_the_picture_has_its_colours_on_the_screen(result):
    """The demo's picture has a yellow rocket in its middle."""
    red, green, blue = result["rocket in the input"]
    assert red > 180
    assert green > 150
    assert blue < 110


def test_a_click_selects_the_object_under_it(result):
    assert result["clicked"] == "input"


def test_the_other_python_has_torch(result):
    assert result["torch"] == "6.0\n"
