"""Metadata drawn in a hall: flags, boxes, notes, links, heat over the input, and one picture for a whole layer."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.imaging import colour_maps, heat_map, tile_grids  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.output.preset_scene import preset_scene  # noqa: E402
from innerwalk.blender_addon.plans import annotations, channel_links  # noqa: E402
from innerwalk.blender_addon.properties import ANNOTATION_ATTRIBUTE, PAINT_ATTRIBUTE, PANEL_GRID, PANEL_METADATA  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.dressing import input_overlay  # noqa: E402
from innerwalk.blender_addon.scene.hall import map_updates, ray_hits, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.blender_addon.scene.paint import pictures  # noqa: E402
from innerwalk.blender_addon.scene.panels import link_drawing, panel_metadata  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_child, find_part  # noqa: E402
from innerwalk.blender_addon.scene.view.render import set_render_settings  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402

DARK = colour_maps.THEMES["dark"]


@pytest.fixture(autouse=True)
def clean():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def maps(layer="a", shape=(5, 6, 4), **extras) -> rec.Maps:
    """Maps of a method. extras: its arrays, frame and labels."""
    data = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    fields = {name: extras.pop(name) for name in ("frame", "labels", "note") if name in extras}
    return rec.Maps(
        layer, "health", rec.pack(data), shape[0], extras={k.replace("__", ":"): v for k, v in extras.items()}, **fields
    )


def hall(recorded: Path, *shown: rec.Maps, theme: str = "dark"):
    """A hall of the small recording that shows a method's maps; other layers have plain ones."""
    found = rec.load(recorded)
    plain = [replace(each, method="health", extras={}) for each in found.all_maps.values()]
    found.add([*plain, *shown])
    return create_hall(found, Appearance(method="health", theme=theme))


def show(scene, *shown: rec.Maps) -> None:
    """Shows maps as the live link's timer does."""
    for each in shown:
        panels.show_maps(panels.panel_of(scene, each.layer), each)
    map_updates.update_after_maps(scene)


