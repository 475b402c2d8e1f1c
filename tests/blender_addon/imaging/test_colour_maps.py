"""Colour maps and what a value looks like, against known answers."""

import numpy as np
import pytest

from innerwalk.blender_addon.imaging import colour_maps

FINE = np.linspace(0, 1, 20_001)


def lightness(srgb: np.ndarray) -> np.ndarray:
    """CIE L* of (..., 3) sRGB."""
    y = colour_maps.to_linear(srgb) @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


@pytest.mark.parametrize(
    "srgb, linear", [(0, 0), (1, 1), (0.5, 0.21404114), (0.04045, 0.0031308), (0.02, 0.02 / 12.92)]
)
def test_srgb_curve(srgb, linear):
    assert colour_maps.to_linear(srgb) == pytest.approx(linear, abs=1e-7)
    assert colour_maps.to_srgb(linear) == pytest.approx(srgb, abs=1e-6)


def test_hex_codes_become_linear_light():
    assert colour_maps.linear("#FF0080") == pytest.approx((1.0, 0.0, 0.2158605), abs=1e-6)


@pytest.mark.parametrize("colour_map", colour_maps.COLOUR_MAPS.values(), ids=colour_maps.COLOUR_MAPS)
def test_table_holds_every_stop_and_is_within_a_quarter_of_a_255th_between_them(colour_map):
    table = colour_map.table()
    assert table.shape == (colour_maps.TABLE_ENTRIES, 3) and table.dtype == np.float32
    stops = np.array([colour_maps.srgb(code) for code in colour_map.stops])
    assert np.allclose(colour_maps.to_srgb(table[:: (colour_maps.TABLE_ENTRIES - 1) // 8]), stops, atol=1e-6)
    shader = table[np.floor(FINE * (colour_maps.TABLE_ENTRIES - 1) + 0.5).astype(int)]
    assert np.abs(colour_maps.to_srgb(shader) - colour_map.colours(FINE)).max() < 0.25 / 255


def test_zero_has_the_colour_of_the_room_and_sizes_can_be_told():
    zero = {name: colour_maps.colour_values(np.zeros(1), 1.0, name)[0] for name in ("signed", "paper")}
    assert zero["signed"].max() == 0 and zero["paper"].min() > 0.96
    up, down = (colour_maps.colour_values(sign * np.linspace(0, 1, 65), 1.0, "paper") for sign in (1, -1))
    assert np.abs(lightness(up) - lightness(down)).max() < 3, "both ways equally strong"
    ember = lightness(colour_maps.colour_values(np.linspace(0, 1, 65), 1.0, "ember"))
    assert (np.diff(ember) > 0).all(), "brighter is more"


@pytest.mark.parametrize("value, peak, gain, wanted", [
    (0, 1, 1, "#000000"), (2, 2, 1, "#FFFFFF"), (-2, 2, 1, "#3D7BFF"), (9, 2, 1, "#FFFFFF"), (1, 2, 1, "#898989"),
    (1, 4, 2, "#898989"), (0, 0, 1, "#000000"), (1e-3, 0, 1, "#FFFFFF"),
    (np.nan, 1, 1, colour_maps.MARKER), (np.inf, 1, 1, colour_maps.MARKER), (-np.inf, 1, 1, colour_maps.MARKER),
])  # fmt: skip
def test_tint(value, peak, gain, wanted):
    assert np.allclose(
        colour_maps.colour_values(np.array([value]), peak, "signed", gain)[0], colour_maps.srgb(wanted), atol=1e-6
    )


def test_marker_is_in_no_map():
    shown = np.concatenate([colour_map.colours(FINE) for colour_map in colour_maps.COLOUR_MAPS.values()])
    assert np.linalg.norm(shown - colour_maps.srgb(colour_maps.MARKER), axis=1).min() > 0.3


GROUNDS = ("sky", "air", "floor", "board")


@pytest.mark.parametrize("theme", colour_maps.THEMES)
@pytest.mark.parametrize(
    "text, grounds",
    [(text, (*GROUNDS, "plate", "plate2", "aisle")) for text in ("text", "quiet", "data")] + [("skip", GROUNDS)],
)
def test_texts_stand_out_from_what_they_lie_on(theme, text, grounds):
    colours = colour_maps.THEMES[theme]
    for ground in grounds:
        dark, light = sorted(
            np.dot(colour_maps.linear(colours[role]), [0.2126, 0.7152, 0.0722]) for role in (text, ground)
        )
        assert (light + 0.05) / (dark + 0.05) >= 4.5, ground  # WCAG 2
