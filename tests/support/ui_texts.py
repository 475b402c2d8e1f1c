"""The texts of the interface that Blender can translate, found in registered classes and in the source.

`python -m innerwalk.tests.support.ui_texts` lists what a language's file lacks and what it has too much.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
UI = ROOT / "blender_addon" / "ui"
LANGUAGES = UI / "translations"
TEXT_ARGUMENTS = {"text", "title", "message", "heading", "placeholder"}
"""Keyword arguments of layouts and dialogs that are texts."""
TEXT_CALLS = {
    "poll_message_set": 0,
    "translated": 0,
    "translatable": 0,
    "draw_lines": 1,
    "report": 1,
    "status_text_set": 0,
}
"""Calls whose argument at a position is a text."""
LETTERS = re.compile(r"[^\W\d_]{2}")


def class_texts() -> Iterator[str]:
    """Labels, tooltips and items of everything that the extension registers; it must be registered."""
    import bpy

    from innerwalk.blender_addon import ui

    for cls in ui.registered("CLASSES"):
        yield getattr(cls, "bl_label", "")
        operator = cls.bl_idname.partition(".")[2] if issubclass(cls, bpy.types.Operator) else ""
        described = getattr(bpy.ops.innerwalk, operator).get_rna_type() if operator else cls.bl_rna
        if operator:
            yield described.description
        for name in own_properties(cls):
            if name in described.properties:
                yield from property_texts(described.properties[name])
    for setting in ("colour_map", "normalisation", "theme"):  # lists that Blender gets when it draws them
        for _, name, description in ui.colours_panel._items(setting):
            yield from (name, description)
    for owner, name, _ in ui.registered("PROPERTIES"):
        yield from property_texts(owner.bl_rna.properties[name])


def own_properties(cls: type) -> set[str]:
    """The properties that a class and its bases of ours define; `name` is Blender's own, with its own translation."""
    ours = [base for base in cls.__mro__ if ".blender_addon." in base.__module__]
    return {name for base in ours for name in base.__dict__.get("__annotations__", ())} - {"name"}


def property_texts(prop: Any) -> Iterator[str]:
    """Name, tooltip and fixed items of a property, but a name that is only its identifier is never shown."""
    if prop.is_hidden or prop.name == prop.identifier:
        return
    yield from (prop.name, prop.description)
    for item in getattr(prop, "enum_items", ()):
        yield from (item.name, item.description)


def source_texts() -> Iterator[tuple[str, str, bool]]:
    """(place, text, whether it is an f-string) of each text that the source of the interface hands to a layout."""
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                for value in text_arguments(node):
                    for text, formatted in constants(value):
                        if LETTERS.search(text):
                            yield f"{path.relative_to(ROOT)}:{node.lineno}", text, formatted


def layout_texts() -> set[str]:
    """The texts that layouts get as they are, and that Blender translates by words of its own where it has them."""
    trees = [ast.parse(path.read_text("utf-8")) for path in UI.rglob("*.py")]
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    values = (keyword.value for call in calls for keyword in call.keywords if keyword.arg in TEXT_ARGUMENTS)
    return {text for value in values for text, formatted in constants(value) if not formatted}


def text_arguments(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of a call that are texts of the interface."""
    yield from (keyword.value for keyword in call.keywords if keyword.arg in TEXT_ARGUMENTS)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    position = TEXT_CALLS.get(name)
    if position is not None and len(call.args) > position:
        yield call.args[position]


def constants(node: ast.expr) -> Iterator[tuple[str, bool]]:
    """The texts that an expression can be, and whether each is an f-string, whose own letters are given."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, False
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value for part in node.values if isinstance(part, ast.Constant)), True
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from constants(value)
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def fact_names() -> Iterator[str]:
    """The names of facts that the inspector writes before their values."""
    for node in ast.walk(ast.parse((ROOT / "blender_addon" / "actions" / "inspecting.py").read_text("utf-8"))):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(name := node.elts[0], ast.Constant):
            if str(name.value)[:1].isupper():
                yield str(name.value)


def all_texts() -> set[str]:
    """Every text of the interface that needs a translation."""
    plain = {text for _, text, formatted in source_texts() if not formatted}
    return {text for text in {*class_texts(), *fact_names(), *plain} if LETTERS.search(text)}


def language(name: str) -> dict[str, str]:
    """A language's texts by the English ones."""
    return json.loads((LANGUAGES / f"{name}.json").read_text("utf-8"))


if __name__ == "__main__":
    import os

    from innerwalk import blender_addon

    blender_addon.register()
    found, known = all_texts(), language(sys.argv[1] if len(sys.argv) > 1 else "de")
    print(json.dumps({text: "" for text in sorted(found - known.keys())}, ensure_ascii=False, indent=1))
    print("too much:", json.dumps(sorted(known.keys() - found), ensure_ascii=False, indent=1), flush=True)
    os._exit(0)  # without Blender's destructors
