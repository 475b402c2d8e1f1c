"""A person names a unit in a window: clicks a tile, marks pictures, types a word, clicks a category, and undoes it."""

import bpy
import bridge_helpers as at
import dissected
import session as rig

LAYER, UNIT = "stage3.1:add", 3


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    yield from rig.settled()
    dissected.opened("channel", "naming")
    yield from dissected.looks_at(LAYER)
    yield from rig.click(dissected.tile(LAYER, UNIT))
    yield 0.5
    at.addon("blender_addon.live.hall_requests").set_method(bpy.context.scene, "top_images")  # as if they were shown
    yield from marks()
    yield from names()
    yield from searches()


def names_of_unit() -> list[tuple[str, str, tuple[int, ...]]]:
    found = at.addon("blender_addon.actions.naming").given_names(bpy.context.scene)
    return [(name.word, name.category, name.misfits) for name in found]


def marks() -> rig.Steps:
    place = yield from rig.button("innerwalk.mark_misfit", right=0.2)
    yield from rig.click(place)
    yield 0.3
    marked = at.addon("blender_addon.actions.naming").marked_misfits(bpy.context.scene, LAYER, UNIT)
    rig.check("a click marks a picture that doesn't fit", marked == (1,))


def names() -> rig.Steps:
    bpy.context.window_manager.innerwalk_naming_word = "ring"
    rig.region("UI").tag_redraw()
    yield 0.5
    place = yield from rig.button("innerwalk.name_unit", holds="object part")
    rig.picture("1 before")
    yield from rig.click(place)
    yield 0.5
    rig.check("a click on a category names the unit", names_of_unit() == [("ring", "object part", (1,))])
    known = yield from dissected.facts()
    rig.check("the inspector says it", known["Named"].startswith("ring (object part) by "))
    yield from dissected.shown("2 named")
    yield from rig.press("Z", rig.middle(rig.view3d().region), ctrl=True)
    yield 0.5
    rig.check("undo takes the name away", names_of_unit() == [])
    yield from rig.press("Z", rig.middle(rig.view3d().region), ctrl=True, shift=True)
    yield 0.5
    rig.check("and redo brings it back", names_of_unit() == [("ring", "object part", (1,))])


def searches() -> rig.Steps:
    with rig.view3d().context():
        bpy.ops.innerwalk.find_label("EXEC_DEFAULT", True, text="ring")
    yield 0.3
    scene = bpy.context.scene
    selected = (scene["innerwalk_layer"], scene["innerwalk_channel"])
    rig.check("the search finds units by the word", selected == (LAYER, UNIT))
