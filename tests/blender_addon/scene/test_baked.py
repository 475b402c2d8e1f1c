"""Baked halls: quads at the tiles' places, textures with the shader's colours, and complete removal."""

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.imaging import colour_cube, colour_maps  # noqa: E402
from innerwalk.blender_addon.properties import (  # noqa: E402
    COLLAPSED_PANELS,
    OBJECT_ROLE,
    PAINT_ATTRIBUTE,
    PAINT_MATERIAL_STAMP,
    PAINT_UVS,
    PANEL_LAYER_ID,
)
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import baking, visibility  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.relayout import update_title  # noqa: E402
from innerwalk.blender_addon.scene.materials import colour_settings  # noqa: E402
from innerwalk.blender_addon.scene.paint import colour_cube_uvs  # noqa: E402
from innerwalk.blender_addon.scene.paint.meshes import paint_material  # noqa: E402
from innerwalk.blender_addon.scene.panels import values  # noqa: E402
from innerwalk.blender_addon.scene.state.data_blocks import _data_blocks  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_child, find_part  # noqa: E402
from innerwalk.blender_addon.scene.view import view_shading  # noqa: E402
from innerwalk.blender_addon.time_slicing import run_all  # noqa: E402
from innerwalk.blender_addon.vr.headset.shading_choice import ShadingChoice  # noqa: E402
from innerwalk.tests.blender_addon.scene.test_ray_hits import aim, strew, targets  # noqa: E402

PLENTY = 1 << 30
LAYERS = ["a", "b", ":add", "fc"]


@pytest.fixture
def scene(empty_scene, recorded):
    found = create_hall(rec.load(recorded))
    bpy.context.window.scene = found
    return found


def bake(scene, budget=PLENTY, at=(0.0, -3.5, 1.7)) -> int:
    """Bakes completely; returns the number of steps that changed anything. at: the viewer's position."""
    viewer = Matrix.Translation(at) @ Matrix.Rotation(np.pi / 2, 4, "X")  # looks along the aisle
    return sum(baking.bake(scene, viewer, budget))


def changes(going) -> None:
    """Runs steps until one has changed something."""
    while not next(going):
        pass


def data_blocks() -> set[tuple[str, int]]:
    return {(block.id_type, block.session_uid) for block in _data_blocks()}


def state(scene) -> dict:
    """Everything that baking changes: modifiers, properties of panels, nodes and UVs of painted objects."""
    shown = {id: panels.tiles_modifier(panel).show_viewport for id, panel in panels.panels(scene).items()}
    keys = {id: sorted(panel.keys()) for id, panel in panels.panels(scene).items()}
    nodes = {
        material.name: len(material.node_tree.nodes)
        for material in bpy.data.materials
        if PAINT_MATERIAL_STAMP in material
    }
    uvs = {mesh.name: [layer.name for layer in mesh.uv_layers] for mesh in bpy.data.meshes}
    return {"shown": shown, "keys": keys, "nodes": nodes, "uvs": uvs, "objects": sorted(scene.objects.keys())}


def stand(scene, layer: str):
    return find_child(panels.panel_of(scene, layer), "baked")


def image(scene, layer: str):
    return stand(scene, layer).data.materials[0].node_tree.nodes["Picture"].image


def pixels(found) -> np.ndarray:
    """(H, W, 3) 0..1 sRGB, bottom row first."""
    flat = np.zeros(4 * found.size[0] * found.size[1], np.float32)
    found.pixels.foreach_get(flat)
    return flat.reshape(found.size[1], found.size[0], 4)[..., :3]


