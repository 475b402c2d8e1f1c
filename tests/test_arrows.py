"""Which room may import which, read from the syntax trees; no import cycles, lazy imports included."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("torch_bridge", "blender_addon", "scenes", "bench")
LIGHT = ("recording", "client")
"""The packages of the bridge that Blender's side may import: standard library and numpy only."""
FOREIGN = {
    "torch_bridge": {"bpy", "bmesh", "mathutils", "gpu", "gpu_extras", "bpy_extras"},
    "blender_addon": {"torch", "torchvision", "PIL"},
    "scenes": set(),
    "bench": set(),
}
TOP_LEVEL = {"innerwalk", "bl_ext", "torch_bridge", "blender_addon", "scenes", "bench", "tests"}


def imports(source: str, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of every import; relative ones are spelt from the root package, `~`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ("~", *package)[: len(package) + 2 - node.level] if node.level else ()
            name = ".".join((*base, *filter(None, [node.module])))
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)


def allowed(room: str, name: str) -> bool:
    top, *rest = name.split(".")
    if top != "~":
        return top not in FOREIGN[room] | TOP_LEVEL
    if rest[:1] == [room] or room in ("scenes", "bench"):
        return True
    return room == "blender_addon" and rest[:1] == ["torch_bridge"] and rest[1:2] != [] and rest[1] in LIGHT


def sources(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_import_follows_the_arrows(room):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(room)
        for line, name in imports(path.read_text(encoding="utf-8"), path.relative_to(ROOT).parent.parts)
        if not allowed(room, name)
    ]
    assert not wrong, "\n".join(wrong)


def import_graph() -> dict[str, set[str]]:
    """Module -> modules that it imports anywhere, also inside functions; dotted paths from the root package."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sources(*ROOMS)}
    modules = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        found = imports(path.read_text(encoding="utf-8"), path.relative_to(ROOT).parent.parts)
        names = (name.removeprefix("~.") for _, name in found if name.startswith("~."))
        graph[module] = {name if name in modules else name.rpartition(".")[0] for name in names} & modules.keys()
    return graph


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """Every module that importing `start` can lead to."""
    seen, waiting = set(), set(graph[start])
    while waiting:
        seen.add(module := waiting.pop())
        waiting |= graph[module] - seen
    return seen


def test_there_are_no_import_cycles():
    graph = import_graph()
    assert not sorted(module for module in graph if module in reachable(graph, module))


def test_the_root_imports_only_rooms():
    found = list(imports((ROOT / "__init__.py").read_text(encoding="utf-8"), ()))
    assert [name for _, name in found] == ["~.blender_addon"] * 2


def test_light_modules_need_only_the_standard_library_and_numpy():
    for path in sources(*(f"torch_bridge/{name}" for name in LIGHT)):
        for line, found in imports(path.read_text(encoding="utf-8"), path.relative_to(ROOT).parent.parts):
            top, *rest = found.split(".")
            own = top == "~" and rest[1] in (*LIGHT, "lazy_exports")
            assert own or top in sys.stdlib_module_names | {"numpy"}, f"{path.name}:{line} imports {found}"


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("blender_addon", "import torch"),
        ("blender_addon", "import torch.nn as nn"),
        ("blender_addon", "from torch import nn"),
        ("blender_addon", "from ...torch_bridge import recorder"),
        ("blender_addon", "from ...torch_bridge import *"),
        ("blender_addon", "from ...torch_bridge.capture.recorder import record"),
        ("blender_addon", "from ... import torch_bridge"),
        ("blender_addon", "from ...scenes import figure"),
        ("blender_addon", "from innerwalk.torch_bridge import client"),
        ("blender_addon", "def late():\n    import torch"),
        ("torch_bridge", "import bpy"),
        ("torch_bridge", "from bpy.types import Object"),
        ("torch_bridge", "from ...blender_addon import layout"),
        ("torch_bridge", "import blender_addon.layout.planner"),
        ("scenes", "from innerwalk.blender_addon import layout"),
    ],
)
def test_a_wrong_import_is_caught(room, line):
    found = list(imports(line, (room, "inner")))
    assert found
    assert not all(allowed(room, name) for _, name in found)


def test_a_right_import_is_let_through():
    right = "import numpy as np\nimport bpy\nfrom ...torch_bridge.recording import Maps\nfrom .. import layout"
    assert all(allowed("blender_addon", name) for _, name in imports(right, ("blender_addon", "scene")))
