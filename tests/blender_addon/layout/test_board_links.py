"""Boards of several inputs and outputs: whose edges they are, and where they stand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from innerwalk.blender_addon.layout import boards, camera_presets, lay_out, lay_out_figure, measure_layout
from innerwalk.blender_addon.layout.blocks import board_links, shown_graph
from innerwalk.blender_addon.layout.edge_routes import edge_path, end_links
from innerwalk.blender_addon.layout.hall_model import BoardLinks
from innerwalk.blender_addon.layout.layout_checks import least_gap
from innerwalk.blender_addon.plans.shown_endpoints import hidden_counts, shown_layers, shown_outputs
from innerwalk.tests.support import endpoint_recordings
from innerwalk.tests.support.graphs import graph
from innerwalk.torch_bridge.recording import Edge

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


def test_an_input_that_is_an_output_is_linked_to_it():
    recording = endpoint_recordings.bert()
    own = recording.network
    recording.network = replace(own, edges=(*own.edges, Edge("input@2", "output@2"), Edge("input", "output")))
    found = board_links(recording.network, shown_graph(recording.network), shown_layers(recording))
    assert found == BoardLinks(*TRUE_LINKS["bert"], ((0, 0), (1, 1)))


@pytest.mark.parametrize("figure", [False, True])
@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
@pytest.mark.parametrize("count", [1, 3])
def test_an_edge_without_a_layer_runs_from_board_to_board(name, figure, count):
    layers, links = graph(name)
    ends = rows(count, count, len(layers))._replace(through=((count - 1, 0),))
    hall = (
        lay_out_figure(layers, links, 1920, 1080, board_links=ends)
        if figure
        else lay_out(layers, links, board_links=ends)
    )
    run = hall.board_runs[-1]
    path = edge_path(hall, run, run.targets[0])
    start, end = boards.input_boards(hall)[-1].corners()[1], boards.answer_boards(hall)[0].corners()[:2]
    assert math.dist(path[0, :2], start[:2]) < 0.15
    assert min(np.linalg.norm(end[:, :2] - path[-1, :2], axis=1)) < np.ptp(end[:, :2], 0).max()
    assert measure_layout(hall)["crossed"] == 0
    assert {number for number, _ in hall.board_lanes} == set(range(2 * count + 1))
    assert len(hall.wings) > 1 or list(np.round(list(hall.board_lanes.values()), 6)).count(round(run.lane, 6)) == 1


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
    for height in {round(board.position[2], 6) for board in placed}:
        feet = [board.corners()[:2, :2] for board in placed if round(board.position[2], 6) == height]
        assert least_gap(np.array(feet)) >= 0.2
    assert measure_layout(hall)["crossed"] == 0
    for board in placed:
        assert board.corners()[:, 2].min() > 0.3
    for run in hall.board_runs:
        for target in run.targets:
            path = edge_path(hall, run, target)
            assert (np.diff(path[:, 1]) >= -1e-9).all() or figure
            assert (np.diff(path, axis=0) ** 2).sum(1).max() > 0


@pytest.mark.parametrize("count", [4, 7, 8])
def test_many_answers_of_a_figure_stand_in_two_rows(count):
    """The first ones above, each over the middle of the gap between two below, with an upright from its edges."""
    layers, links = graph("resnet18")
    hall = lay_out_figure(layers, links, 1920, 1080, board_links=rows(1, count, len(layers)))
    placed, across = boards.answer_boards(hall), boards.upright_axes(hall.parallel_yaw)[0]
    above, below = placed[: math.ceil(count / 2)], placed[math.ceil(count / 2) :]
    assert {board.position[2] for board in above} != {board.position[2] for board in below}
    assert min(b.position[2] for b in above) >= max(b.position[2] + b.height + 0.35 * b.scale for b in below)
    assert min(board.position[2] for board in below) > hall.edge_height
    middles = [[float(board.corners()[:2].mean(0) @ across) for board in row] for row in (above, below)]
    assert np.allclose(
        [x + above[0].width / 2 for x in middles[0][: len(below)]], np.array(middles[1]) - 0.25 * hall.scale
    )
    posts = boards.answer_posts(hall)
    assert np.allclose([post[1] for post in posts], [board.corners()[:2].mean(0) for board in above])
    assert {post[0, 2] for post in posts} == {hall.edge_height}


def test_pictures_of_one_list_share_a_board_where_there_are_too_many():
    recording = endpoint_recordings.flows(12)
    shown = shown_outputs(recording)
    assert [own.name for own in shown] == ["[0…11]"] and hidden_counts(recording) == (0, 0)
    assert np.array_equal(shown[0].pixels, np.concatenate([own.pixels for own in recording.outputs]))
    found = board_links(recording.network, shown_graph(recording.network), shown_layers(recording))
    assert found == BoardLinks(((0,), (0,)), (tuple(range(12)),))
    few = endpoint_recordings.flows(8)
    assert shown_outputs(few) == few.outputs


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
    lanes = np.round(list(hall.board_lanes.values()), 6)
    assert len(set(lanes[:3])) == len(set(lanes[3:])) == 3


def test_all_boards_of_a_figure_are_in_the_picture():
    layers, links = graph("resnet18")
    hall = lay_out_figure(layers, links, 960, 540, board_links=rows(4, 5, len(layers)))
    view = camera_presets.overview(hall, 960, 540)
    for board in boards.boards(hall):
        assert camera_presets.is_inside(view, board.corners(0.35 * board.scale))
    view = camera_presets.entrance(lay_out(layers, links, board_links=rows(4, 1, len(layers))), 960, 540)
    assert view.position[1] < camera_presets.ENTRANCE
