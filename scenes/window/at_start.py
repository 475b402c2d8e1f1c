"""Run by Blender when it starts: shows the hall of a recording, a series or an opened .blend file, from its entrance.

Arguments after `--`: the folder, or nothing for the file that is open; then `temporary` if the folder is removed once
its hall is built. Uses the installed extension, or else the package that this file belongs to, for this session only.
"""

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import bpy

PACKAGE = Path(__file__).resolve().parents[2]
SECONDS = 0.1
"""Until the window stands."""


def show(folder: str = "", temporary: str = "") -> None:
    """Builds the hall of the recording in a folder and shows it; an error is shown in the window."""
    operators: Any = bpy.ops
    try:
        if not hasattr(bpy.types, "INNERWALK_OT_import_recording"):
            register_package()
        if folder:
            operators.innerwalk.import_recording(directory=folder)
        elif operators.innerwalk.enter.poll():
            operators.innerwalk.enter()
    except RuntimeError as error:  # what an operator reports
        line = str(error).removeprefix("Error: ").strip()
        manager: Any = bpy.context.window_manager
        manager.popup_menu(lambda menu, context: menu.layout.label(text=line), title="Innerwalk")
    finally:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


def register_package() -> None:
    """Registers Innerwalk's interface from its package, which need not lie on Blender's own path."""
    spec = importlib.util.spec_from_file_location(
        "innerwalk", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["innerwalk"] = module
    spec.loader.exec_module(module)
    module.register()


def show_soon(*arguments: str) -> None:
    """Shows the hall once the window stands, without Blender's splash screen; preferences stay as they are."""
    preferences: Any = bpy.context.preferences
    shown, is_dirty = preferences.view.show_splash, preferences.is_dirty
    preferences.view.show_splash = False

    def show_now() -> None:
        preferences.view.show_splash, preferences.is_dirty = shown, is_dirty
        show(*arguments)

    bpy.app.timers.register(show_now, first_interval=SECONDS)


if __name__ == "__main__":
    show_soon(*(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []))
