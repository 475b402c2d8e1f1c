"""Picking in an evaluated hall: rays hit the panel, channel and pixel they aim at, whatever is in between."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Euler, Matrix, Vector  # noqa: E402

from innerwalk.blender_addon.plans.primitives import Picture, wall  # noqa: E402
from innerwalk.blender_addon.properties import OBJECT_ROLE, PANEL_LAYER_ID, SHELF_INDEX  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import assembly, ray_hits  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.ray_hits import Hit  # noqa: E402
from innerwalk.blender_addon.scene.paint import pictures  # noqa: E402

MAP = {"a": (6, 4), "b": (6, 4), ":add": (6, 4), "fc": (1, 1)}


@pytest.fixture
def scene(empty_scene, recorded):
    return create_hall(rec.load(recorded))


def graph(scene):
    scene.view_layers[0].update()
    return scene.view_layers[0].depsgraph


def aim(scene, panel, channel: int, u=0.5, v=0.5, away=0.4, aside=(0.0, 0.0), by=None) -> Hit | None:
    """Picks a point (u, v) of a tile from `away` metres before the panel. by: matrix of an instance."""
    depsgraph = graph(scene)
    at = by @ panel.matrix_world if by else panel.matrix_world
    x, y = panels.grid_of(panel).inside(panels.channel_places(panel)[channel], u, v)
    eye = at @ Vector((x + aside[0], y + aside[1], away))
    return ray_hits.pick(scene, depsgraph, eye, (at @ Vector((x, y, 0.0))) - eye)


def strew(scene, seed: int) -> None:
    """Moves, rotates and scales every panel, each far from the others."""
    rng = np.random.default_rng(seed)
    for k, panel in enumerate(panels.panels(scene).values()):
        turn = Euler(rng.uniform(-math.pi, math.pi, 3)).to_matrix().to_4x4()
        size = Matrix.Diagonal((*rng.uniform(0.3, 2.5, 3), 1.0))
        panel.matrix_world = Matrix.Translation((40.0 * (k + 1), 0.0, 60.0)) @ turn @ size


def targets(scene) -> list[tuple[str, int]]:
    return [(layer, k) for layer, panel in panels.panels(scene).items() for k in range(len(panel.data.vertices))]


@pytest.mark.parametrize("strewn", [False, True])
def test_sixty_four_rays_find_the_tile_they_aim_at(scene, strewn):
    if strewn:
        strew(scene, 3)
    rng, wanted = np.random.default_rng(1), targets(scene)
    for k in range(64):
        layer, channel = wanted[k % len(wanted)]
        height, width = MAP[layer]
        row, column = int(rng.integers(height)), int(rng.integers(width))
        u, v = (column + rng.uniform(0.1, 0.9)) / width, (row + rng.uniform(0.1, 0.9)) / height
        panel = panels.panel_of(scene, layer)
        hit = aim(scene, panel, channel, u, v, aside=tuple(rng.uniform(-0.1, 0.1, 2)))
        assert hit[:3] == ("panel", layer, channel) and hit.object == panel.name
        assert ray_hits.pixel_of(hit) == (row, column)
        x, y = panels.grid_of(panel).inside(panels.channel_places(panel)[channel], u, v)
        assert np.allclose(hit.position, panel.matrix_world @ Vector((x, y, 0)), atol=1e-4)


def test_channels_out_of_order_and_unseen_ones(scene):
    panel = panels.panel_of(scene, "a")
    panels.show_channels(panel, np.array([4, 0, 3]), 2, 2, (0.3, 0.3))
    assert [aim(scene, panel, k).channel for k in (4, 0, 3)] == [4, 0, 3]
    x, y = panels.grid_of(panel).centre(3)  # the empty cell
    eye = panel.matrix_world @ Vector((x, y, 0.4))
    hit = ray_hits.pick(scene, graph(scene), eye, panel.matrix_world @ Vector((x, y, 0)) - eye)
    assert (hit.role, hit.layer, hit.channel) == ("panel", "a", -1)


def test_gaps_and_backs_belong_to_the_panel_alone(scene):
    panel, depsgraph = panels.panel_of(scene, "b"), graph(scene)
    for start, end in (((0.001, 0.001, 0.4), (0.001, 0.001, 0.0)), ((0.1, 0.1, -0.4), (0.1, 0.1, 0.0))):
        eye = panel.matrix_world @ Vector(start)
        hit = ray_hits.pick(scene, depsgraph, eye, panel.matrix_world @ Vector(end) - eye)
        assert hit[:3] == ("panel", "b", -1) and ray_hits.pixel_of(hit) is None


def screen(scene, panel, role: str, parent=None) -> bpy.types.Object:
    """Adds a large quad 0.2 metres before a panel."""
    mesh = bpy.data.meshes.new("Screen")
    mesh.from_pydata([(-9, -9, 0.2), (9, -9, 0.2), (9, 9, 0.2), (-9, 9, 0.2)], [], [(0, 1, 2, 3)])
    quad = bpy.data.objects.new("Screen", mesh)
    quad.matrix_world, quad.parent = panel.matrix_world, parent
    if role:
        quad[OBJECT_ROLE] = role
    assembly.hall_collection(scene).objects.link(quad)
    return quad


@pytest.mark.parametrize("role", ["edges", "gates", "numbers", "words", "floor"])
def test_rays_pass_through_labels_and_rails(scene, role):
    panel = panels.panel_of(scene, "a")
    screen(scene, panel, role)  # upright, as posts are in the floor's mesh
    assert aim(scene, panel, 3)[:3] == ("panel", "a", 3)


@pytest.mark.parametrize(("role", "wanted"), [("title", "other"), ("", "other"), ("answer board", "answer")])
def test_solid_objects_hide_a_panel(scene, role, wanted):
    panel = panels.panel_of(scene, "a")
    screen(scene, panel, role)
    hit = aim(scene, panel, 3)
    assert (hit.role, hit.object, hit.layer, hit.channel) == (wanted, "Screen", "", -1)


def test_rays_pass_through_the_label_of_another_panel(scene):
    near, far = panels.panel_of(scene, "a"), panels.panel_of(scene, "b")
    frame = next(child for child in near.children if child.get(OBJECT_ROLE) == "frame")
    height = panels.grid_of(near).rows * panels.grid_of(near).cell[1]
    middles = [face.center for face in frame.data.polygons if face.center.y > height + 0.08]
    assert middles, "a name over the panel"
    grid = panels.grid_of(far)
    for middle in middles[:: max(1, len(middles) // 8)]:
        x, y = grid.inside(panels.channel_places(far)[2], 0.5, 0.5)
        behind = Matrix.Translation((middle.x - x, middle.y - y, -0.3))
        far.matrix_world = near.matrix_world @ behind
        depsgraph = graph(scene)
        eye = near.matrix_world @ (middle + Vector((0, 0, 0.3)))
        toward = near.matrix_world.to_3x3() @ Vector((0, 0, -1))
        assert ray_hits.pick(scene, depsgraph, eye, toward)[:3] == ("panel", "b", 2)
    far.location.z += 100
    assert ray_hits.pick(scene, graph(scene), eye, toward)[:3] == ("panel", "a", -1), "else the name is its panel's"


def test_nothing_behind_a_panel_is_picked(scene):
    near, far = panels.panel_of(scene, "a"), panels.panel_of(scene, "b")
    far.matrix_world = near.matrix_world @ Matrix.Translation((0, 0, -0.2))
    assert [aim(scene, near, k)[1:3] for k in range(5)] == [("a", k) for k in range(5)]
    eye = near.matrix_world @ Vector((0.001, 0.001, 1.0))  # between two tiles, where the board is
    hit = ray_hits.pick(scene, graph(scene), eye, near.matrix_world @ Vector((0.001, 0.001, 0)) - eye)
    assert (hit.layer, hit.channel) == ("a", -1)


def test_rays_pass_through_hidden_panels(scene):
    bpy.context.window.scene = scene
    near, far = panels.panel_of(scene, "a"), panels.panel_of(scene, "b")
    near.matrix_world = far.matrix_world @ Matrix.Translation((0, 0, 0.2))
    assert aim(scene, far, 1).layer == "a"
    for holder in (near, *near.children):
        holder.hide_viewport = True
    assert aim(scene, far, 1)[:3] == ("panel", "b", 1)


def test_an_instanced_hall_in_another_scene(scene):
    other = bpy.data.scenes.new("Film")
    by = Matrix.Translation((300, 20, 5)) @ Euler((0.3, 0.1, 2.0)).to_matrix().to_4x4() @ Matrix.Scale(0.5, 4)
    for k, at in enumerate((by, Matrix.Translation((0, 500, 0)) @ by)):
        empty = bpy.data.objects.new(f"Copy {k}", None)
        empty.instance_type, empty.instance_collection, empty.matrix_world = (
            "COLLECTION",
            assembly.hall_collection(scene),
            at,
        )
        other.collection.objects.link(empty)
    graph(scene)
    for layer, channel in targets(scene):
        panel = panels.panel_of(scene, layer)
        hit = aim(other, panel, channel, 0.2, 0.9, by=by)
        assert hit[:3] == ("panel", layer, channel) and hit.object == panel.name
        x, y = panels.grid_of(panel).inside(panels.channel_places(panel)[channel], 0.2, 0.9)
        assert np.allclose(hit.position, by @ panel.matrix_world @ Vector((x, y, 0)), atol=1e-3)
    gap = by @ panels.panel_of(scene, "a").matrix_world
    eye = gap @ Vector((0.001, 0.001, 0.4))
    assert ray_hits.pick(other, graph(other), eye, gap @ Vector((0.001, 0.001, 0)) - eye)[:3] == ("panel", "a", -1)


def test_input_answer_floor_and_sky(scene):
    found = {holder.get(OBJECT_ROLE): holder for holder in scene.objects}
    depsgraph = graph(scene)
    for role, wanted in (("input", "input"), ("answer board", "answer")):
        at = found[role].matrix_world
        eye = at @ Vector((0.3, 0.3, 0.5))
        hit = ray_hits.pick(scene, depsgraph, eye, at @ Vector((0.3, 0.3, 0)) - eye)
        assert (hit.role, hit.object) == (wanted, found[role].name)
    hit = ray_hits.pick(scene, depsgraph, (0.0, -200.0, 5.0), (0, 0, -1))
    assert (hit.role, hit.object) == ("other", "Floor") and hit.position == pytest.approx((0, -200, -0.004), abs=1e-3)
    assert ray_hits.pick(scene, depsgraph, (0.0, -20.0, 5.0), (0, -0.2, 1)) is None


def test_a_hit_on_the_shelf_has_the_pictures_index(scene):
    picture = Picture("Shelf", "shelf", np.zeros((4, 4, 3), np.uint8), wall((0.0, -60.0, 1.0), 0.0), (1.0, 1.0))
    holder = pictures.add_picture(picture, assembly.hall_collection(scene))
    holder[SHELF_INDEX] = 5
    hit = ray_hits.pick(scene, graph(scene), (0.5, -62.0, 1.5), (0, 1, 0))
    assert (hit.role, hit.shelf_index, hit.object) == ("shelf", 5, holder.name)


def test_a_panel_without_its_image_has_no_pixel(scene):
    panel = panels.panel_of(scene, "a")
    assert ray_hits.map_shape(panel) == (6, 4)
    bpy.data.images.remove(panels.image_of(panel))
    hit = aim(scene, panel, 2)
    assert hit.channel == 2 and ray_hits.pixel_of(hit) is None


def test_a_layer_without_maps_is_hit_as_other_with_its_id(empty_scene, recorded):
    recording = rec.load(recorded)
    del recording.all_maps["b", "activations"]
    scene = create_hall(recording)
    holder = next(candidate for candidate in scene.objects if candidate.get(PANEL_LAYER_ID) == "b")
    eye = holder.matrix_world @ Vector((0.02, 0.02, 0.5))
    hit = ray_hits.pick(scene, graph(scene), eye, holder.matrix_world @ Vector((0.02, 0.02, 0)) - eye)
    assert (hit.role, hit.layer, hit.channel) == ("other", "b", -1)


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_picking_at_a_point_of_a_3d_view(scene, kind):
    """A region of 800 × 600 pixels with the same view of a panel as Blender's camera."""
    panel, lens = panels.panel_of(scene, ":add"), bpy.data.cameras.new("Eye")
    camera = bpy.data.objects.new("Eye", lens)
    scene.collection.objects.link(camera)
    lens.type, lens.ortho_scale = kind, 3.0
    camera.matrix_world = panel.matrix_world @ Matrix.Translation((0.3, 0.3, 1.0))
    depsgraph = graph(scene)
    view = camera.matrix_world.inverted()
    window = camera.calc_matrix_camera(depsgraph, x=800, y=600)
    region = SimpleNamespace(width=800, height=600)
    data = SimpleNamespace(perspective_matrix=window @ view, view_matrix=view, is_perspective=kind == "PERSP",
                           view_perspective=kind, view_distance=1.0)  # fmt: skip
    context = SimpleNamespace(scene=scene, region=region, region_data=data, evaluated_depsgraph_get=lambda: depsgraph)
    for channel in range(5):
        x, y = panels.grid_of(panel).inside(panels.channel_places(panel)[channel], 0.6, 0.7)
        clip = data.perspective_matrix @ (panel.matrix_world @ Vector((x, y, 0))).to_4d()
        at = (clip.xy / clip.w + Vector((1, 1))) / 2
        hit = ray_hits.pick_at(context, at.x * 800, at.y * 600)
        assert hit[:3] == ("panel", ":add", channel) and ray_hits.pixel_of(hit) == (int(0.7 * 6), int(0.6 * 4))
