"""Places of charts: beside the title board in a walk and beside the answers in a figure, and they cover nothing."""

import numpy as np
import pytest

from innerwalk.blender_addon.layout import boards, camera_presets, lay_out, lay_out_figure, measure_layout
from innerwalk.blender_addon.layout.edge_routes import end_links
from innerwalk.blender_addon.layout.figure_projection import FigureProjection, overlaps
from innerwalk.blender_addon.layout.hall_model import BoardLinks
from innerwalk.blender_addon.layout.layout_checks import least_gap, segments_cross
from innerwalk.tests.support.graphs import graph

SOME = ("resnet50", "squeezenet1_0", "densenet121", "vit_b_16", "2048 channels", "vectors", "one panel")


def hall_with(name: str, charts: int, figure: bool = False, answers: int = 1):
    layers, links = graph(name)
    ends = end_links(len(layers), list(links))
    ends = BoardLinks(ends.inputs, ends.answers * answers, charts=charts)
    if figure:
        return lay_out_figure(layers, links, 960, 540, board_links=ends)
    return lay_out(layers, links, board_links=ends)


@pytest.mark.parametrize("charts", [1, 3])
@pytest.mark.parametrize("name", SOME)
def test_charts_of_a_walk_stand_beside_the_title_apart_from_all_else(name, charts):
    hall = hall_with(name, charts)
    placed = boards.boards(hall)
    assert len(placed) == 3 + charts
    feet = [board.corners()[:2, :2] for board in placed] + [slot.corners(hall.yaw(slot)) for slot in hall.panels]
    assert least_gap(np.array(feet)) >= 0.2
    for chart in boards.chart_boards(hall):
        assert chart.corners()[:, 0].min() > hall.wings[0].x + hall.aisle and chart.corners()[:, 2].min() > 0.3
        assert chart.width / chart.height == pytest.approx(boards.CHARTS[0] / boards.CHARTS[1])
    assert measure_layout(hall)["crossed"] == 0


@pytest.mark.parametrize("name", SOME)
def test_the_entrance_shows_the_chart_whole_and_nothing_hides_it(name):
    hall = hall_with(name, 1)
    view = camera_presets.entrance(hall, 960, 540)
    (chart,), others = boards.chart_boards(hall), boards.boards(hall)[:-1]
    for board in (boards.input_boards(hall)[0], boards.title_board(hall), chart):
        assert camera_presets.is_inside(view, board.corners(0.4), 0.01)
    eye = np.array(view.position[:2])
    sight = np.array([[eye, end] for end in np.linspace(*chart.corners()[:2, :2], 9)])
    walls = np.array([board.corners()[:2, :2] for board in others] + [s.corners(hall.yaw(s)) for s in hall.panels])
    assert not segments_cross(sight[:, None], walls[None]).any()


@pytest.mark.parametrize("name", SOME)
def test_halls_without_charts_have_the_entrance_they_had(name):
    view = camera_presets.entrance(hall_with(name, 0), 960, 540)
    assert view.target[0] == view.position[0]


@pytest.mark.parametrize("answers", [1, 3, 5])
@pytest.mark.parametrize("charts", [1, 3])
@pytest.mark.parametrize("name", SOME)
def test_charts_of_a_figure_stand_beside_the_answers_and_cover_nothing(name, charts, answers):
    hall = hall_with(name, charts, True, answers)
    view, found = camera_presets.overview(hall, 960, 540), boards.chart_boards(hall)
    assert len(found) == charts
    sheet = FigureProjection.of(hall, view)
    boxes = []
    for shape in [*(board.corners() for board in boards.boards(hall))]:
        assert camera_presets.is_inside(view, shape, 0.01)
        flat = sheet.locate(shape)[:, :2]
        boxes.append(np.concatenate([flat.min(0), flat.max(0)]))
    for slot in hall.panels:
        feet = slot.corners(hall.yaw(slot))
        flat = sheet.locate(np.array([(*foot, z) for foot in feet for z in (slot.bottom, slot.top)]))[:, :2]
        boxes.append(np.concatenate([flat.min(0), flat.max(0)]))
    count = len(boards.boards(hall))
    for place in range(count - charts, count):
        rest = np.array([box for k, box in enumerate(boxes) if k != place])
        assert not overlaps(rest, boxes[place]).any()
