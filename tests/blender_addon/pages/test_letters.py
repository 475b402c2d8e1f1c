"""Letters that are drawn without a library look as Pillow draws them, and text begins and ends where it is measured."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from innerwalk.blender_addon.pages.font import FILE, text_length
from innerwalk.blender_addon.pages.letters import text_coverage


@pytest.mark.parametrize(("text", "size"), [("agRkW@%&8", 40), ("é ü Ä × − … “quotes”", 40), ("layer3.0.conv2", 16)])
def test_letters_cover_the_pixels_that_pillow_fills(text, size):
    coverage, base = text_coverage(text, size)
    large = Image.new("L", (coverage.shape[1] * 8, coverage.shape[0] * 8))
    font = ImageFont.truetype(str(FILE), size * 8, layout_engine=ImageFont.Layout.BASIC)
    ImageDraw.Draw(large).text((0, base * 8), text, 255, font, "ls")
    wanted = np.asarray(large.reduce(8)) / 255
    assert np.abs(coverage - wanted).mean() < 0.01 and np.abs(coverage - wanted).max() < 0.35


def test_text_is_as_long_as_it_is_measured():
    coverage, _ = text_coverage("||", 100)
    columns = np.flatnonzero(coverage.any(0))
    assert abs((columns[0] + columns[-1] + 1) / 2 - text_length("||") * 100 / 2) < 1


def test_what_the_font_lacks_is_shown_and_nothing_is_nothing():
    assert (
        text_coverage("猫", 20)[0].any() and not text_coverage("  ", 20)[0].any() and not text_coverage("", 9)[0].any()
    )
