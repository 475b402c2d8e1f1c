"""A walk at the desk with a bridge: two clicks take a picture of the shelf and place it, and all panels change."""

import bpy
import bridge_helpers as at
import session as rig
import walk_desk as by_desk
import walk_helpers


def session() -> rig.Steps:
    yield from at.in_hall("mine", "object")
    bpy.context.scene.eevee.taa_samples = 1
    rig.look("WIREFRAME", camera=False)
    at.act("draw_shelf", data="photos", seed=1)
    yield from at.shelf_filled()
    before = at.values()
    yield from by_desk.begin()
    yield from looks_at("shelf", index=1)
    hit = by_desk.hand().hit
    rig.check("meets the picture", hit is not None and (hit.role, hit.shelf_index) == ("shelf", 1))
    yield from rig.press("LEFTMOUSE", by_desk.middle())
    held = at.addon("blender_addon.actions.shelf").held
    rig.check("holds it", held(bpy.context.scene) == 1 and walk_helpers.walk().picture_hand == "eye")
    yield from looks_at("input")
    rig.check("the crosshair says where it belongs", by_desk.desk().drawing.cross_state == "something")
    yield from by_desk.seen("held")
    yield from rig.press("LEFTMOUSE", by_desk.middle())
    yield from at.settled_input()
    rig.check("every panel has changed", at.unchanged(before, at.values()) == [])
    recording = at.live().results_of(str(bpy.context.scene["innerwalk_look"]))
    rig.check("panels hold the network's maps", at.equal(at.values(), at.of_recording(recording)))
    rig.check("nothing is held any more", held(bpy.context.scene) == -1)
    yield from by_desk.seen("placed")
    yield from rig.press("ESC", by_desk.middle())
    yield from by_desk.ended()


def looks_at(role: str, **more) -> rig.Steps:
    """Makes the eye look at the centre of an object."""
    by_desk.aim(by_desk.eye()[:3, 3], walk_helpers.centre(at.of_role(role, **more)))
    yield 0.4
