"""Charts as flat figures: what stands on the page, one below the other, large enough to print."""

import numpy as np
import pytest

from innerwalk.blender_addon.pages.figure import draw_figure
from innerwalk.blender_addon.pages.page import PageShape, PageText
from innerwalk.blender_addon.pages.page_options import PageOptions
from innerwalk.blender_addon.pages.page_style import SMALLEST
from innerwalk.blender_addon.pages.svg import svg_file
from innerwalk.tests.support.charts import CHART, KINDS, random_chart, recording_with
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName


def page(*charts, **options):
    return draw_figure([recording_with(*charts)], PageOptions("chart", width=85.0, **options))


def test_bars_and_words_of_a_chart_stand_on_the_page():
    drawn = page(CHART)
    texts = [item.text for item in drawn.items if isinstance(item, PageText)]
    assert texts == ["evidence", "ring", "0.310", "blue", "−0.120", "score, by concept and category"]
    bars = [np.ptp(np.array(item.points)[:, 0]) for item in drawn.items if isinstance(item, PageShape)]
    assert max(bars) < 85 and sorted(bars)[0] / sorted(bars)[1] == pytest.approx(0.12 / 0.31, rel=1e-3)
    assert '"85mm"' in svg_file(drawn).decode() and "evidence" in svg_file(drawn).decode()


def test_charts_stand_one_below_the_other():
    one, two = page(CHART), page(CHART, random_chart("matrix", 1))
    assert two.height > 1.9 * one.height - 3 and two.width == one.width


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_all_words_can_be_read_and_lie_on_the_page(kind, seed):
    drawn = page(random_chart(kind, seed), theme="dark")
    for item in drawn.items:
        if isinstance(item, PageText) and item.text:
            left, top, right, bottom = item.bounds()
            assert item.size >= SMALLEST - 1e-9
            assert left >= -1e-6 and top >= -1e-6 and right <= drawn.width + 1.5 and bottom <= drawn.height, item.text
        elif isinstance(item, PageShape):
            points = np.array(item.points)
            assert (points >= 0).all() and (points <= (drawn.width, drawn.height)).all()


def test_the_method_with_charts_is_found():
    assert page(CHART, method="dissection").items == page(CHART).items
    with pytest.raises(UnknownName, match="no method in the recording 'nothing'"):
        page(CHART, method="nothing")
    with pytest.raises(SceneError, match="no charts of dissection; dissection makes some"):
        page()
    with pytest.raises(SceneError, match="preset chart shows one recording"):
        draw_figure([recording_with(CHART)] * 2, PageOptions("chart"))
