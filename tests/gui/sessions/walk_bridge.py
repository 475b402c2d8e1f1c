"""A walk with a bridge: takes and places pictures, runs and cancels a method, exports, and loses the bridge."""

import os
import signal

import bpy
import bridge_helpers as at
import session as rig
import walk_helpers


def session() -> rig.Steps:
    yield from at.in_hall("mine", "object")
    rig.view3d().space.shading.type = "WIREFRAME"
    bpy.ops.wm.save_as_mainfile(filepath=str(rig.OUT / "hall.blend"))
    at.act("draw_shelf", data="photos", seed=1)
    yield from at.shelf_filled()
    person = yield from walk_helpers.begin()
    drawn = walk_helpers.DrawnMaps()
    for name, index in (("left", 1), ("right", 4)):
        yield from places(person, name, index)
    rig.check("every frame has the maps that the panels hold", drawn.frames > 20 and not drawn.wrong)
    drawn.end()
    yield from resamples(person)
    yield from asks(person)
    yield from exports(person)
    yield from dies(person)
    yield from walk_helpers.choose(person, "left", "End")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)
    rig.check("Blender goes on", len(at.panels()) == 23)


def card():
    return at.addon("blender_addon.vr.headset.headset_walk").current().drawing.card


def places(person, name: str, index: int) -> rig.Steps:
    """Takes a picture of the shelf with a hand and places it as the input; all panels change."""
    walk, before = walk_helpers.walk(), at.values()
    at.act("go_to_place", place="Entrance")
    yield from walk_helpers.frames(2)
    holder = at.of_role("shelf", index=index)
    yield from person.point(name, walk_helpers.centre(holder))
    yield from walk_helpers.looked()
    hit = walk.hands[name].hit
    rig.check(f"{name}: meets the picture", hit is not None and hit.shelf_index == index)
    yield from person.press(name, "trigger", 1.0)
    held = at.addon("blender_addon.actions.shelf").held
    rig.check(f"{name}: holds it", held(bpy.context.scene) == index and walk.picture_hand == name)
    yield from person.point(name, walk_helpers.centre(at.of_role("input")))
    yield from person.press(name, "trigger", 1.0)
    yield from at.settled_input()
    rig.check(f"{name}: every panel has changed", at.unchanged(before, at.values()) == [])
    rig.check(f"{name}: the hand is empty", held(bpy.context.scene) == -1)
    recording = at.live().results_of(str(bpy.context.scene["innerwalk_look"]))
    rig.check(f"{name}: panels hold the network's maps", at.equal(at.values(), at.of_recording(recording)))
    yield from walk_helpers.frames(2)
    person.rest()
    yield from person.send()


def resamples(person) -> rig.Steps:
    before = bpy.context.scene["innerwalk_shelf"]
    yield from walk_helpers.choose(person, "right", "Resample")
    yield from rig.until("other pictures", lambda: bpy.context.scene["innerwalk_shelf"] != before, 120)
    rig.check("the shelf has other pictures", True)
    yield from person.press("right", "b_click")


def asks(person) -> rig.Steps:
    """Runs a method from the menu, with progress on the card and partial results, and cancels it from the menu."""
    before = at.values()
    yield from walk_helpers.choose(person, "left", "Method")
    while not any(item.label.startswith("Activation max") for item in walk_helpers.walk().menu.page.items):
        yield from walk_helpers.choose(person, "left", "More")
    yield from walk_helpers.choose(person, "left", "Activation max")
    yield from rig.until("the job", lambda: at.job()["share"] > 0, 60)
    yield from rig.until("its progress on the card", lambda: "maximisation" in str(card().status), 120)
    yield from rig.until("a partial result", lambda: at.unchanged(before, at.values()) == [], 60)
    person.rest()
    yield from person.send()
    yield from person.press("left", "b_click")
    yield from walk_helpers.choose(person, "left", "Cancel")
    yield from rig.until("the job's end", lambda: at.job()["state"] not in ("waiting", "running"), 120)
    rig.check("the job is cancelled", at.job()["state"] == "cancelled")
    yield from person.press("left", "b_click")
    at.act("show_activations")
    yield from rig.until("activations again", lambda: at.equal(at.values(), before), 120)


def exports(person) -> rig.Steps:
    yield from walk_helpers.choose(person, "right", "Export")
    yield from rig.until(
        "the export", lambda: walk_helpers.walk().export is None and list(rig.OUT.rglob("*.safetensors")), 150
    )
    rig.check("every panel is exported", len(list((rig.OUT / "concepts_object/channels").iterdir())) == 23)
    yield from person.press("right", "b_click")


def dies(person) -> rig.Steps:
    """Kills the bridge: the card shows a warning and the walk continues."""
    os.kill(at.live().link.child.process.pid, signal.SIGKILL)
    yield from rig.until(
        "the warning",
        lambda: "bridge" in at.addon("blender_addon.vr.display.card_content").warning(walk_helpers.walk()),
        30,
    )
    yield from rig.until("the card", lambda: "ended" in str(card().status), 120)
    rig.check("the card shows it", "ended" in str(card().status))
    place, _ = walk_helpers.tile("stem.conv", 3)
    at.act("go_to_place", place=walk_helpers.walk().landmarks[2].name)
    yield from walk_helpers.frames(2)
    yield from person.point("left", place)
    yield from person.press("left", "trigger", 1.0)
    rig.check("and everything else goes on", at.addon("blender_addon.actions").selected(bpy.context.scene).channel == 3)
