"""Cameras: known projections, and pictures in which nothing is cut, for every model."""

import math

import numpy as np
import pytest

from innerwalk.blender_addon.layout import boards, camera_presets, lay_out, lay_out_figure
from innerwalk.blender_addon.layout.edge_routes import edge_path
from innerwalk.blender_addon.layout.figure_projection import FigureProjection, overlaps
from innerwalk.blender_addon.layout.hall_model import EYE_HEIGHT
from innerwalk.blender_addon.layout.label_placement import stage_labels
from innerwalk.blender_addon.layout.view import View
from innerwalk.tests.support.graphs import HEIGHT, WIDTH, figure, graph, names, walk

SOME = ("resnet50", "squeezenet1_0", "densenet121", "u_net", "vit_b_16", "2048 channels", "vectors", "one panel")


def corners(hall, slot):
    return np.array([(*end, z) for end in slot.corners(hall.yaw(slot)) for z in (slot.bottom, slot.top)])


def card(hall, slot):
    """Its corners: beside the panel towards the aisle, its top no higher than the panel's."""
    (width, height), (right, _) = camera_presets.CARD, boards.upright_axes(hall.yaw(slot))
    near = slot.corners(hall.yaw(slot))[0 if slot.side > 0 else 1] - slot.side * camera_presets.CARD_GAP * right[:2]
    top = slot.bottom + slot.height / 2 + min(slot.height, height) / 2
    return np.array([(*(near - slot.side * k * width * right[:2]), z) for k in (0, 1) for z in (top, top - height)])


def test_a_perspective_camera_projects_known_points():
    view = View((0, 0, 1), (0, 10, 1), 1280, 720, lens=36.0)
    seen = view.project(np.array([(0, 5, 1), (1, 2, 1), (0, 4, 2)]))
    assert seen == pytest.approx(np.array([(640, 360, 5), (640 + 640, 360, 2), (640, 360 + 320, 4)]))
    assert view.pixel(np.array((0, 5, 1))) == pytest.approx(5 / 1280)


def test_an_orthographic_camera_projects_known_points():
    view = View((0, -5, 0), (0, 0, 0), 200, 100, span=4.0)
    seen = view.project(np.array([(0, 0, 0), (1, 7, 0.5)]))
    assert seen == pytest.approx(np.array([(100, 50, 5), (150, 75, 12)]))
    assert view.pixel(np.zeros(3)) == pytest.approx(0.02)


def test_the_matrix_is_a_rotation_that_looks_along_minus_z():
    view = View((3, -4, 2), (0, 0, 1), 100, 100)
    matrix = view.matrix()
    assert matrix[:3, :3] @ matrix[:3, :3].T == pytest.approx(np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)
    assert -matrix[:3, 2] == pytest.approx(np.subtract(view.target, view.position) / math.sqrt(26))
    assert matrix[2, 0] == pytest.approx(0)  # the horizon is level


@pytest.mark.parametrize("name", names())
def test_an_overview_cuts_nothing(name):
    hall, view = figure(name)
    margin = camera_presets.EDGE * 0.99
    for slot in hall.panels:
        assert camera_presets.is_inside(view, corners(hall, slot), margin)
    for board in boards.boards(hall):
        assert camera_presets.is_inside(view, board.corners(0.5 * board.scale), margin)
    for label in stage_labels(hall, view):
        assert camera_presets.is_inside(view, label.corners(), margin / 2)
    for run in [*hall.runs, *hall.board_runs]:
        for target in run.targets:
            assert camera_presets.is_inside(view, edge_path(hall, run, target), margin / 2)


def test_an_overview_is_no_wider_than_it_must():
    for name in names():
        hall, view = figure(name)
        seen = view.project(np.concatenate([thing.reshape(-1, 3) for thing in camera_presets.things_in_figure(hall)]))
        assert max(np.ptp(seen[:, 0]) / WIDTH, np.ptp(seen[:, 1]) / HEIGHT) > 0.75, name


@pytest.mark.parametrize("name", names())
def test_corners_are_free_for_title_and_legend(name):
    hall, view = figure(name)
    shapes = [corners(hall, slot) for slot in hall.panels]
    shapes += [board.corners() for board in boards.boards(hall)] + [
        label.corners() for label in stage_labels(hall, view)
    ]
    seen = [view.project(shape)[:, :2] * (camera_presets.REFERENCE_WIDTH / view.width) for shape in shapes]
    boxes = np.array([np.append(shape.min(0), shape.max(0)) for shape in seen])
    for corner in camera_presets.free_corners(view):
        assert not overlaps(boxes, corner.box()).any()


