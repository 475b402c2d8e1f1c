"""Pictures of the sidebar before, with and in a network's hall, in both themes of Blender and at scales 1 and 2."""

from pathlib import Path

import bpy
import bridge_helpers as at
import session as rig

LAYER, CHANNEL = "stage1.0.conv2", 5
WIDTHS = {1.0: 300, 2.0: 560}
"""Pixels of the sidebar at each scale."""


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    yield from pictures("first")
    at.fill_in({"object": "object"}, {"photos": str(rig.DATA / at.PHOTOS)})
    at.act("start_bridge")
    yield from at.ready()
    yield from pictures("networks")
    yield from at.built("object")
    rig.look("WIREFRAME", camera=False)
    at.act("choose_method", method="grad_cam")
    at.act("jump", layer=LAYER)
    yield 1.0
    yield from rig.click(at.tile(LAYER, CHANNEL))
    bpy.context.scene.innerwalk.parameters.clear()
    at.act("choose_method", method="rise")
    yield 1.0
    yield from pictures("hall")


def pictures(name: str) -> rig.Steps:
    """Takes a picture in each theme and at each scale."""
    for theme in ("Blender_Dark", "Blender_Light"):
        yield from use_theme(theme)
        for scale in WIDTHS:
            bpy.context.preferences.view.ui_scale = scale
            rig.view3d().space.show_region_ui = False  # else panels keep their former heights for a while
            yield 0.5
            yield from rig.sidebar("Innerwalk")
            yield 1.0
            rig.picture(f"{name} {theme[8:].lower()} {scale:g}")
    bpy.context.preferences.view.ui_scale = 1.0
    yield from use_theme("Blender_Dark")


def use_theme(name: str) -> rig.Steps:
    folders = bpy.utils.preset_paths("interface_theme")
    files = [Path(folder) / f"{name}.xml" for folder in folders]
    found = [file for file in files if file.is_file()]
    rig.check(f"there is the theme {name}", found)
    bpy.ops.script.execute_preset(filepath=str(found[0]), menu_idname="USERPREF_MT_interface_theme_presets")
    yield 0.3
