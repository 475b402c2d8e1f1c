"""An explorer's hour: every menu, F3, a right click, the redo panel, undo, themes, a series, and a hall deleted."""

import bpy
import bridge_helpers as at
import series
import session as rig

LAYER, CHANNEL = "stage1.0.conv2", 5


def session() -> rig.Steps:
    yield from at.in_hall("object", "object")
    yield 0.5
    yield from points()
    yield from lists()
    yield from searches()
    yield from undoes()
    yield from opens_menus()
    yield from plays_series()
    yield from deletes()


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


def undoes() -> rig.Steps:
    """Hides a panel, opens the redo panel, and goes back and forth by keys."""
    place, steps = rig.middle(rig.view3d().region), 0
    yield from rig.move(place)
    at.act("hide", layer=LAYER)
    yield from rig.press("F9", place)
    yield 0.7
    rig.picture("redo panel")
    yield from rig.press("ESC", place)
    for redo in (False, True):
        yield from rig.press("Z", place, ctrl=True, **({"shift": True} if redo else {}))
        for key in ("LEFT_CTRL", "LEFT_SHIFT"):
            yield from rig.event(key, "RELEASE", place)
        yield 0.5
        steps += at.panels()[LAYER].visible_get() != redo
    rig.report("steps undone and done again", steps)
    at.act("hide", layer=LAYER)


def opens_menus() -> rig.Steps:
    """Opens every menu of Innerwalk, in English and German, and takes a picture of each."""
    place, view = rig.middle(rig.view3d().region), bpy.context.preferences.view
    menus = [kind.__name__ for kind in at.addon("blender_addon.ui").registered("CLASSES") if "_MT_" in kind.__name__]
    for language in ("en_US", "de_DE"):
        view.language = language
        yield 0.3
        for name in menus:
            yield from rig.move(place)
            with rig.view3d().context():
                bpy.ops.wm.call_menu(name=name)
            yield 0.5
            rig.picture(f"menu {name[13:]} {language[:2]}")
            yield from rig.press("ESC", place)
            yield 0.2
    view.language = "en_US"


def plays_series() -> rig.Steps:
    bpy.context.scene.innerwalk_look_theme = "paper"
    yield from rig.settled()
    rig.picture("paper hall")
    bpy.context.scene.innerwalk_look_theme = "dark"
    folder = series.written(rig.OUT / "clip")
    bpy.ops.innerwalk.open_series("EXEC_DEFAULT", True, directory=str(folder))
    yield from rig.settled()
    at.act("show_position", position=2)
    yield from rig.settled()
    rig.picture("series")
    rig.check("a series is open", "innerwalk_series" in bpy.context.scene)


def deletes() -> rig.Steps:
    name = bpy.context.scene.name
    with rig.view3d().context():
        bpy.ops.scene.delete()
    yield 1.0
    rig.check("the hall is deleted", name not in bpy.data.scenes)
    rig.picture("deleted")
