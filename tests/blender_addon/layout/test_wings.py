"""Wings of figures: edges lead from wing to wing, each on its own way, and panels take their share of the picture."""

import itertools

import numpy as np
import pytest

from innerwalk.blender_addon.layout import lay_out, lay_out_figure
from innerwalk.blender_addon.layout.edge_routes import POST_SHARE, edge_path
from innerwalk.blender_addon.layout.hall_model import FILL, EdgeRun, HallLayout
from innerwalk.blender_addon.layout.planner import FIGURE_YAW
from innerwalk.blender_addon.layout.wing_cuts import choose_cuts
from innerwalk.tests.support.graphs import HEIGHT, WIDTH, chain, figure, graph, names

SHARES = {"squeezenet1_0": 0.065, "resnet50": 0.08, "inception_v3": 0.07, "u_net": 0.04, "vit_b_16": 0.08}
"""Least share of an overview that its tiles cover."""


def crossing_runs(hall: HallLayout) -> list[EdgeRun]:
    return [run for run in hall.runs if run.crossing is not None]


def in_wings(name: str, count: int) -> HallLayout:
    layers, links = graph(name)
    options = {"swing": FIGURE_YAW, "parallel_yaw": FIGURE_YAW}
    return lay_out(layers, links, cuts=choose_cuts(lay_out(layers, links, **options), links, count), **options)


@pytest.mark.parametrize("name", ["u_net", "resnet18", "densenet121", "fasterrcnn_mobilenet_v3_large_320_fpn", "dense"])
def test_every_edge_to_another_wing_leads_from_its_source_to_its_target(name):
    hall = in_wings(name, 3)
    assert len(hall.wings) == 3
    links = {(run.source.index, target.index) for run in crossing_runs(hall) for target in run.targets}
    assert links == {(s, t) for s, t in graph(name)[1] if hall.slots[s].wing != hall.slots[t].wing}
    for run in crossing_runs(hall):
        for target in run.targets:
            path = edge_path(hall, run, target)
            for slot, end in ((run.source, path[0]), (target, path[-1])):
                assert end[1] == slot.y
                assert not slot.side or end[0] == pytest.approx(slot.x + slot.side * slot.aisle * POST_SHARE)


@pytest.mark.parametrize("name", ["u_net", "densenet121", "inception_v3"])
def test_edges_beside_wings_and_along_their_heads_never_run_on_one_another(name):
    hall = in_wings(name, 4)
    level: list[tuple[float, float, float]] = []
    upright: list[tuple[float, float, float]] = []
    for run in crossing_runs(hall):
        path = edge_path(hall, run, run.targets[0])[:, :2]
        for (x0, y0), (x1, y1) in itertools.pairwise(path[2:8]):
            if abs(y1 - y0) < 1e-9 < abs(x1 - x0):
                level.append((y0, min(x0, x1), max(x0, x1)))
            elif abs(x1 - x0) < 1e-9 < abs(y1 - y0):
                upright.append((x0, min(y0, y1), max(y0, y1)))
    for pieces in (level, upright):
        assert len(pieces) >= 3
        for (place, low, high), (other, start, end) in itertools.combinations(pieces, 2):
            assert abs(place - other) > 0.02 or min(high, end) - max(low, start) < 1e-6


def test_networks_with_long_skips_fill_the_picture_with_wings():
    """A U-Net whose skips cross every place where its hall can be cut."""
    layers, links = chain(60)
    links += [(k, 59 - k) for k in range(29)]
    hall = lay_out_figure(layers, links, WIDTH, HEIGHT)
    assert len(hall.wings) > 1
    assert {run.kind for run in crossing_runs(hall)} == {"data", "skip"}


def tile_share(name: str) -> float:
    hall, view = figure(name)
    area = 0.0
    for slot in hall.panels:
        (a, b), cells = slot.corners(hall.yaw(slot)), slot.columns * slot.rows
        x, y, _ = view.project(np.array([(*a, slot.bottom), (*b, slot.bottom), (*b, slot.top), (*a, slot.top)])).T
        share = max(graph(name)[0][slot.index].map_shape[0], 1) / cells * FILL**2
        area += abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2 * share
    return area / (view.width * view.height)


@pytest.mark.parametrize("name", SHARES)
def test_tiles_cover_their_share_of_an_overview(name):
    assert tile_share(name) >= SHARES[name]


def test_a_figure_has_no_edge_that_ends_in_nothing():
    """Every path begins and ends at a post, at a joint or at a board."""
    for name in names():
        hall, _ = figure(name)
        posts = {(round(slot.y, 6), slot.wing) for slot in hall.slots}
        for run in hall.runs:
            assert (round(run.source.y, 6), run.source.wing) in posts
            assert len({target.wing for target in run.targets}) == 1, name
            assert (run.crossing is None) == (run.targets[0].wing == run.source.wing), name
