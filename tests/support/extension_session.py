"""Uses the extension, given as a zip, in a clean Blender user folder; prints the results as one line of JSON.

The line begins with FOUND: Blender 4.5 keeps lines of its own in a C buffer that is flushed after Python's last line.
"""

import gc
import json
import os
import sys
from pathlib import Path

import bpy  # isort: split

import addon_utils  # on the path once bpy is there

FOREIGN = ("torch", "torchvision", "innerwalk", "torch_bridge", "blender_addon", "PIL")
MODULE = "bl_ext.user_default.innerwalk"
sys.modules.update(dict.fromkeys(("torch", "torchvision", "innerwalk")))  # importing them fails from here on


def state() -> dict:
    """Counts everything that an add-on could leave behind."""
    gc.collect()
    handlers = {
        name: len(functions)
        for name in dir(bpy.app.handlers)
        if isinstance(functions := getattr(bpy.app.handlers, name), list)
    }
    return {
        "handlers": handlers,
        "classes": sorted(name for name in dir(bpy.types) if "innerwalk" in name.lower()),
        "menus": [
            len(menu._dyn_ui_initialize()) for menu in (bpy.types.TOPBAR_MT_file_import, bpy.types.TEXT_MT_templates_py)
        ],
        "properties": sorted(name for name in dir(bpy.types.Scene) if "innerwalk" in name.lower()),
    }


def brightness() -> list[float]:
    """Largest value in each image of maps."""
    return [max(map(abs, image.pixels[:])) for image in bpy.data.images if "innerwalk_raw" in image]


def save_and_open(path: Path) -> tuple[list[float], list[float]]:
    """Largest values of the images of maps before and after saving and opening the file twice."""
    before = brightness()
    for _ in range(2):
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
        bpy.ops.wm.open_mainfile(filepath=str(path))
    return before, brightness()


def main(package: str) -> dict:
    before = state()
    bpy.ops.extensions.package_install_files(filepath=package, repo="user_default", enable_on_install=True)
    report = {
        "module": MODULE if MODULE in bpy.context.preferences.addons else "",
        "before": before,
        "enabled": state(),
    }
    report["warnings"] = "\n".join(f"{path}: {message}" for path, message in addon_utils._extensions_warnings_get())
    scenes, own_objects = len(bpy.data.scenes), {item.name for item in bpy.context.scene.objects}
    own_scene = bpy.context.scene
    demo = Path(sys.modules[MODULE].__file__).parent / "blender_addon" / "demo"
    report["loaded"] = sorted(name.removeprefix(f"{MODULE}.") for name in sys.modules if name.startswith(f"{MODULE}."))
    report["imported"] = sorted(bpy.ops.innerwalk.import_recording(directory=str(demo)))
    report["opened"] = sorted(bpy.ops.innerwalk.open_demo())
    report["scenes_added"] = len(bpy.data.scenes) - scenes
    report["users_scene_untouched"] = {item.name for item in own_scene.objects} == own_objects
    report["panels"] = sum(item.get("innerwalk_role") == "panel" for item in bpy.data.objects)
    report["up_to_date"] = not bpy.ops.innerwalk.rebuild_groups.poll()
    hall = next(scene for scene in bpy.data.scenes if "innerwalk_hall" in scene)
    hall["innerwalk_hall"] = 0
    report["rebuilt"] = sorted(bpy.ops.innerwalk.rebuild_groups())
    report["panels_rebuilt"] = sum(item.get("innerwalk_role") == "panel" for item in bpy.data.objects)
    report["saved"], report["reopened"] = save_and_open(Path(package).with_name("hall.blend"))
    try:
        bpy.ops.innerwalk.import_recording(directory="//nowhere")
    except RuntimeError as error:
        report["error"] = str(error)
    addon_utils.disable(MODULE, default_set=True)
    report["left"] = state()
    for _ in range(10):
        addon_utils.enable(MODULE, default_set=True)
        addon_utils.disable(MODULE, default_set=True)
    addon_utils.enable(MODULE, default_set=True)
    report["enabled_again"] = state()
    report["foreign"] = sorted(name for name in FOREIGN if sys.modules.get(name) is not None)
    return report


if __name__ == "__main__":
    print("\nFOUND " + json.dumps(main(sys.argv[1])), flush=True)
    os._exit(0)  # in Blender 4.5 the destructors of bpy now and then wait forever