@pytest.mark.parametrize("name", names())
def test_the_class_board_covers_nothing(name):
    hall, view = figure(name)
    sheet = FigureProjection.of(hall, view)
    shape = sheet.locate(boards.answer_boards(hall)[0].corners())[:, :2]
    assert not sheet.overlaps_panels(np.append(shape.min(0), shape.max(0))).any()


@pytest.mark.parametrize("name", names())
def test_edges_run_between_the_rows_of_a_figure(name):
    """In the picture near and far edges lie over the right row's panels and under the left row's, across the aisle."""
    hall, view = figure(name)
    near, far = camera_presets.figure_levels(hall)
    assert far > near
    azimuth, elevation = camera_presets.AZIMUTH, camera_presets.ELEVATION
    up = lambda x, z: -x * math.sin(azimuth) * math.sin(elevation) + z * math.cos(elevation)  # noqa: E731
    along = lambda x: x * math.cos(azimuth)  # noqa: E731
    slope = math.sin(elevation) * math.cos(azimuth) / math.sin(azimuth)
    level = [up(0, z) for z in (near, far)]
    for slot in hall.panels:
        x = slot.side * hall.aisle
        edge = up(x, slot.top if slot.side > 0 else slot.bottom) - along(x) * slope
        assert edge < min(level) + 1e-6 if slot.side > 0 else edge > max(level) - 1e-6


def test_levels_follow_the_camera():
    hall, _ = figure("resnet50")
    low, high = camera_presets.figure_levels(hall, elevation=math.radians(30)), camera_presets.figure_levels(hall)
    assert low != high
    assert camera_presets.figure_aisle(2.9, elevation=math.radians(30)) > camera_presets.figure_aisle(2.9)
    assert camera_presets.figure_aisle(2.9) > camera_presets.figure_aisle(1.8)


@pytest.mark.parametrize("size", [(1920, 960), (1280, 1280), (600, 1000)])
def test_an_overview_fits_any_picture(size):
    hall = lay_out_figure(*graph("googlenet"), *size)
    view = camera_presets.overview(hall, *size)
    shapes = [corners(hall, slot) for slot in hall.panels] + [board.corners() for board in boards.boards(hall)]
    assert all(camera_presets.is_inside(view, shape, 0.01) for shape in shapes)


def test_wide_pictures_have_fewer_wings():
    layers, links = graph("resnet50")
    assert len(lay_out_figure(layers, links, 2400, 600).wings) <= len(lay_out_figure(layers, links, 900, 1200).wings)


@pytest.mark.parametrize("name", SOME)
def test_the_entrance_shows_both_boards_whole(name):
    hall = walk(name)
    view = camera_presets.entrance(hall, 1280, 720)
    for board in (boards.input_boards(hall)[0], boards.title_board(hall)):
        assert camera_presets.is_inside(view, board.corners(0.4), 0.01)
    assert view.position[2] == EYE_HEIGHT


@pytest.mark.parametrize("name", SOME)
def test_the_layer_preset_shows_its_panel_whole_and_nothing_before_it(name):
    hall = walk(name)
    for slot in hall.panels:
        view = camera_presets.layer(hall, slot, 1280, 720)
        assert camera_presets.is_inside(view, corners(hall, slot), 0.01)
        assert camera_presets.is_inside(view, card(hall, slot), 0.01)
        assert abs(view.position[0] - slot.x) < 0.01, "stands in the middle of the aisle"
        assert np.dot(view.back, np.cross(*boards.upright_axes(hall.yaw(slot)))) == pytest.approx(1)


@pytest.mark.parametrize("name", SOME)
def test_the_tile_preset_shows_the_first_tiles(name):
    hall = walk(name)
    slot = hall.panels[0]
    view = camera_presets.tile(hall, slot, 1280, 720)
    right, up = boards.upright_axes(hall.yaw(slot))
    first = np.append(slot.corners(hall.yaw(slot))[0], slot.top) + right * slot.cell[0] / 2 - up * slot.cell[1] / 2
    assert camera_presets.is_inside(view, first[None])


def test_a_walker_looks_along_the_aisle():
    view = camera_presets.walk(lay_out(*graph("resnet50")), 20.0, 1280, 720)
    assert view.position == (0.0, 20.0, EYE_HEIGHT) and view.target[1] > 20 and view.target[2] > EYE_HEIGHT