def shown_on(scene, layer: str, channel: int) -> np.ndarray:
    """The texture of a channel's quad by its UVs, (h, w, 3) sRGB 0..1, top row first."""
    mesh, held = stand(scene, layer).data, pixels(image(scene, layer))
    face = np.flatnonzero(panels.channel_places(panels.panel_of(scene, layer)) >= 0).tolist().index(channel)
    uvs = np.zeros(2 * len(mesh.loops), np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", uvs)
    low, high = (bound(uvs.reshape(-1, 4, 2)[face], 0) for bound in (np.min, np.max))
    (x0, y0), (x1, y1) = (np.rint(end * held.shape[1::-1]).astype(int) for end in (low, high))
    return held[y0:y1, x0:x1][::-1]


def wanted(scene, layer: str, channel: int) -> np.ndarray:
    panel, colours = panels.panel_of(scene, layer), colour_settings.read_scene_colours(scene)
    scale = values.scales_of(scene, panel)[channel]
    return colour_maps.colour_values(values.map_of(panel, channel), scale, colours["colour_map"], colours["gain"])


def assert_right(scene) -> None:
    for layer in LAYERS[:3]:
        for channel in range(5):
            assert np.abs(shown_on(scene, layer, channel) - wanted(scene, layer, channel)).max() * 255 < 0.8


def test_quads_are_where_the_tiles_are(scene):
    panels.show_channels(panels.panel_of(scene, "b"), np.array([4, 0, 3]), 2, 2, (0.3, 0.2))
    depsgraph = bpy.context.evaluated_depsgraph_get()
    tiles = {layer: faces(panels.panel_of(scene, layer).evaluated_get(depsgraph)) for layer in LAYERS}
    bake(scene)
    for layer in LAYERS:
        assert np.allclose(faces(stand(scene, layer)), tiles[layer], atol=1e-6)
        assert stand(scene, layer).data.polygons[0].normal.z > 0.99
    assert len(tiles["b"]) == 3
    hidden = panels.panel_of(scene, "a").evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert len(hidden.data.polygons) == 0


def faces(holder) -> np.ndarray:
    """Minimum and maximum x and y of each face in the object's axes, (n, 4, 2)."""
    points = np.array([[holder.data.vertices[k].co[:2] for k in face.vertices] for face in holder.data.polygons])
    return np.stack([points.min(1), points.max(1)], 1)


@pytest.mark.parametrize(
    "settings", [{}, {"colour_map": "ember", "normalisation": "network"}, {"theme": "paper", "gain": 3.0}]
)
def test_textures_have_the_shaders_colours(scene, settings):
    colour_settings.set_scene_colours(scene, **settings)
    bake(scene)
    assert_right(scene)
    assert image(scene, "a").colorspace_settings.name == "sRGB" and not image(scene, "a").is_float
    assert stand(scene, "a").data.materials[0].node_tree.nodes["Picture"].interpolation == "Closest"
    assert shown_on(scene, "fc", 1).shape == (16, 64, 3)


def test_painted_objects_find_their_colours_in_the_lookup_image(scene):
    bake(scene)
    held = pixels(paint_material().node_tree.nodes[PAINT_UVS].image)
    assert paint_material().node_tree.nodes.active.name == PAINT_UVS
    assert_uvs_into_lookup(scene, held)
    update_title(scene)  # objects painted in a baked hall get UVs at once
    assert_uvs_into_lookup(scene, held)


def assert_uvs_into_lookup(scene, held) -> None:
    meshes = [
        holder.data for holder in scene.objects if holder.type == "MESH" and PAINT_ATTRIBUTE in holder.data.attributes
    ]
    assert len(meshes) > 8
    for mesh in meshes:
        for loop, uv in zip(mesh.loops, mesh.uv_layers[PAINT_UVS].uv, strict=True):
            x, y = (int(part * colour_cube.SIDE) for part in uv.vector)
            tint = colour_maps.to_srgb(np.array(mesh.attributes[PAINT_ATTRIBUTE].data[loop.vertex_index].color[:3]))
            assert np.abs(held[y, x] - tint).max() * 255 < 4.1


def test_unbaking_removes_everything(scene):
    before, blocks = state(scene), data_blocks()
    assert not baking.is_baked(scene)
    assert bake(scene) == 5
    assert baking.is_baked(scene) and state(scene) != before
    bake(scene, 0)
    baking.unbake(scene)
    assert state(scene) == before and data_blocks() == blocks and not baking.is_baked(scene)
    baking.unbake(scene)
    assert state(scene) == before


def test_baking_returns_whether_all_panels_have_the_finest_level(scene):
    assert run_all(baking.bake(scene, Matrix(), PLENTY)) is True
    assert run_all(baking.bake(scene, Matrix(), baking.texture_bytes(scene) - 1)) is False


def test_a_walk_bakes_again_only_what_changed(scene):
    choice, eye = ShadingChoice(scene, "baked", PLENTY), np.array(Matrix.Translation((0, -3.5, 1.7)))

    def settled() -> int:
        """Number of updates until nothing changes."""
        for count in range(500):
            choice.update(scene, eye)
            if choice.settled and count:
                return count
        raise AssertionError("never")

    assert not choice.settled and settled() > 1 and not choice.busy
    eye[1, 3] += 50.0
    choice.update(scene, eye)
    assert not choice.busy, "every panel has the finest level"
    colour_settings.set_scene_colours(scene, gain=2.0)
    choice.update(scene, eye)
    assert choice.busy and settled()
    assert_right(scene)
    small = ShadingChoice(scene, "baked", baking.texture_bytes(scene) // 2)
    for _ in range(500):
        small.update(scene, eye)
    eye[1, 3] -= 50.0
    small.update(scene, eye)
    assert small.busy, "what is near is another"


def test_baking_can_stop_halfway(scene):
    before, blocks = state(scene), data_blocks()
    for steps in (1, 2):
        going = baking.bake(scene, Matrix(), PLENTY)
        for _ in range(steps):
            changes(going)
        assert baking.is_baked(scene)
        baking.unbake(scene)
        assert state(scene) == before and data_blocks() == blocks


def test_deleting_the_hall_ends_baking(scene):
    going = baking.bake(scene, Matrix(), PLENTY)
    next(going)
    bpy.data.objects.remove(panels.panel_of(scene, "b"))
    changes(going)
    bpy.data.objects.remove(panels.panel_of(scene, "a"))
    changes(going)
    name = scene.name
    bpy.data.scenes.remove(scene)
    assert not any(going) and name not in bpy.data.scenes


def test_panels_in_view_are_baked_first_and_near_before_far(scene):
    for k, layer in enumerate(LAYERS):
        panels.panel_of(scene, layer).location = (0, (3, -30, 9, 20)[k], 1)
    done = []
    for _ in baking.bake(scene, Matrix.Rotation(np.pi / 2, 4, "X"), PLENTY):
        done += [layer for layer in LAYERS if stand(scene, layer) and layer not in done]
    assert done == ["a", ":add", "fc", "b"]


def test_far_panels_are_halved_within_the_budget(scene):
    bake(scene)
    whole = baking.texture_bytes(scene)
    for k, layer in enumerate(LAYERS):
        panels.panel_of(scene, layer).location = (0, 2 + 20 * k, 1)
    blocks = data_blocks()
    budget = int(0.97 * whole)
    assert bake(scene, budget) > 1
    assert baking.texture_bytes(scene) <= budget
    assert panels.panel_of(scene, "a")["innerwalk_baked"] == 0 < panels.panel_of(scene, "fc")["innerwalk_baked"]
    for layer in LAYERS:
        extent = baking.texture_extent(panels.panel_of(scene, layer))
        assert tuple(image(scene, layer).size) == extent.size(panels.panel_of(scene, layer)["innerwalk_baked"])
    assert bake(scene, budget) == 1  # only the step for painted objects
    bake(scene, budget, at=(0.0, 61.0, 1.0))
    assert panels.panel_of(scene, "fc")["innerwalk_baked"] == 0
    bake(scene)
    assert data_blocks() == blocks
    assert_right(scene)


def test_new_values_are_baked_in_place(scene):
    bake(scene)
    blocks, panel = data_blocks(), panels.panel_of(scene, "a")
    data = np.random.default_rng(5).normal(size=(5, 6, 4)).astype(np.float32)
    data[2, 1, 1] = np.nan
    panels.show_maps(panel, rec.Maps("a", rec.ACTIVATIONS, rec.pack(data), 5))
    old = shown_on(scene, "a", 2)
    assert bake(scene) == 2  # one of them is the step for painted objects
    assert not np.allclose(old, shown_on(scene, "a", 2))
    assert np.allclose(shown_on(scene, "a", 2)[1, 1], colour_maps.srgb(colour_maps.MARKER), atol=2e-3)
    assert_right(scene)
    assert data_blocks() == blocks


def test_maps_of_other_kinds_are_baked_in_place(scene):
    """Maps of a method with fewer maps than channels, then of one with colour maps."""
    bake(scene)
    blocks, panel = data_blocks(), panels.panel_of(scene, "a")
    texels = np.random.default_rng(1).uniform(size=(1, 9, 9, 4)).astype(np.float32)
    panels.show_maps(panel, rec.Maps("a", "grad_cam", texels, 2, frame="input"))
    assert bake(scene) == 2
    assert len(stand(scene, "a").data.polygons) == 2 and data_blocks() == blocks
    assert all(np.abs(shown_on(scene, "a", k) - wanted(scene, "a", k)).max() * 255 < 0.8 for k in (0, 1))
    pictures = np.concatenate([np.random.default_rng(1).uniform(size=(5, 8, 8, 3)), np.ones((5, 8, 8, 1))], -1)
    panels.show_maps(panel, rec.Maps("a", "am", pictures.astype(np.float32), 5, colour=True))
    bake(scene)
    assert len(stand(scene, "a").data.polygons) == 5 and data_blocks() == blocks
    assert all(np.abs(shown_on(scene, "a", k) - pictures[k, ..., :3]).max() * 255 < 0.8 for k in range(5))


@pytest.mark.parametrize(
    "change", [{"colour_map": "ember"}, {"gain": 2.0}, {"theme": "paper"}, {"normalisation": "network"}]
)
def test_baking_again_updates_changed_colours(scene, change):
    bake(scene)
    colour_settings.set_scene_colours(scene, **change)
    assert bake(scene) == 5
    assert_right(scene)


@pytest.mark.parametrize("strewn", [False, True])
def test_rays_hit_the_same_in_a_baked_hall(scene, strewn):
    if strewn:
        strew(scene, 3)
    rng, found = np.random.default_rng(2), []
    rays = [(*targets(scene)[k % len(targets(scene))], *rng.uniform(0.05, 0.95, 2)) for k in range(40)]
    for _ in range(2):
        hits = [aim(scene, panels.panel_of(scene, layer), channel, u, v) for layer, channel, u, v in rays]
        found.append(hits)
        bake(scene)
    for before, after, ray in zip(*found, rays, strict=True):
        assert before[:3] == after[:3] and before.object == after.object and after[1:3] == ray[:2]
        assert np.allclose(before.position, after.position, atol=1e-4)
        assert np.allclose((before.spot, after.spot), ray[2:], atol=1e-4)


def test_renders_show_the_panels_themselves(scene, rendered):
    before = rendered(scene, 160, 90)
    bake(scene)
    visibility.apply_visibility(scene)  # shows and hides all children of panels
    assert not any(
        holder.visible_get() and not holder.hide_render
        for holder in scene.objects
        if holder.get(OBJECT_ROLE) == "baked"
    )
    assert np.array_equal(rendered(scene, 160, 90), before)


def test_hidden_panels_stay_hidden(scene):
    actions.solo(scene, "a")
    bake(scene)
    assert [stand(scene, layer).hide_viewport for layer in LAYERS] == [False, True, True, True]


def test_panels_without_image_or_tiles_are_skipped(scene):
    panels.tiles_modifier(panels.panel_of(scene, "a")).show_viewport = False
    panels.panel_of(scene, "b").modifiers.clear()
    bake(scene)
    assert stand(scene, "a") is None and stand(scene, "b") is None and stand(scene, ":add")
    baking.unbake(scene)
    assert not panels.tiles_modifier(panels.panel_of(scene, "a")).show_viewport


def test_an_expanded_panel_shows_its_tiles_again(scene):
    bake(scene)
    held = bpy.data.collections.new("away")
    scene[COLLAPSED_PANELS] = held
    for holder in (panels.panel_of(scene, "a"), stand(scene, "a")):
        holder.users_collection[0].objects.unlink(holder)
        held.objects.link(holder)
    baking.unbake(scene)
    (panel,) = [holder for holder in held.objects if holder.get(PANEL_LAYER_ID)]
    assert panels.tiles_modifier(panel).show_viewport and [holder.name for holder in held.objects] == [panel.name]
    assert not baking.is_baked(scene)


def test_a_second_hall_keeps_its_colours(scene, recorded):
    other = create_hall(rec.load(recorded))
    bake(scene)
    bake(other)
    baking.unbake(scene)
    assert baking.is_baked(other) and colour_cube_uvs.uses_lookup(paint_material())
    assert PAINT_UVS in find_part(other, "floor").data.uv_layers
    baking.unbake(other)
    assert not colour_cube_uvs.uses_lookup(paint_material()) and not any(
        PAINT_UVS in image for image in bpy.data.images
    )


def test_a_file_saved_while_baked_can_be_unbaked(scene, tmp_path):
    before, name = state(scene), scene.name
    bake(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "baked.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "baked.blend"))
    scene = bpy.data.scenes[name]
    assert baking.is_baked(scene)
    baking.unbake(scene)
    assert state(scene) == before and not baking.is_baked(scene)
    assert not [image.name for image in bpy.data.images if "baked" in image.name or PAINT_UVS in image]


def test_undo_to_a_moment_when_it_was_baked(scene):
    before, name = state(scene), scene.name
    bpy.ops.ed.undo_push(message="built")
    bake(scene)
    bpy.ops.ed.undo_push(message="baked")
    panels.panel_of(scene, "a").location.x += 1
    bpy.ops.ed.undo_push(message="moved")
    baking.unbake(scene)
    bpy.ops.ed.undo_push(message="unbaked")
    for _ in range(3):
        bpy.ops.ed.undo()
        baking.unbake(bpy.data.scenes[name])
        assert state(bpy.data.scenes[name]) == before
        assert not [holder.name for holder in bpy.data.objects if holder.get(OBJECT_ROLE) == "baked"]
    for _ in range(3):
        bpy.ops.ed.redo()
        baking.unbake(bpy.data.scenes[name])
        assert state(bpy.data.scenes[name]) == before
    scene = bpy.data.scenes[name]
    bake(scene)
    bpy.context.view_layer.update()
    assert_right(scene)


def test_undo_to_before_it_was_baked(scene):
    name = scene.name
    bpy.ops.ed.undo_push(message="built")
    panels.panel_of(scene, "a").location.x += 1
    bpy.ops.ed.undo_push(message="moved")
    before = state(scene)
    bake(scene)
    bpy.ops.ed.undo()
    baking.unbake(bpy.data.scenes[name])
    assert state(bpy.data.scenes[name]) == before
    bake(bpy.data.scenes[name])
    assert_right(bpy.data.scenes[name])


def test_bytes_of_the_images_that_shaders_read(scene):
    """Three panels of 2 cells of 6 × 4 texels, one of 1 × 1, and a texel of peaks for each cell."""
    assert baking.source_image_bytes(scene) == 16 * (3 * (2 * 6 * 4 + 2) + 1 + 1)


@pytest.mark.parametrize("how", view_shading.SETTINGS)
def test_the_shading_of_a_headset_is_restored(scene, how):
    shading = bpy.context.window_manager.xr_session_settings.shading
    names = {name for settings in view_shading.SETTINGS.values() for name in settings} | {"background_color"}
    for first in ("SOLID", "MATERIAL", "WIREFRAME"):
        shading.type = first
        before = {name: str(getattr(shading, name)) for name in names}
        held = view_shading.set_shading(scene, shading, how)
        assert shading.type == {"baked": "SOLID", "preview": "MATERIAL"}[how]
        if how == "baked":
            assert (shading.light, shading.color_type, shading.background_type) == ("FLAT", "TEXTURE", "VIEWPORT")
            assert np.allclose(np.array(shading.background_color) ** (1 / 2.2), colour_maps.srgb("#0D1218"), atol=1e-4)
        view_shading.restore_shading(shading, held)
        assert {name: str(getattr(shading, name)) for name in names} == before
