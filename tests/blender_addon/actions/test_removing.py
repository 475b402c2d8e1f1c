"""A removed hall leaves nothing of ours behind, and takes nothing of a person's along."""

import pytest

from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import SceneError

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import BESIDE_ROLE, OBJECT_ROLE, PANEL_LAYER_ID  # noqa: E402
from innerwalk.blender_addon.scene.hall import session_events  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.tests.support import OBJECT_RECORDING  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402

COUNTED = (*live.KINDS, "cameras", "worlds", "actions")


def counts() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in COUNTED}


def new_hall(recorded) -> bpy.types.Scene:
    return create_hall(rec.load(recorded))


def test_nothing_is_left(empty_scene, recorded):
    before = counts()
    hall = new_hall(recorded)
    actions.show_look(hall, theme="paper")
    actions.inspect_channel(hall, "a", 0)
    assert counts()["images"] > before["images"]
    uid = hall.session_uid
    assert actions.remove_hall(hall) == "removed tiny"
    assert counts() == before and uid not in current().halls
    assert session_events.HANDLERS["save_pre"] not in bpy.app.handlers.save_pre


def test_collapsed_panels_are_removed_too(empty_scene):
    before = counts()
    actions.import_recording(OBJECT_RECORDING)
    hall = next(scene for scene in bpy.data.scenes if scene != empty_scene)
    assert actions.collapse(hall, actions.collapsible_blocks(hall)[0])
    actions.remove_hall(hall)
    assert counts() == before


def test_other_halls_stay_as_they_are(empty_scene, recorded):
    kept = new_hall(recorded)
    before, texels = counts(), live.texels(kept)
    removed = new_hall(recorded)
    actions.stand_beside(kept, removed.name, share=True)
    actions.show_difference(removed, kept.name)
    actions.remove_hall(removed)
    assert counts() == before and live.equal(live.texels(kept), texels)
    assert not any(holder.get(OBJECT_ROLE) == BESIDE_ROLE for holder in kept.objects)
    assert session_events.HANDLERS["save_pre"] in bpy.app.handlers.save_pre
    second = new_hall(recorded)
    actions.stand_beside(second, kept.name)
    actions.remove_hall(second)
    assert counts() == before and live.equal(live.texels(kept), texels)


def test_what_a_person_has_added_stays(empty_scene, recorded):
    before, hall = counts(), new_hall(recorded)
    panel = next(holder for holder in hall.objects if holder.get(PANEL_LAYER_ID) == "a")
    mesh = bpy.data.meshes.new("Mine")
    mesh.materials.append(bpy.data.materials.new("Mine"))
    mine = bpy.data.objects.new("Mine", mesh)
    hall.collection.objects.link(mine)
    mine.parent = panel
    liked = bpy.data.objects.new("Liked", None)
    bpy.data.scenes[empty_scene.name].collection.objects.link(liked)
    bpy.data.images.new("Kept", 4, 4).use_fake_user = True
    actions.remove_hall(hall)
    added = {"objects": 2, "meshes": 1, "materials": 1, "images": 1}
    assert counts() == before | {kind: before[kind] + count for kind, count in added.items()}
    assert mine.data.materials[0].name == "Mine" and mine.parent is None


def test_the_only_scene_is_replaced(empty_scene, recorded):
    hall = new_hall(recorded)
    bpy.data.scenes.remove(empty_scene)
    actions.remove_hall(hall)
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]
    with pytest.raises(SceneError, match="is not a hall"):
        actions.remove_hall(bpy.data.scenes[0])
