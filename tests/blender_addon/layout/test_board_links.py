"""Boards of several inputs and outputs: whose edges they are, and where they stand."""

import math

import numpy as np
import pytest

from innerwalk.blender_addon.layout import boards, camera_presets, lay_out, lay_out_figure, measure_layout
from innerwalk.blender_addon.layout.blocks import board_links, shown_graph
from innerwalk.blender_addon.layout.edge_routes import edge_path, end_links
from innerwalk.blender_addon.layout.hall_model import BoardLinks
from innerwalk.blender_addon.layout.layout_checks import least_gap
from innerwalk.blender_addon.plans.shown_endpoints import shown_layers
from innerwalk.tests.support import endpoint_recordings
from innerwalk.tests.support.graphs import graph

TRUE_LINKS = {
    "clip": (((3,), (0,)), ((2, 5), (5,), (2,))),
    "bert": (((0,), (1, 2), (0,)), ((3,), (2,))),
    "detector": (((0,),), ((3,), (4,))),
    "lstm": (((0,), (0,)), ((1,), (0,))),
    "volumes": (((0,), (0,), (0,), (1,)), ((1,),)),
}
"""Read off the edges that `endpoint_recordings` states; positions count panels only."""


@pytest.mark.parametrize("name", TRUE_LINKS)
def test_boards_have_the_edges_of_their_own_layers(name):
    recording = endpoint_recordings.ALL[name]()
    found = board_links(recording.network, shown_graph(recording.network), shown_layers(recording))
    assert found == BoardLinks(*TRUE_LINKS[name])


def test_a_collapsed_block_takes_over_the_edges_of_its_layers():
    recording = endpoint_recordings.bert()
    shown = shown_graph(recording.network, ("block",))
    assert [layer.id for layer in shown[0]] == ["embed", "block.1", "head"]
    found = board_links(recording.network, shown, shown_layers(recording))
    assert found == BoardLinks(((0,), (1,), (0,)), ((2,), (1,)))


def test_a_recording_without_endpoints_has_one_input_and_one_answer():
    recording = endpoint_recordings.bert()
    recording.inputs = recording.outputs = ()
    layers, links = shown_graph(recording.network)
    found = board_links(recording.network, (layers, links), shown_layers(recording))
    assert found == end_links(len(layers), links) == BoardLinks(((0,),), ((3,),))


def rows(inputs: int, answers: int, count: int) -> BoardLinks:
    """Every input feeds layers all along the hall, and every answer is made of some from all along it."""
    return BoardLinks(
        tuple((k, count // 2 + k) for k in range(inputs)), tuple((count // 3 + k, count - 1) for k in range(answers))
    )


@pytest.mark.parametrize("figure", [False, True])
@pytest.mark.parametrize(("inputs", "answers"), [(1, 1), (2, 3), (8, 8)])
@pytest.mark.parametrize("name", ["resnet18", "googlenet", "densenet121"])
def test_boards_of_any_number_stand_apart_and_their_edges_cross_nothing(name, inputs, answers, figure):
    layers, links = graph(name)
    ends = rows(inputs, answers, len(layers))
    if figure:
        hall = lay_out_figure(layers, links, 1920, 1080, board_links=ends)
    else:
        hall = lay_out(layers, links, board_links=ends)
    placed = boards.boards(hall)
    assert len(placed) == inputs + answers + (not figure)
    feet = np.array([board.corners()[:2, :2] for board in placed])
    assert least_gap(feet) >= 0.2
    assert measure_layout(hall)["crossed"] == 0
    for board in placed:
        assert board.corners()[:, 2].min() > 0.3
    for run in hall.board_runs:
        for target in run.targets:
            path = edge_path(hall, run, target)
            assert (np.diff(path[:, 1]) >= -1e-9).all() or figure
            assert (np.diff(path, axis=0) ** 2).sum(1).max() > 0


def test_boards_of_each_row_share_a_size_and_the_height_of_the_eye():
    layers, links = graph("resnet18")
    hall = lay_out(layers, links, board_links=rows(4, 4, len(layers)))
    for row in (boards.input_boards(hall), boards.answer_boards(hall)):
        assert len({(round(board.width, 9), round(board.position[2], 9)) for board in row}) == 1
        assert sum(board.width + boards.BESIDE for board in row) <= 10.1
    first = boards.input_boards(lay_out(layers, links))[0]
    middles = [board.position[2] + board.height / 2 for board in (first, *boards.input_boards(hall))]
    assert np.ptp(middles) == pytest.approx(0.0, abs=1e-9)


def test_every_edge_of_a_board_ends_at_it_and_at_its_layer():
    layers, links = graph("resnet18")
    hall = lay_out(layers, links, board_links=rows(3, 3, len(layers)))
    starts = [board.corners()[1] for board in boards.input_boards(hall)]
    ends = [board.corners()[:2].mean(0) for board in boards.answer_boards(hall)]
    for run in hall.board_runs:
        for target in run.targets:
            path = edge_path(hall, run, target)
            near_input = min(math.dist(path[0, :2], start[:2]) for start in starts)
            near_answer = min(math.dist(path[-1, :2], end[:2]) for end in ends)
            assert min(near_input, near_answer) < 0.15
    lanes = np.round(hall.board_lanes, 6)
    assert len(set(lanes[:3])) == len(set(lanes[3:])) == 3


def test_all_boards_of_a_figure_are_in_the_picture():
    layers, links = graph("resnet18")
    hall = lay_out_figure(layers, links, 960, 540, board_links=rows(4, 5, len(layers)))
    view = camera_presets.overview(hall, 960, 540)
    for board in boards.boards(hall):
        assert camera_presets.is_inside(view, board.corners(0.35 * board.scale))
    view = camera_presets.entrance(lay_out(layers, links, board_links=rows(4, 1, len(layers))), 960, 540)
    assert view.position[1] < camera_presets.ENTRANCE
