"""What a walk draws has its colours on the screen, and lies where it should."""

import numpy as np
import pytest

from innerwalk.blender_addon.imaging.colour import THEMES, srgb, to_linear

DARK = THEMES["dark"]


@pytest.fixture(scope="module")
def told(play) -> dict:
    return play("walk_drawn", seconds=400)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("board", DARK["board"]), ("rim", DARK["frame"]), ("bar", DARK["bar"]), ("track", DARK["track"]),
        ("pointed", DARK["frame"]), ("entry", DARK["plate2"]), ("low end", "#3D7BFF"), ("high end", "#FFFFFF"),
        ("outline", DARK["skip"]), ("ray", DARK["bar"]), ("ring", DARK["bar"]),
    ],
)  # fmt: skip
def test_srgb_in_is_srgb_on_the_screen(told, what, code):
    """Or, in Blender 5.2, what its display makes of overlays: the darkest are some steps brighter."""
    wanted = srgb(code) * 255
    brighter = to_linear(srgb(code)) ** (1 / 2.2) * 255
    assert min(np.abs(told["colours"][what] - one).max() for one in (wanted, brighter)) <= 6, told["colours"]


def test_a_panel_hides_what_is_behind_it(told):
    red, _, blue = told["colours"]["hidden"]
    assert red - blue < 60


def test_the_card_has_the_pixels_of_a_headset(told):
    """0.34 m seen from 0.6 m, at 18 pixels a degree in the middle."""
    assert abs(told["card's pixels"] - 584) < 12
