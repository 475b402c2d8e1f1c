"""Languages of the interface besides English: a JSON file each, which maps English texts to that language's.

Blender's own words come first: its "Layer" is no layer of a network. What is Innerwalk's is therefore looked up in a
context of its own, and found in Blender's contexts too, where a layout names none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from ..common.translating import CONTEXT

__all__ = ["register", "unregister"]

CONTEXTS = (CONTEXT, bpy.app.translations.contexts.default, bpy.app.translations.contexts.operator_default)


def register(classes: Iterable[type], properties: Iterable[Any]) -> None:
    """Hands the languages to Blender, which shows the one that its preferences name.

    classes, properties: what is registered afterwards, and is looked up in the context of its own.
    """
    for cls in classes:
        cls.bl_translation_context = CONTEXT  # type: ignore[attr-defined]
        for base in cls.__mro__:
            if base.__module__.startswith(_INTERFACE):
                _set_context(base.__dict__.get("__annotations__", {}).values())
    _set_context(properties)
    bpy.app.translations.register(
        __package__, {file.stem: _language(file) for file in sorted(Path(__file__).parent.glob("*.json"))}
    )


def unregister() -> None:
    """Takes the languages back."""
    bpy.app.translations.unregister(__package__)


_INTERFACE = __package__.rpartition(".")[0]


def _set_context(properties: Iterable[Any]) -> None:
    for definition in properties:
        if hasattr(definition, "keywords"):  # a property that Blender hasn't created yet
            definition.keywords["translation_context"] = CONTEXT


def _language(file: Path) -> dict[tuple[str, str], str]:
    texts: dict[str, str] = json.loads(file.read_text("utf-8"))
    return {(context, english): text for english, text in texts.items() for context in CONTEXTS}
