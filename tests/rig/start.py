"""Runs in Blender: the generator `session()` of the script RIG_SESSION, step by step, then ends Blender."""

import importlib.util
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(os.environ["RIG_SESSION"]).parent))
sys.path.insert(0, str(Path(__file__).parent))
import session as rig

bpy.context.preferences.view.show_splash = False  # not in a timer, as an open splash screen takes the first events


def steps() -> Iterator[float | None]:
    spec = importlib.util.spec_from_file_location("steps", os.environ["RIG_SESSION"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield from module.session()


def step() -> float:
    """One step of the session; Blender runs for as long as it says."""
    try:
        return next(running) or 0.05
    except StopIteration:
        rig.report("finished", True)
    except BaseException:  # noqa: BLE001  any error is reported
        rig.report("error", traceback.format_exc())
        with suppress(OSError, subprocess.SubprocessError):  # a closed display is not the first error
            rig.picture("failed")
    sys.stdout.flush()
    os._exit(0 if rig.passed() else 1)  # no clean exit: nothing after the session may change the report


running = steps()
bpy.app.timers.register(step, first_interval=1.0, persistent=True)
