"""A walk with a headset through a small hall: every action with the left and the right hand, then its end."""

import bpy
import bridge_helpers as at
import numpy as np
import session as rig
import walk_helpers
from mathutils import Matrix, Vector

LAYER = "stem.conv"
BUTTONS = {"next": "a_click", "previous": "thumbstick_click", "menu": "b_click"}


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    rig.open_object()
    rig.view3d().space.shading.type = "WIREFRAME"  # saves processor time, as only the headset's picture matters
    yield 0.5
    before = settings()
    person = yield from walk_helpers.begin()
    state = bpy.context.window_manager.xr_session_state
    eye = state.viewer_pose_location
    rig.check("stands at the entrance, as high as a person", walk_helpers.near(eye, (0, -1.2, 1.65), 0.12))
    rig.report("landmarks", [landmark.name for landmark in bpy.context.scene.vr_landmarks])
    for name in ("left", "right"):
        yield from goes(person, name)
        yield from picks(person, name)
        yield from moves(person, name)
        person.rest()
        yield from person.send()
    yield from saves()
    yield from stretches(person)
    yield from chooses(person, "left", "Ember", "ember")
    yield from chooses(person, "right", "Signed", "signed")
    yield from walk_helpers.choose(person, "right", "End")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)
    after = settings()
    rig.check("settings are as before", before == after)
    rig.report("changed", {key: [str(before[key]), str(after[key])] for key in before if before[key] != after[key]})
    yield 1.0
    rig.check("Blender is still running", bpy.context.scene.name == "concepts object")


def settings() -> dict:
    """Settings and numbers of data-blocks that a walk must restore."""
    found = bpy.context.window_manager.xr_session_settings
    properties = [each.identifier for each in found.bl_rna.properties if each.type != "POINTER"]
    values = {name: in_plain(getattr(found, name)) for name in properties}
    shading = {f"shading {key}": in_plain(getattr(found.shading, key)) for key in ("type", "light", "color_type")}
    handlers = {"handlers": len(bpy.app.handlers.xr_session_start_pre), "images": len(bpy.data.images)}
    return values | shading | handlers | {"meshes": len(bpy.data.meshes), "objects": len(bpy.data.objects)}


def in_plain(value):
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value


def goes(person, name: str) -> rig.Steps:
    """Buttons lead from place to place, the trigger teleports, the stick flies and turns."""
    walk, state = walk_helpers.walk(), bpy.context.window_manager.xr_session_state
    first = walk.landmark_index
    yield from person.press(name, BUTTONS["next"])
    there = walk.landmarks[first + 1]
    rig.check(f"{name}: the next place", walk_helpers.near(state.viewer_pose_location[:2], there.position, 0.05))
    yield from person.press(name, BUTTONS["previous"])
    there = walk.landmarks[first]
    rig.check(f"{name}: the place before", walk_helpers.near(state.viewer_pose_location[:2], there.position, 0.05))
    to = walk_helpers.floor(1.6)
    yield from person.point(name, to)
    yield from person.press(name, "trigger", 1.0)
    rig.check(
        f"{name}: stands where the ray met the floor", walk_helpers.near(state.viewer_pose_location[:2], to[:2], 0.1)
    )
    rig.check(f"{name}: as high as before", abs(state.viewer_pose_location[2] - 1.65) < 0.12)
    yield from flies(person, name, state)
    yield from turns(person, name)


def flies(person, name: str, state) -> rig.Steps:
    start = Vector(state.viewer_pose_location)
    yield from person.down(name, "thumbstick", (0.0, 1.0))
    yield from walk_helpers.frames(3)
    person.hand(name).thumbstick = (0.0, 0.0)
    yield from person.send()
    moved = Vector(state.viewer_pose_location) - start
    rig.check(f"{name}: flies ahead with the stick", moved.y > 0.2 and abs(moved.x) < 0.2 * moved.y)
    rig.check(f"{name}: over the floor", abs(moved.z) < 0.05)


def turns(person, name: str) -> rig.Steps:
    xr, body = at.addon("blender_addon.vr.headset.xr"), walk_helpers.walk().body
    for stick, by in ((-1.0, 30), (1.0, -30)):
        before = xr.heading(body.eye())
        yield from person.down(name, "thumbstick", (stick, 0.0))
        person.hand(name).thumbstick = (0.0, 0.0)
        yield from person.send()
        turned = np.degrees(xr.heading(body.eye()) - before)
        rig.check(f"{name}: turns by {by}°", abs(turned - by) < 1.0)


