"""Pictures of the whole sidebar before, with and in a hall: in both themes and languages, at scales 1, 1.5 and 2."""

from pathlib import Path

import bpy
import bridge_helpers as at
import session as rig

LAYER, CHANNEL = "stage1.0.conv2", 5
LOOKS = (
    ("Blender_Dark", 1.0, "en_US"),
    ("Blender_Dark", 1.0, "de_DE"),
    ("Blender_Light", 1.5, "en_US"),
    ("Blender_Light", 1.5, "de_DE"),
    ("Blender_Light", 2.0, "en_US"),
    ("Blender_Dark", 2.0, "de_DE"),
)
"""Theme, scale and language of each picture."""


def session() -> rig.Steps:
    rig.install()
    at.open_panels()
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
    """Takes a picture of each look."""
    view = bpy.context.preferences.view
    for theme, scale, language in LOOKS:
        yield from use_theme(theme)
        view.ui_scale, view.language = scale, language
        rig.view3d().space.show_region_ui = False  # else panels keep their former heights for a while
        yield 0.5
        yield from rig.sidebar("Innerwalk")
        yield 1.0
        rig.picture(f"{name} {theme[8:].lower()} {scale:g} {language[:2]}")
    view.ui_scale, view.language = 1.0, "en_US"
    yield from use_theme("Blender_Dark")


def use_theme(name: str) -> rig.Steps:
    folders = bpy.utils.preset_paths("interface_theme")
    files = [Path(folder) / f"{name}.xml" for folder in folders]
    found = [file for file in files if file.is_file()]
    rig.check(f"there is the theme {name}", found)
    bpy.ops.script.execute_preset(filepath=str(found[0]), menu_idname="USERPREF_MT_interface_theme_presets")
    yield 0.3
