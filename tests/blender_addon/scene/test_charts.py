"""Charts and labels of concepts in a hall: drawn, changed in place, saved, hostile, and rendered."""

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.layout import boards, camera_presets, lay_out_figure  # noqa: E402
from innerwalk.blender_addon.layout.blocks import board_links  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.plans.chart_boards import plan_charts  # noqa: E402
from innerwalk.blender_addon.plans.primitives import Style  # noqa: E402
from innerwalk.blender_addon.plans.shown_endpoints import shown_layers  # noqa: E402
from innerwalk.blender_addon.properties import ANNOTATION_ATTRIBUTE, CHARTS_ROLE, PANEL_METADATA  # noqa: E402
from innerwalk.blender_addon.scene.hall import build, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.map_updates import update_after_maps  # noqa: E402
from innerwalk.blender_addon.scene.hall.relayout import refit_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of, show_maps  # noqa: E402
from innerwalk.blender_addon.scene.state.data_blocks import _data_blocks  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_child, find_part  # noqa: E402
from innerwalk.tests.support import endpoint_recordings  # noqa: E402
from innerwalk.tests.support.part_plans import hall_of  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402
from innerwalk.torch_bridge.recording import CATEGORY, Chart, Maps, Recording  # noqa: E402

CHART = Chart("bars", "evidence", ("ring", "blue"), ("object", "colour"), ((3.0, 0.0), (0.0, 1.0)), "", "", CATEGORY)
LOOK = Appearance(method="dissection")


@pytest.fixture(autouse=True)
def empty_file():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def recording(*charts: Chart) -> Recording:
    found = endpoint_recordings.lstm()
    for layer in found.network.folded()[0]:
        count = layer.map_shape[0]
        extras = {"values": np.ones(count, np.float32), CATEGORY: np.ones(count, np.int32)}
        texels = np.ones((count, 4, 4, 4), np.float32)
        labels = tuple(f"ring .{k}" for k in range(count))
        found.add(
            [Maps(layer.shows or layer.id, "dissection", texels, count, True, "input", labels, extras, charts=charts)]
        )
    return found


def data_blocks() -> set[tuple[str, int]]:
    return {(block.id_type, block.session_uid) for block in _data_blocks()}


def test_a_hall_without_charts_has_empty_boards_and_none_with_others():
    scene = build.create_hall(recording(), LOOK)
    assert not len(find_part(scene, CHARTS_ROLE).data.vertices)
    scene = build.create_hall(recording(CHART), LOOK)
    assert len(find_part(scene, CHARTS_ROLE).data.vertices) > 50
    scene = build.create_hall(recording(CHART))  # shows activations
    assert not len(find_part(scene, CHARTS_ROLE).data.vertices)


def test_charts_come_and_go_in_place():
    made, other = recording(CHART), recording(replace(CHART, title="other"))
    scene = build.create_hall(made, LOOK)
    holder, before = find_part(scene, CHARTS_ROLE), data_blocks()
    first = len(holder.data.vertices)
    layers = [layer.shows or layer.id for layer in made.network.folded()[0]]
    panels = store.panels_by_layer(scene)
    for layer in layers:
        show_maps(panels[layer], other.maps(layer, "dissection"))
    update_after_maps(scene)
    assert 0 < len(holder.data.vertices) != first
    for layer in layers:
        show_maps(panels[layer], replace(other.maps(layer, "dissection"), charts=(), labels=(), extras={}))
    update_after_maps(scene)
    assert not len(holder.data.vertices)
    frame = find_child(panels[layers[0]], "frame")
    assert ANNOTATION_ATTRIBUTE not in frame.data.attributes
    assert data_blocks() == before


def test_charts_are_stored_with_the_hall_and_stay_where_they_are_moved():
    scene = build.create_hall(recording(CHART), LOOK)
    refit_hall(scene, store.read_appearance(scene))
    found = store.read_recording(scene)
    assert {maps.charts for maps in found.all_maps.values()} == {(CHART,)}
    assert len(find_part(scene, CHARTS_ROLE).data.vertices) > 50


@pytest.mark.parametrize("charts", ["3", '[{"kind": "pie"}]', '[{"kind": "bars", "rows": [1]}]', "{}"])
def test_damaged_charts_of_a_file_are_none(charts):
    scene = build.create_hall(recording(CHART), LOOK)
    for panel in store.panels_by_layer(scene).values():
        text = panel[PANEL_METADATA]
        panel[PANEL_METADATA] = text[: text.index('"charts"')] + f'"charts": {charts}' + "}"
    update_after_maps(scene)
    assert not len(find_part(scene, CHARTS_ROLE).data.vertices)


def test_a_hall_whose_boards_were_deleted_is_updated():
    scene = build.create_hall(recording(CHART), LOOK)
    bpy.data.objects.remove(find_part(scene, CHARTS_ROLE))
    update_after_maps(scene)


def test_tiles_have_labels_where_the_method_knows_categories():
    scene = build.create_hall(recording(CHART), LOOK)
    layer = next(layer for layer in recording().network.folded()[0])
    frame = find_child(panel_of(scene, layer.id), "frame")
    with_labels = len(frame.data.vertices)
    made = recording(CHART)
    maps = made.maps(layer.shows or layer.id, "dissection")
    made.add([replace(maps, extras={"values": maps.extras["values"]})])
    bare = build.create_hall(made, LOOK)
    assert with_labels > len(find_child(panel_of(bare, layer.id), "frame").data.vertices) + 50


@pytest.mark.parametrize("theme", ["dark", "paper"])
@pytest.mark.parametrize("preset", ["entrance", "overview"])
def test_a_chart_is_rendered_with_its_bars(tmp_path, theme, preset):
    made, size = recording(CHART), (960, 540)
    options = FigureOptions(preset=preset, theme=theme, method="dissection", size=size, samples=4)
    image = read_picture(render_figure(made, tmp_path / "chart.png", options)).astype(int)
    layers, links = made.network.folded()
    ends = board_links(made.network, (layers, links), shown_layers(made))._replace(charts=1)
    hall = lay_out_figure(layers, links, *size, board_links=ends) if preset == "overview" else hall_of(made)
    hall.board_links = ends
    view = (camera_presets.overview if preset == "overview" else camera_presets.entrance)(hall, *size)
    (board,), style = boards.chart_boards(hall), Style.of(theme)
    for role, is_alike in (("bar", lambda rgb: rgb[2] > rgb[0] + 40), ("skip", lambda rgb: rgb[0] > rgb[2] + 40)):
        faces = [
            face.points for face in plan_charts([CHART], style).faces if (face.colours == style.colour(role)).all()
        ]
        bar = max(faces, key=lambda points: np.ptp(points[:, 0]))
        across, up = (bar[:, :2].mean(0) + (0.3 * np.ptp(bar[:, 0]), 0)) / boards.CHARTS  # beside its letter
        corners = board.corners()
        point = corners[0] + (corners[1] - corners[0]) * across + (corners[3] - corners[0]) * up
        column, row = view.project(point[None])[0, :2].astype(int)
        assert is_alike(image[size[1] - 1 - row, column, :3]), (role, image[size[1] - 1 - row, column])
