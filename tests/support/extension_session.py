"""Run in a clean Blender user folder with a zip as argument; prints what happened as one line of JSON."""

import gc
import json
import sys
from pathlib import Path

import bpy  # isort: split

import addon_utils  # on the path once bpy is there

FOREIGN = ("torch", "torchvision", "innerwalk", "torch_bridge", "blender_addon", "PIL")
MODULE = "bl_ext.user_default.innerwalk"
sys.modules.update(dict.fromkeys(("torch", "torchvision", "innerwalk")))  # importing them fails from here on


def state() -> dict:
    """Everything an add-on could leave behind."""
    gc.collect()
    handlers = {
        name: len(held) for name in dir(bpy.app.handlers) if isinstance(held := getattr(bpy.app.handlers, name), list)
    }
    return {
        "handlers": handlers,
        "classes": sorted(name for name in dir(bpy.types) if "innerwalk" in name.lower()),
        "menu": len(bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize()),
        "properties": sorted(name for name in dir(bpy.types.Scene) if "innerwalk" in name.lower()),
    }


def brightness() -> list[float]:
    """The largest value in each image of maps."""
    return [max(map(abs, image.pixels[:])) for image in bpy.data.images if "innerwalk_raw" in image]


def save_and_open(path: Path) -> tuple[list[float], list[float]]:
    """What the images of maps hold before and after an ordinary save, twice."""
    before = brightness()
    for _ in range(2):
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
        bpy.ops.wm.open_mainfile(filepath=str(path))
    return before, brightness()


def main(package: str) -> dict:
    before = state()
    bpy.ops.extensions.package_install_files(filepath=package, repo="user_default", enable_on_install=True)
    told = {"module": MODULE if MODULE in bpy.context.preferences.addons else "", "before": before, "enabled": state()}
    told["warnings"] = "\n".join(f"{where}: {what}" for where, what in addon_utils._extensions_warnings_get())
    scenes, users = len(bpy.data.scenes), {one.name for one in bpy.context.scene.objects}
    mine = bpy.context.scene
    demo = Path(sys.modules[MODULE].__file__).parent / "blender_addon" / "demo"
    told["loaded"] = sorted(name.removeprefix(f"{MODULE}.") for name in sys.modules if name.startswith(f"{MODULE}."))
    told["imported"] = sorted(bpy.ops.innerwalk.import_recording(directory=str(demo)))
    told["opened"] = sorted(bpy.ops.innerwalk.open_demo())
    told["scenes_added"] = len(bpy.data.scenes) - scenes
    told["users_scene_untouched"] = {one.name for one in mine.objects} == users
    told["panels"] = sum(one.get("innerwalk_role") == "panel" for one in bpy.data.objects)
    told["up_to_date"] = not bpy.ops.innerwalk.rebuild_groups.poll()
    hall = next(scene for scene in bpy.data.scenes if "innerwalk_hall" in scene)
    hall["innerwalk_hall"] = 0
    told["rebuilt"] = sorted(bpy.ops.innerwalk.rebuild_groups())
    told["panels_rebuilt"] = sum(one.get("innerwalk_role") == "panel" for one in bpy.data.objects)
    told["saved"], told["reopened"] = save_and_open(Path(package).with_name("hall.blend"))
    try:
        bpy.ops.innerwalk.import_recording(directory="//nowhere")
    except RuntimeError as error:
        told["error"] = str(error)
    addon_utils.disable(MODULE, default_set=True)
    told["left"] = state()
    for _ in range(10):
        addon_utils.enable(MODULE, default_set=True)
        addon_utils.disable(MODULE, default_set=True)
    addon_utils.enable(MODULE, default_set=True)
    told["enabled_again"] = state()
    told["foreign"] = sorted(name for name in FOREIGN if sys.modules.get(name) is not None)
    return told


if __name__ == "__main__":
    print("\n" + json.dumps(main(sys.argv[1])))