def picks(person, name: str) -> rig.Steps:
    """The ray hits the tile, and the trigger shows its channel on the card."""
    walk, channel = walk_helpers.walk(), 2 if name == "left" else 5
    at.act("go_to_place", place=walk.landmarks[2].name)
    yield 0.8
    place, _ = walk_helpers.tile(LAYER, channel)
    yield from person.point(name, place)
    yield from walk_helpers.looked()
    hit = walk.hands[name].hit
    rig.check(f"{name}: meets the tile", hit is not None and (hit.layer, hit.channel) == (LAYER, channel))
    yield from person.press(name, "trigger", 1.0)
    found = at.addon("blender_addon.actions").selected(bpy.context.scene)
    rig.check(f"{name}: the channel is inspected", tuple(found) == (LAYER, channel))
    rig.check(f"{name}: the card is at this hand", walk.card_hand == name)
    card = at.addon("blender_addon.vr.headset.headset_walk").current().drawing.card
    yield from rig.until("the card", lambda: card.content.title == f"{LAYER} · {channel}", 120)
    rig.check(f"{name}: with its map", card.content.picture is not None)
    if name == "right":
        yield from mirrored()


def mirrored() -> rig.Steps:
    """The mirrored view in the window shows ray and card."""
    yield from walk_helpers.drawn()
    walk_helpers.mirror(True)
    yield from walk_helpers.frames(4)
    seen, colour = rig.picture("mirrored").astype(int), at.addon("blender_addon.imaging.colour_maps")
    near = [np.abs(seen - 255 * colour.srgb(colour.THEMES["dark"][role])).max(-1) < 24 for role in ("bar", "text")]
    rig.report("mirrored", [int(mask.sum()) for mask in near])
    rig.check("the mirrored view shows ray and card", all(mask.sum() > 50 for mask in near))
    walk_helpers.mirror(False)


def moves(person, name: str) -> rig.Steps:
    """A gripped panel follows the hand."""
    walk, panel = walk_helpers.walk(), at.panels()[LAYER]
    place, _ = walk_helpers.tile(LAYER, 2)
    yield from person.point(name, place)
    yield from person.down(name, "squeeze", 1.0)
    hand, start = walk.hands[name], Matrix(panel.matrix_world)
    pose = Matrix(hand.pose.tolist())
    rig.check(f"{name}: holds the panel", hand.grip is not None and hand.grip.layer == LAYER)
    yield from person.point(name, place + Vector((0.3, 0.2, 0.25)))
    now = Matrix(hand.pose.tolist())
    wanted = now @ pose.inverted() @ start
    rig.check(f"{name}: the panel is where the hand put it", walk_helpers.near(panel.matrix_world, wanted))
    rig.check(f"{name}: and not where it was", (panel.matrix_world.translation - start.translation).length > 0.1)
    yield from person.down(name, "squeeze", 0.0)
    rig.check(f"{name}: lets go", hand.grip is None)
    at.act("reset_layout")
    rig.check(f"{name}: it is hung back", walk_helpers.near(at.panels()[LAYER].matrix_world, start))


def saves() -> rig.Steps:
    """Saving the file, which holds the person's settings, leaves the walk as it is."""
    state = bpy.context.window_manager.xr_session_state
    before = settings(), tuple(state.viewer_pose_location)
    bpy.ops.wm.save_as_mainfile(filepath=str(rig.OUT / "meanwhile.blend"), copy=True)
    yield from walk_helpers.frames(3)
    rig.check("saving changes no settings of the walk", settings() == before[0])
    rig.check("and doesn't move the walker", walk_helpers.near(state.viewer_pose_location, before[1]))


def stretches(person) -> rig.Steps:
    """Two hands scale a panel by the distance between them."""
    walk, panel = walk_helpers.walk(), at.panels()[LAYER]
    place, _ = walk_helpers.tile(LAYER, 2)
    size = panel.matrix_world.to_scale().x
    yield from person.point("left", place)
    yield from person.down("left", "squeeze", 1.0)
    yield from person.point("right", place)
    yield from person.down("right", "squeeze", 1.0)
    hands = [walk.hands[name] for name in ("left", "right")]
    apart = np.linalg.norm(hands[0].position - hands[1].position)
    eye = Matrix(walk.body.eye().tolist())
    for name, side in (("left", -0.4), ("right", 0.4)):
        person.place(name, eye @ Vector((side, -0.3, -0.35)), place)
    yield from person.send()
    wanted = size * np.linalg.norm(hands[0].position - hands[1].position) / apart
    rig.check(
        "both hands: the panel has grown as they came apart", abs(panel.matrix_world.to_scale().x - wanted) < 0.02
    )
    rig.report("grown", [size, panel.matrix_world.to_scale().x, wanted])
    yield from person.down("left", "squeeze", 0.0)
    yield from person.down("right", "squeeze", 0.0)
    rig.check("both let go", all(hand.grip is None for hand in hands))
    at.act("reset_layout")
    person.rest()
    yield from person.send()


def chooses(person, name: str, label: str, colour_map: str) -> rig.Steps:
    """Chooses another colour map from the menu with the ray."""
    yield from walk_helpers.choose(person, name, "Colours")
    yield from walk_helpers.choose(person, name, label)
    colours = at.addon("blender_addon.scene.materials.colour_settings").read_scene_colours(bpy.context.scene)
    rig.check(f"{name}: the menu changes the colours", colours["colour_map"] == colour_map)
    yield from person.press(name, BUTTONS["menu"])
    rig.check(f"{name}: the menu is closed", walk_helpers.walk().menu is None)
