"""Saves a hall: the cursor shows the progress; the redo panel of a click names layer and channel; the preferences."""

import bpy
import bridge_helpers as at
import session as rig

LAYER, CHANNEL = "stage1.0.conv2", 5


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    at.act("jump", layer=LAYER)
    yield 1.0
    yield from rig.click(at.tile(LAYER, CHANNEL))
    yield 0.5
    yield from rig.press("F9", rig.middle(rig.view3d().region))
    yield 0.7
    rig.picture("redo panel")
    yield from rig.press("ESC", rig.middle(rig.view3d().region))
    rig.report("images", len(bpy.data.images))
    bpy.ops.wm.save_as_mainfile(filepath=str(rig.OUT / "hall.blend"))
    rig.check("the file is written", (rig.OUT / "hall.blend").stat().st_size > 10_000)
    yield from preferences()


def preferences() -> rig.Steps:
    bpy.ops.screen.userpref_show("INVOKE_DEFAULT", section="EXTENSIONS")
    yield 1.0
    window = bpy.context.window_manager.windows[-1]
    bpy.context.window_manager.addon_search = "innerwalk"
    module = next(name for name in bpy.context.preferences.addons.keys() if name.endswith("innerwalk"))
    bpy.context.preferences.active_section = "ADDONS"
    with bpy.context.temp_override(window=window):
        bpy.ops.preferences.addon_expand(module=module)
    yield 1.0
    rig.picture("preferences")
