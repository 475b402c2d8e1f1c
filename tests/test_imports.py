"""Each entry module loads in a fresh interpreter with the other side blocked, and loads nothing heavy by itself."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TORCH, BLENDER = ("torch", "torchvision"), ("bpy", "mathutils", "gpu")
HEAVY = (*TORCH, *BLENDER, "PIL")


def modules(room: str) -> list[str]:
    found = sorted(path for path in (ROOT / room).rglob("*.py") if path.parent.name != "templates")  # those are scripts
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found if path.name != "__main__.py"]
    return [f"innerwalk.{name.removesuffix('.__init__')}" for name in names]


def fresh(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that has imported nothing of ours."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=os.sep,
        env=os.environ | environment,
        check=False,
    )


def importing(names: list[str], blocked: tuple[str, ...]) -> str:
    return (
        f"import sys, importlib\nsys.modules.update(dict.fromkeys({blocked!r}))\n"
        f"for name in {names!r}:\n    importlib.import_module(name)\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "innerwalk",
        "innerwalk.torch_bridge",
        "innerwalk.torch_bridge.recording",
        "innerwalk.torch_bridge.recording.safetensors",
        "innerwalk.torch_bridge.recording.errors",
        "innerwalk.torch_bridge.client",
        "innerwalk.torch_bridge.server.arguments",
        "innerwalk.blender_addon",
        "innerwalk.scenes",
        "innerwalk.scenes.cli",
    ],
)
def test_what_everybody_imports_loads_nothing_heavy(name):
    run = fresh(f"import sys, {name}\nprint(sorted(set({HEAVY!r}) & set(sys.modules)))")
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr


def test_light_modules_load_with_torch_and_blender_blocked():
    names = ["innerwalk", *(f"innerwalk.torch_bridge.{name}" for name in ("recording", "client"))]
    run = fresh(importing(names, HEAVY))
    assert run.returncode == 0, run.stderr


def test_the_pure_modules_of_the_addon_load_without_blender():
    rooms = (["actions"], ["live"], ["output"], ["scene"], ["scripting"], ["ui"], ["vr"])
    names = [name for name in modules("blender_addon") if name.split(".")[2:3] not in rooms]
    names += [f"innerwalk.blender_addon.vr.{name}" for name in ("headset.bindings", "grips", "landmarks")]
    names += [f"innerwalk.blender_addon.output.{name}" for name in ("output_files", "png_text")]
    run = fresh(importing(names, HEAVY))
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(not importlib.util.find_spec("bpy"), reason="needs bpy")
def test_the_addon_loads_without_torch():
    run = fresh(importing(modules("blender_addon"), TORCH))
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs torch")
def test_the_bridge_loads_without_blender():
    run = fresh(importing(modules("torch_bridge"), BLENDER))
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs torch")
def test_the_bridge_is_a_package_of_its_own():
    """As the extension starts it: with its folder on the path, no `innerwalk` around it. Climbing out fails."""
    names = [name.removeprefix("innerwalk.") for name in modules("torch_bridge")]
    run = fresh(importing(names, (*BLENDER, "innerwalk")), PYTHONPATH=str(ROOT))
    assert run.returncode == 0, run.stderr
