"""A walk's drawing has the right colours at the right places of the screen."""

import numpy as np
import pytest

from innerwalk.blender_addon.imaging.colour_maps import THEMES, srgb, to_linear

DARK = THEMES["dark"]


@pytest.fixture(scope="module")
def result(play) -> dict:
    return play("walk_drawn", seconds=700)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("board", DARK["board"]), ("rim", DARK["frame"]), ("bar", DARK["bar"]), ("track", DARK["track"]),
        ("pointed", DARK["frame"]), ("entry", DARK["plate2"]), ("low end", "#3D7BFF"), ("high end", "#FFFFFF"),
        ("outline", DARK["skip"]), ("ray", DARK["bar"]), ("ring", DARK["bar"]),
    ],
)  # fmt: skip
def test_srgb_in_is_srgb_on_the_screen(result, what, code):
    """In Blender 5.2 the display conversion of overlays makes dark colours a few steps brighter, which counts too."""
    wanted = srgb(code) * 255
    brighter = to_linear(srgb(code)) ** (1 / 2.2) * 255
    assert min(np.abs(result["colours"][what] - colour).max() for colour in (wanted, brighter)) <= 6, result["colours"]


def test_a_panel_hides_what_is_behind_it(result):
    red, _, blue = result["colours"]["hidden"]
    assert red - blue < 60


def test_the_card_has_the_pixels_of_a_headset(result):
    """0.34 m seen from 0.6 m, at 18 pixels a degree in the middle."""
    assert abs(result["card's pixels"] - 584) < 12