def laid(holder) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) and linear colours (n, 3) of the annotations on an object."""
    mesh = holder.data
    points, tints = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(4 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    mesh.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", tints)
    on_top = np.zeros(len(mesh.vertices), bool)
    if ANNOTATION_ATTRIBUTE in mesh.attributes:
        mesh.attributes[ANNOTATION_ATTRIBUTE].data.foreach_get("value", on_top)
    return points.reshape(-1, 3)[on_top], tints.reshape(-1, 4)[on_top, :3]


def of_colour(holder, role: str) -> np.ndarray:
    """(n, 3) laid points in a colour of the theme."""
    points, tints = laid(holder)
    return points[np.abs(tints - colour_maps.linear(DARK[role])).max(1) < 1e-5]


def frame_of(scene, layer="a"):
    return find_child(panels.panel_of(scene, layer), "frame")


def geometry(holder) -> tuple[np.ndarray, ...]:
    mesh = holder.data
    points, corners = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(len(mesh.loops), np.int32)
    mesh.vertices.foreach_get("co", points)
    mesh.loops.foreach_get("vertex_index", corners)
    return points, corners


def facing(scene, at: Matrix, middle: tuple[float, float], wide: float) -> None:
    """A camera that looks straight at a point of a plane, `wide` metres from edge to edge; one sample a pixel."""
    set_render_settings(scene, 1, 1, samples=1)
    camera = scene.camera
    camera.data.type, camera.data.ortho_scale, camera.data.sensor_fit = "ORTHO", wide, "AUTO"
    camera.matrix_world = at @ Matrix.Translation((*middle, 0.5))


def near(picture, role: str, tolerance: float = 3.0) -> np.ndarray:
    """(H, W) where a picture has a colour of the theme."""
    return np.abs(picture - 255 * colour_maps.srgb(DARK[role])).max(-1) < tolerance


# flags


def test_a_flag_is_a_chip_in_its_tiles_corner_and_a_line_of_the_legend(recorded):
    flags = np.array([0, 1, 0, 1 | 4, 0], np.int32)
    scene = hall(recorded, maps(flags=flags))
    panel, grid = panels.panel_of(scene, "a"), panels.grid_of(panels.panel_of(scene, "a"))
    place = panels.channel_places(panel)
    chips = of_colour(frame_of(scene), "quiet")  # dead; the legend's words have this colour too
    for channel in (1, 3):
        corner = grid.inside(place[channel], 0.0, 0.0)
        near_corner = np.abs(chips[:, :2] - corner).max(1) < 1.5 * annotations.CHIP_MOST
        assert np.count_nonzero(near_corner) == 4
        assert chips[near_corner, 0].min() == pytest.approx(corner[0], abs=1e-5)
        assert chips[near_corner, 1].max() == pytest.approx(corner[1], abs=1e-5)
    saturated = of_colour(frame_of(scene), "skip")
    on_tiles = saturated[saturated[:, 1] > 0]
    assert len(on_tiles) == 4 and len(saturated) == 8  # one chip on a tile, one in the legend
    legend = laid(frame_of(scene))[0]
    assert legend[:, 1].min() == pytest.approx(-annotations.LEGEND_DROP, abs=0.02)
    assert legend[legend[:, 1] < 0, 0].max() <= panels.size_of(panel)[0] + 1e-4


def test_the_chips_and_their_letters_are_seen(recorded, rendered):
    scene = hall(recorded, maps(flags=np.array([0, 0, 2, 0, 0], np.int32)))
    panel = panels.panel_of(scene, "a")
    grid = panels.grid_of(panel)
    x, y = grid.inside(panels.channel_places(panel)[2], 0.0, 0.0)
    edge = float(np.clip(annotations.CHIP * min(grid.cell), annotations.CHIP_LEAST, annotations.CHIP_MOST))
    facing(scene, panels.world_matrix(panel), (x + edge / 2, y - edge / 2), edge)
    picture = rendered(scene, 40, 40)
    assert 0.5 < near(picture, "joined").mean() < 0.95  # a green chip
    assert near(picture, "board").mean() > 0.05  # with a dark letter
    middle = near(picture[10:30], "board").mean(1)
    assert np.flatnonzero(middle > 0.3).size >= 2  # the two bars of "="


def test_annotations_vanish_with_their_method(recorded):
    plain = hall(recorded)
    before = geometry(frame_of(plain))
    show(plain, maps(flags=np.array([1, 2, 4, 8, 16], np.int32), boxes=np.array([[0, 0, 0, 1, 0.5, 1.0]], np.float32)))
    assert len(laid(frame_of(plain))[0]) > 100
    assert panel_metadata.read_flags(panels.panel_of(plain, "a")).tolist() == [1, 2, 4, 8, 16]
    show(plain, maps())
    assert all(np.array_equal(old, new) for old, new in zip(before, geometry(frame_of(plain)), strict=True))
    assert "flags" not in panels.panel_of(plain, "a").data.attributes


def test_updates_create_and_remove_no_data_block(recorded):
    scene = hall(recorded)
    counts = {kind: len(getattr(bpy.data, kind)) for kind in ("meshes", "objects", "materials", "images", "texts")}
    boxes, links = np.array([[0, 0, 0, 1, 1, 1.0]], np.float32), np.array([[0, 1, 0.5]], np.float32)
    show(scene, maps(flags=np.arange(5, dtype=np.int32), boxes=boxes, weights__b=links))
    show(scene, maps())
    assert counts == {kind: len(getattr(bpy.data, kind)) for kind in counts}


# notes

NOTE = "zero everywhere: the score of parrot depends on none of these values; 1 special token, left out, may carry it"


def test_a_note_is_read_below_its_panel(recorded, rendered):
    scene = hall(recorded, maps(note=NOTE))
    words = of_colour(frame_of(scene), "skip")
    width = panels.size_of(panels.panel_of(scene, "a"))[0]
    assert words[:, 1].max() < -0.1 and words[:, 1].min() > -0.45  # between the tiles and the floor
    assert words[:, 0].min() >= -0.01 and words[:, 0].max() <= max(width, annotations.NOTE_ROOM) + 0.01
    assert not len(of_colour(frame_of(scene, "b"), "skip"))
    middle = words[:, :2].min(0) / 2 + words[:, :2].max(0) / 2
    facing(scene, panels.world_matrix(panels.panel_of(scene, "a")), tuple(middle), float(np.ptp(words[:, 0])))
    assert 0.002 < near(rendered(scene, 300, 300), "skip", 40).mean() < 0.3


def test_a_note_comes_and_goes_with_its_maps(recorded):
    scene = hall(recorded)
    before = geometry(frame_of(scene))
    show(scene, maps(note="plain gradient: no ReLU on the way"))
    assert len(of_colour(frame_of(scene), "skip")) > 50
    for facts in (actions.inspect_layer(scene, "a").facts, actions.inspect_channel(scene, "a", 1).facts):
        assert dict(facts)["Maps"] == "plain gradient: no ReLU on the way"
    show(scene, maps(flags=np.ones(5, np.int32), note=NOTE))
    words = of_colour(frame_of(scene), "skip")
    assert words[:, 1].max() < -annotations.LEGEND_DROP - 0.05  # below the legend of flags
    show(scene, maps())
    assert all(np.array_equal(old, new) for old, new in zip(before, geometry(frame_of(scene)), strict=True))
    assert "Maps" not in dict(actions.inspect_layer(scene, "a").facts)


def test_a_figure_names_its_method_and_class(recorded):
    """The head's text of the caption's colour grows by the class, which is the label of an only map, and by a note."""
    counts = []
    for method, said in (
        (rec.ACTIVATIONS, {}), ("health", {}), ("health", {"labels": ("ring",)}),
        ("health", {"labels": ("ring",), "note": "partly"}), ("health", {"labels": ("ring", "star")}),
    ):  # fmt: skip
        found = rec.load(recorded)
        found.add(
            maps(layer, (max(1, len(said.get("labels", ""))), 6, 4), **said) for layer in ("a", "b", ":add", "fc")
        )
        scene, _, _ = preset_scene(found, FigureOptions(method=method), None)
        mesh = find_part(scene, "head").data
        tints = np.zeros(4 * len(mesh.vertices), np.float32)
        mesh.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", tints)
        counts.append((np.abs(tints.reshape(-1, 4)[:, :3] - colour_maps.linear(DARK["skip"])).max(1) < 1e-5).sum())
    assert counts[0] < counts[1] < counts[2] < counts[3] and counts[4] == counts[1]


# boxes


def test_a_box_lies_where_it_says(recorded):
    scene = hall(recorded, maps(boxes=np.array([[2, 0.25, 0.5, 0.75, 1.0, 0.9]], np.float32)))
    panel = panels.panel_of(scene, "a")
    grid, place = panels.grid_of(panel), panels.channel_places(panel)[2]
    points = of_colour(frame_of(scene), "skip")
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    line = annotations.LINE * min(grid.cell)
    assert np.allclose(low, grid.inside(place, 0.25, 1.0), atol=line)
    assert np.allclose(high, grid.inside(place, 0.75, 0.5), atol=line)
    assert points[:, 2].min() > 0  # before the tiles


def test_boxes_of_the_selected_channel_lie_on_the_input(recorded, rendered):
    boxes = np.array([[2, 0.25, 0.5, 0.75, 1.0, 0.9], [1, 0, 0, 1, 0.25, 0.8]], np.float32)
    scene = hall(recorded, maps(boxes=boxes, frame="input"))
    frame, picture = find_part(scene, "input frame"), find_part(scene, "input")
    assert not len(laid(frame)[0])
    actions.select(scene, "a", 2)
    width, height = pictures.picture_size(picture)
    points = of_colour(frame, "skip")
    box = points[points[:, 2] < annotations.INPUT_LIFT + 0.003]
    assert np.allclose(box[:, :2].min(0), (0.25 * width, 0.0), atol=0.03)
    assert np.allclose(box[:, :2].max(0), (0.75 * width, 0.5 * height), atol=0.03)
    facing(scene, picture.matrix_world, (width / 2, height / 2), max(width, height))
    seen = near(rendered(scene, 80, 80), "skip", 6)
    rows, columns = np.nonzero(seen)
    assert len(rows) > 60
    actions.select(scene, "a", 1)
    assert of_colour(frame, "skip")[:, 1].max() > 0.9 * height
    actions.select(scene, "b", 0)
    assert not len(laid(frame)[0])


def test_boxes_of_the_layers_own_frame_are_not_on_the_input(recorded):
    scene = hall(recorded, maps(boxes=np.array([[2, 0, 0, 1, 0.5, 0.9]], np.float32)))
    actions.select(scene, "a", 2)
    assert not len(laid(find_part(scene, "input frame"))[0])


def test_a_box_around_the_whole_frame_is_not_drawn(recorded):
    scene = hall(recorded, maps(boxes=np.array([[2, 0, 0, 1, 1, 0.9], [2, 0, 0.005, 1, 0.995, 0.8]], np.float32)))
    assert not len(laid(frame_of(scene))[0])


# links between channels


def end_of(panel, channel) -> np.ndarray:
    x, y = panels.grid_of(panel).centre(panels.channel_places(panel)[channel])
    return np.array(panels.world_matrix(panel) @ Vector((x, y, channel_links.OFF)))


def test_links_run_from_tile_to_tile(recorded):
    links = np.array([[0, 3, 0.5], [4, 1, -1.0]], np.float32)
    scene = hall(recorded, maps(weights__b=links))
    a, b = panels.panel_of(scene, "a"), panels.panel_of(scene, "b")
    found = list(link_drawing.strongest_links(scene))
    assert [(link.channel, link.target_channel, round(link.strength, 3)) for link in found] == [
        (4, 1, -1.0),
        (0, 3, 0.5),
    ]
    mesh = find_part(scene, "beams").data
    points, tints = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(4 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    mesh.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", tints)
    points, tints = points.reshape(-1, 3), tints.reshape(-1, 4)[:, :3]
    for panel, channel in ((a, 4), (b, 1), (a, 0), (b, 3)):
        away = np.linalg.norm(points - end_of(panel, channel), axis=1)
        assert away.min() < 1.01 * channel_links.THICK  # a ring around the end
    strong = np.abs(tints - colour_maps.linear(DARK["minus"])).max(1) < 1e-5
    from_end = np.linalg.norm(points - end_of(a, 4), axis=1)
    assert from_end[strong].min() == pytest.approx(channel_links.THICK, rel=0.02)


def test_a_link_is_seen_between_two_panels(recorded, rendered):
    scene = hall(recorded, maps(weights__b=np.array([[0, 3, 1.0]], np.float32)))
    (link,) = link_drawing.strongest_links(scene)
    mesh = find_part(scene, "beams").data
    points = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    quads = points.reshape(-1, 4, 3)[: channel_links.STEPS * channel_links.SIDES]
    middle = quads.reshape(channel_links.STEPS, -1, 3)[channel_links.STEPS // 2].mean(0)
    set_render_settings(scene, 1, 1, samples=1)
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 0.2
    scene.camera.matrix_world = Matrix.Translation(Vector(middle) + Vector((0, 0, 0.3)))  # from above
    assert link.strength == 1
    share = near(rendered(scene, 40, 40), "plus", 12).mean()
    assert 0.1 < share < 0.5


def test_links_follow_what_is_shown(recorded):
    scene = hall(recorded)
    holder = find_part(scene, "beams")
    assert not len(holder.data.vertices)
    links = np.array([[0, 3, 0.5]], np.float32)
    show(scene, maps(weights__b=links))
    count, first = len(holder.data.vertices), geometry(holder)[0]
    assert count
    actions.move(scene, "b", (0, 0, 1))
    assert not np.array_equal(first, geometry(holder)[0])
    actions.hide(scene, "b")
    assert not len(holder.data.vertices)
    actions.hide(scene, "b", hidden=False)
    assert len(holder.data.vertices) == count
    show(scene, maps())
    assert not len(holder.data.vertices)


def test_few_links_are_drawn_and_the_strongest(recorded):
    rng = np.random.default_rng(0)
    links = np.stack([rng.integers(0, 5, 200), rng.integers(0, 5, 200), rng.normal(size=200)], 1).astype(np.float32)
    scene = hall(recorded, maps(weights__b=links, weights__fc=np.array([[0, 2, 1]], np.float32)))
    found = list(link_drawing.strongest_links(scene))
    strongest = np.sort(np.abs(links[:, 2]))[::-1][: link_drawing.PAIR] / np.abs(links[:, 2]).max()
    assert np.allclose([abs(link.strength) for link in found[: link_drawing.PAIR]], strongest, atol=1e-4)
    assert len(found) == link_drawing.PAIR + 1


def test_layers_share_alike_in_links(recorded, monkeypatch):
    links = np.array([[k, k, 1 - k / 10] for k in range(5)], np.float32)
    monkeypatch.setattr(link_drawing, "MOST", 6)
    scene = hall(recorded, maps(weights__b=links), maps("b", weights__a=links))
    assert [(link.source.name, link.channel) for link in link_drawing.strongest_links(scene)] == [
        (id, k) for id in "ab" for k in range(3)
    ]
    monkeypatch.setattr(link_drawing, "MOST", 1)
    assert len(list(link_drawing.strongest_links(scene))) == 2 * link_drawing.LEAST


def test_links_to_missing_panels_are_left_out(recorded):
    links = np.array([[0, 3, np.nan], [0, 99, 1.0]], np.float32)
    scene = hall(recorded, maps(weights__nowhere=links, weights__b=links))
    (link,) = link_drawing.strongest_links(scene)
    assert link.target_channel == 99  # a channel that isn't shown: the link ends before the panel's middle
    width, height = panels.size_of(link.target)
    ends = np.array(panels.world_matrix(link.target) @ Vector((width / 2, height / 2, channel_links.OFF)))
    points = geometry(find_part(scene, "beams"))[0].reshape(-1, 3)
    assert np.linalg.norm(points - ends, axis=1).min() < 1.01 * channel_links.THICK


def test_a_tube_is_as_thick_as_it_says_and_runs_straight_up_too():
    for path in (np.array([[0.0, 0, 0], [0, 1, 0], [0, 2, 0]]), np.array([[0.0, 0, 0], [0, 0, 1], [0, 0, 2]])):
        quads = channel_links.tube(path, 0.1)
        along = np.argmax(path[-1])
        across = np.delete(quads, along, axis=2)
        assert np.allclose(np.linalg.norm(across, axis=2), 0.1)
        assert (quads[..., along].min(), quads[..., along].max()) == (0, 2)


# heat over the input


def test_heat_is_as_opaque_as_the_value():
    picture = np.full((256, 256, 3), (200, 100, 50), np.uint8)
    values = np.zeros((4, 4), np.float32)
    values[0], values[3], values[1] = 0.5, -0.5, np.nan
    blended = heat_map.overlay_heat(picture, values, 1.0).astype(float)
    assert blended.shape == (256, 256, 3)
    grey = (picture[0, 0] / 255) @ [0.2126, 0.7152, 0.0722]
    under = (picture[0, 0] / 255 * (1 - heat_map.GREY) + heat_map.GREY * grey) * (1 - heat_map.DIM)
    for row, role in ((0, "plus"), (255, "minus")):
        wanted = 255 * (under + colour_maps.srgb(DARK[role])) / 2
        assert np.abs(blended[row, 128] - wanted).max() < 1
    assert np.abs(blended[96, 128] - 255 * under).max() < 1  # NaN counts as 0


def test_a_small_picture_keeps_its_pixels_under_smooth_heat():
    picture = np.random.default_rng(0).integers(0, 255, (8, 16, 3)).astype(np.uint8)
    bare = heat_map.overlay_heat(picture, np.zeros((2, 2)), 1.0)
    assert bare.shape == (128, 256, 3)
    assert np.array_equal(bare, bare[::16, ::16].repeat(16, 0).repeat(16, 1))
    ramp = heat_map.overlay_heat(np.zeros((8, 8, 3), np.uint8), np.array([[0.0, 1.0]]), 1.0)[0, :, 0].astype(int)
    assert (np.diff(ramp) >= 0).all() and len(set(ramp.tolist())) > 50
    assert heat_map.overlay_heat(np.zeros((3000, 1000, 3), np.uint8), np.zeros((1, 1)), 1.0).shape == (500, 167, 3)


def test_a_map_lies_over_the_input_and_follows_it(recorded, rendered):
    scene = hall(recorded, maps(frame="input"))
    picture = find_part(scene, "input")
    assert actions.overlay(scene, "a", 1) == "a, channel 1, lies over the input"
    holder = find_child(picture, "overlay")
    panel = panels.panel_of(scene, "a")
    peak = float(store.read_maps(panel, "a", "health").peak[1])
    wanted = heat_map.overlay_heat(
        store.read_recording(scene).picture, store.read_maps(panel, "a", "health").data[1], peak
    )
    assert np.array_equal(pictures.read_pixels(pictures.picture_image(holder)), wanted)
    width, height = pictures.picture_size(picture)
    assert pictures.picture_size(holder) == pytest.approx((width, height))
    bpy.context.view_layer.update()
    facing(scene, picture.matrix_world, (width / 2, height / 2), max(width, height))
    rows, columns = wanted.shape[:2]
    seen = rendered(scene, columns, rows)
    assert np.abs(seen[8:-8, 8:-8] - wanted[8:-8, 8:-8]).max() < 3
    show(scene, replace(maps(frame="input"), texels=rec.pack(np.zeros((5, 6, 4)))))
    after = pictures.read_pixels(pictures.picture_image(holder)).astype(int)
    assert after.shape == wanted.shape and not np.array_equal(after, wanted)
    show(scene, maps())  # of the layer's own frame
    assert holder.hide_render and holder.hide_viewport and not input_overlay.is_overlay_shown(scene)
    assert actions.overlay(scene) == "removed the overlay"
    assert find_child(picture, "overlay") is None and input_overlay.overlay_channel(scene) == ("", -1)
    assert not [image for image in bpy.data.images if image.get("innerwalk_picture") == "overlay"]


def test_maps_that_do_not_cover_the_input_raise_an_error(recorded):
    scene = hall(recorded, maps(frame="input"))
    with pytest.raises(SceneError, match="the maps of b don't cover the input; run"):
        actions.overlay(scene, "b", 0)
    with pytest.raises(UnknownName, match="no panel of layer 'c'"):
        actions.overlay(scene, "c", 0)
    with pytest.raises(UnknownName, match="no channel of a '9'"):
        actions.overlay(scene, "a", 9)
    bpy.data.objects.remove(find_part(scene, "input"))
    with pytest.raises(SceneError, match="lost its input picture"):
        actions.overlay(scene, "a", 0)
    map_updates.update_after_maps(scene)


# pictures of a whole layer


def picture_of_layer(side=(8, 8), layer="a") -> rec.Maps:
    texels = np.ones((1, *side, 4), np.float32)
    texels[0, ..., 0] = np.linspace(0, 1, side[1])
    return rec.Maps(layer, "inversion", texels, 1, True, "input")


def test_one_picture_is_as_large_as_the_panel_and_stands_in_its_middle(recorded):
    scene = hall(recorded)
    panel = panels.panel_of(scene, "a")
    planned, size = panels.grid_of(panel), panels.size_of(panel)
    before = tuple(panel[PANEL_GRID])
    show(scene, picture_of_layer())
    grid = panels.grid_of(panel)
    assert (grid.columns, grid.rows, panels.channel_count(panel)) == (1, 1, 1)
    assert grid.cell[0] == pytest.approx(min(size)) and grid.cell[0] == pytest.approx(grid.cell[1])
    assert panels.size_of(panel) == size
    scene.view_layers[0].update()
    evaluated = panel.evaluated_get(scene.view_layers[0].depsgraph).data
    corners = np.array([vertex.co[:2] for vertex in evaluated.vertices])
    assert len(evaluated.polygons) == 1
    assert np.allclose(corners.mean(0), np.array(size) / 2, atol=1e-5)
    assert np.allclose(np.ptp(corners, axis=0), tile_grids.FILL * min(size), atol=1e-5)
    stored = store.read_maps(panel, "a", "inversion")
    assert stored.shape == (1, 8, 8) and np.array_equal(stored.texels, picture_of_layer().texels)
    assert grid.pick(size[0] / 2, size[1] / 2) == 0
    show(scene, maps())
    assert tuple(panel[PANEL_GRID]) == before and panels.grid_of(panel) == planned
    assert panels.channel_count(panel) == 5


def test_several_pictures_are_as_large_as_they_can_be():
    grid = tile_grids.largest_grid(3, 1.0, 3.0, 1.2)
    assert (grid.columns, grid.rows) == (3, 1) and grid.cell == pytest.approx((1.0, 1.0))
    assert grid.corner == pytest.approx((0.0, 0.1))
    assert grid.pick(0.5, 0.6) == 0 and grid.pick(2.5, 0.6) == 2 and grid.pick(0.5, 0.05) == -1
    assert np.allclose(grid.centre(1), (1.5, 0.6))


def test_a_hall_is_built_with_pictures_of_whole_layers(recorded):
    scene = hall(recorded, replace(picture_of_layer((6, 3)), method="health"))
    panel = panels.panel_of(scene, "a")
    assert len(panel.data.vertices) == 5 and panels.channel_count(panel) == 1
    again = store.read_recording(scene)
    assert again.all_maps["a", "health"].shape == (1, 6, 3)
    show(scene, maps())
    assert panels.channel_count(panel) == 5


def test_other_channels_than_the_layers_are_refused_where_they_make_no_sense(recorded):
    scene = hall(recorded)
    panel = panels.panel_of(scene, "a")
    with pytest.raises(SceneError, match="have 6 channels, its panel a has 5"):
        panels.show_maps(panel, maps(shape=(6, 4, 4)))
    with pytest.raises(SceneError, match="have 4 channels"):
        panels.show_maps(panel, replace(maps(shape=(4, 4, 4)), method="activations"))


def test_the_inspector_shows_the_one_picture_for_every_channel(recorded):
    scene = hall(recorded, replace(picture_of_layer(), method="health"))
    inspected = actions.inspect_channel(scene, "a", 3)
    assert inspected.pictures["map"].shape[2] == 4


# storing


def test_metadata_survives_files_and_refits(recorded, tmp_path):
    extras = {
        "flags": np.array([0, 1, 2, 3, 31], np.int32), "values": np.arange(5, dtype=np.float32),
        "boxes": np.array([[2, 0.25, 0.5, 0.75, 1.0, 0.5]], np.float32),
        "weights__b": np.array([[0, 3, 0.5]], np.float32),
    }  # fmt: skip
    scene = hall(recorded, maps(frame="input", labels=tuple("vwxyz"), **extras))
    actions.overlay(scene, "a", 1)
    marked, drawn = len(laid(frame_of(scene))[0]), len(find_part(scene, "beams").data.vertices)
    actions.show_look(scene, theme="paper")
    assert (len(laid(frame_of(scene))[0]), len(find_part(scene, "beams").data.vertices)) == (marked, drawn)
    assert find_child(find_part(scene, "input"), "overlay") is not None
    name = scene.name
    from innerwalk.blender_addon.scene.materials.images import pack_images

    pack_images()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    scene = bpy.data.scenes[name]
    kept = store.read_recording(scene).all_maps["a", "health"]
    assert (kept.frame, kept.labels) == ("input", tuple("vwxyz"))
    for key, wanted in extras.items():
        assert np.array_equal(kept.extras[key.replace("__", ":")], wanted), key
    assert len(laid(frame_of(scene))[0]) == marked
    holder = find_child(find_part(scene, "input"), "overlay")
    assert pictures.read_pixels(pictures.picture_image(holder)).any()


def test_damaged_metadata_is_ignored(recorded):
    scene = hall(recorded, maps(labels=tuple("vwxyz")))
    panel = panels.panel_of(scene, "a")
    for text in ("{", "[]", json.dumps({"frame": 1}), "null"):
        panel[PANEL_METADATA] = text
        assert panel_metadata.read_metadata(panel) == panel_metadata.NO_METADATA
        map_updates.update_after_maps(scene)


def test_the_inspector_shows_metadata(recorded):
    extras = {"flags": np.array([0, 9, 0, 0, 0], np.int32), "values": np.arange(5, dtype=np.float32)}
    boxes, links = np.array([[1, 0, 0, 0.5, 0.25, 0.5]], np.float32), np.array([[1, 3, 0.5]], np.float32)
    scene = hall(recorded, maps(labels=("", "a cat", "", "", ""), boxes=boxes, weights__b=links, **extras))
    facts = dict(actions.inspect_channel(scene, "a", 1).facts)
    assert facts["Stands for"] == "a cat" and facts["Flags"] == "dead, aliased" and facts["Value"] == "1"
    assert facts["Box"] == "0.50, 50% × 25%" and facts["To 3"] == "0.5 of b"
    plain = dict(actions.inspect_channel(scene, "a", 0).facts)
    assert not {"Stands for", "Flags", "Box", "To 3"} & set(plain)


def test_a_click_on_a_marked_tile_is_one_on_its_channel(recorded):
    scene = hall(recorded, maps(flags=np.full(5, 31, np.int32)))
    panel = panels.panel_of(scene, "a")
    x, y = panels.grid_of(panel).inside(panels.channel_places(panel)[3], 0.05, 0.05)
    at = panels.world_matrix(panel)
    start = at @ Vector((x, y, 0.5))
    scene.view_layers[0].update()
    hit = ray_hits.pick(scene, scene.view_layers[0].depsgraph, start, at.to_3x3() @ Vector((0, 0, -1)))
    assert (hit.role, hit.layer, hit.channel) == ("panel", "a", 3)
