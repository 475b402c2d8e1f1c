"""A lecturer's hour: from the zip to a walk, a channel, a method by its question, two inputs, and the file reopened."""

import shutil
import time

import bpy
import bridge_helpers as at
import session as rig
import walk_helpers

LAYER, CHANNEL = "stage1.0.conv2", 5
said: list[tuple[float, str]] = []
"""When the 3D view's engine said what."""


def session() -> rig.Steps:
    rig.install()
    actions = ["drop the zip on the window", "OK", "N", "the tab Innerwalk"]
    hears_the_engine()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    yield from opens_demo(actions)
    yield from walks(actions)
    rig.report("actions to the walk", actions)
    yield from opens_again()
    yield from asks()
    yield from compares()
    yield from saves()


def hears_the_engine() -> None:
    """Notes what the engine says at the upper left of the 3D view."""
    engine = at.addon("blender_addon.scene.engine.render_engine").HallRenderEngine
    say = engine._say

    def heard(self, title: str, info: str) -> None:
        said.append((time.monotonic(), info))
        say(self, title, info)
        if info.startswith("compiling"):
            bpy.app.timers.register(takes_picture)

    engine._say = heard


def takes_picture() -> None:
    """A timer that runs once, when the window shows what was said."""
    rig.picture("1 compiling")


def opens_demo(actions: list[str]) -> rig.Steps:
    place = yield from rig.button("innerwalk.open_demo")
    began = time.monotonic()
    yield from rig.click(place)
    actions.append("Open Demo")
    yield from rig.until("the first picture", lambda: said and not said[-1][1], 120)
    rig.report("seconds from the click to the first picture", round(said[-1][0] - began, 2))
    rig.report("said while shaders were compiled", said[0][1])
    rig.report("of it compiling and drawing, seconds", round(said[1][0] - said[0][0], 2))
    yield from rig.settled()
    rig.report("said afterwards", said[-1][1])
    rig.report("how often it was said", sum(bool(info) for _, info in said))
    rig.picture("2 demo")


def walks(actions: list[str]) -> rig.Steps:
    place = yield from rig.button("innerwalk.walk_at_desk", right=0.25)
    yield from rig.click(place)
    actions.append("Walk Here")
    yield from rig.until("the walk", lambda: walk_helpers.walk() is not None, 60)
    yield 1.0
    rig.picture("3 walk")
    middle = rig.middle(rig.view3d().region)
    yield from rig.press("ESC", middle)
    yield from rig.until("the walk's end", lambda: walk_helpers.walk() is None, 30)


def opens_again() -> rig.Steps:
    """Opens the demo once more: nothing is compiled."""
    said.clear()
    began = time.monotonic()
    bpy.ops.innerwalk.open_demo("EXEC_DEFAULT")
    yield from rig.until("the first picture", lambda: said, 60)
    rig.report("seconds to the first picture the second time", round(said[0][0] - began, 2))
    yield from rig.settled()
    rig.check("it isn't said again", not any(info for _, info in said))


def asks() -> rig.Steps:
    at.fill_in({"toybox": "object"}, {})
    at.act("start_bridge")
    yield from at.ready()
    yield from at.built("toybox")
    at.act("jump", layer=LAYER)
    yield 1.0
    yield from rig.click(at.tile(LAYER, CHANNEL))
    scene = bpy.context.scene
    rig.check("a click selects a channel", (scene["innerwalk_layer"], scene["innerwalk_channel"]) == (LAYER, CHANNEL))
    yield from rig.settled()
    rig.picture("4 channel")
    with rig.view3d().context():
        bpy.ops.wm.call_menu(name="INNERWALK_MT_methods")
    yield 0.7
    rig.picture("5 methods by question")
    yield from rig.press("ESC", rig.middle(rig.view3d().region))
    yield 0.3
    at.act("choose_method", method="grad_cam")
    scene.innerwalk.about = "panels"
    rig.region("UI").tag_redraw()
    yield 0.5
    place = yield from rig.button("innerwalk.ask_method")
    yield from rig.click(place)
    yield from rig.until("its maps", lambda: at.job()["state"] == "done", 120)
    yield from rig.settled()
    rig.picture("6 Grad-CAM")
    at.act("show_activations")


def compares() -> rig.Steps:
    hall, picture = bpy.context.scene, rig.OUT / "parrot.jpg"
    shutil.copy(rig.DATA / "coral_images/parrot.jpg", picture)
    at.act("compare_input", filepath=str(picture))
    yield from rig.until("the other hall", lambda: beside(hall), 60)
    yield from rig.settled()
    rig.picture("7 two inputs")


def beside(hall: bpy.types.Scene) -> list[bpy.types.Object]:
    return [holder for holder in hall.objects if holder.get("innerwalk_role") == "beside"]


def saves() -> rig.Steps:
    values, name = at.values(), bpy.context.scene.name
    file = rig.OUT / "lecture.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.read_homefile(use_factory_startup=False)
    yield 0.5
    bpy.ops.wm.open_mainfile(filepath=str(file))
    yield from rig.until("the hall", lambda: bpy.context.scene.name == name, 60)
    rig.check("the reopened hall shows what was saved", at.equal(at.values(), values))
    rig.check("and both halls stand there", beside(bpy.context.scene))
    yield from rig.settled()
    rig.picture("8 reopened")
