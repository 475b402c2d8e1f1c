"""Languages of the interface besides English: a JSON file each, which maps English texts to that language's."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

__all__ = ["register", "unregister"]

CONTEXTS = (bpy.app.translations.contexts.default, bpy.app.translations.contexts.operator_default)
"""Blender keeps names of operators apart from all other texts."""


def register() -> None:
    """Hands the languages to Blender, which shows the one that its preferences name."""
    bpy.app.translations.register(
        __package__, {file.stem: _language(file) for file in sorted(Path(__file__).parent.glob("*.json"))}
    )


def unregister() -> None:
    """Takes the languages back."""
    bpy.app.translations.unregister(__package__)


def _language(file: Path) -> dict[tuple[str, str], str]:
    texts: dict[str, str] = json.loads(file.read_text("utf-8"))
    return {(context, english): text for english, text in texts.items() for context in CONTEXTS}
