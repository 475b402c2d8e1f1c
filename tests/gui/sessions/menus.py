"""Finds walks, tours and heat maps by F3, opens the menu of a panel by a right click, and compares from the sidebar."""

import shutil

import bpy
import bridge_helpers as at
import session as rig

LAYER, CHANNEL = "stage1.0.conv2", 5


def session() -> rig.Steps:
    yield from at.in_hall("object", "object")
    yield 0.5
    yield from points()
    yield from lists()
    yield from searches()
    yield from compares()


def points() -> rig.Steps:
    at.act("jump", layer=LAYER)
    yield 1.0
    place = at.tile(LAYER, CHANNEL)
    yield from rig.click(place, "RIGHTMOUSE")
    yield 0.7
    scene = bpy.context.scene
    chosen = scene["innerwalk_layer"], scene["innerwalk_channel"]
    rig.check("a right click selects the tile", chosen == (LAYER, CHANNEL))
    rig.picture("right click")
    yield from rig.press("ESC", place)
    yield 0.3


def lists() -> rig.Steps:
    place = rig.middle(rig.view3d().region)
    yield from rig.move(place)
    with rig.view3d().context():
        bpy.ops.wm.call_menu(name="INNERWALK_MT_methods")
    yield 0.7
    rig.picture("methods by question")
    yield from rig.press("ESC", place)
    yield 0.3


def searches() -> rig.Steps:
    place = rig.middle(rig.view3d().region)
    for words in ("walk", "vr", "tour", "heat map", "grad", "feature vis"):
        yield from rig.move(place)
        yield from rig.press("F3", place)
        yield 0.4
        yield from rig.write(words, place)
        yield 0.4
        rig.picture(f"search {words}")
        yield from rig.press("ESC", place)
        yield 0.2
        yield from rig.press("ESC", place)
        yield 0.3
    bpy.context.scene["innerwalk_channel"] = -1
    yield from rig.search("heat map")
    yield from rig.until("Grad-CAM", lambda: bpy.context.scene.get("innerwalk_method") == "grad_cam", 20)
    yield from rig.until("its maps", lambda: not at.live().is_running(bpy.context.scene["innerwalk_work"]), 60)
    yield 0.5
    rig.picture("heat maps")
    caption = at.addon("blender_addon.scene.dressing.title_caption").shown_caption(bpy.context.scene, "grad_cam")
    rig.check("the hall says what it shows", caption.startswith("Grad-CAM for "))
    place = yield from rig.button("innerwalk.show_activations")
    yield from rig.click(place)
    rig.check("one click leads back", bpy.context.scene["innerwalk_method"] == "activations")


def compares() -> rig.Steps:
    hall = bpy.context.scene
    picture = rig.OUT / "parrot.jpg"
    shutil.copy(rig.DATA / "coral_images/parrot.jpg", picture)
    at.act("compare_input", filepath=f" '{picture}'")

    def beside() -> list[bpy.types.Object]:
        return [holder for holder in hall.objects if holder.get("innerwalk_role") == "beside"]

    yield from rig.until("the other hall", beside, 60)
    rig.check("this hall is shown still", bpy.context.scene == hall)
    yield from rig.settled()
    rig.picture("compared")
