"""The JSON schema of recipes, for editors that complete and check TOML files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import REPEATED, SECTIONS, RecipeField


def json_schema() -> dict[str, Any]:
    """Returns the schema of a recipe, in the words of JSON schema 2020-12."""
    top = _table(SECTIONS[""])
    for name, fields in SECTIONS.items():
        if name:
            table = _table(fields)
            top["properties"][name] = {"type": "array", "items": table} if name in REPEATED else table
    both = [{"required": ["recording"]}, {"required": ["network"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Innerwalk recipe",
        **top,
        "oneOf": both,
    }


def _table(fields: Mapping[str, RecipeField]) -> dict[str, Any]:
    properties = {name: {"description": found.about, **found.kind.schema} for name, found in fields.items()}
    needed = [name for name, found in fields.items() if found.is_needed]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
