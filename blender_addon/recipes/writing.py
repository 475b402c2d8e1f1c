"""Writes recipes as TOML, with a comment on each key that it could also state."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .fields import SCHEMA, SECTIONS
from .reading import FigureEntry, InputEntry, Recipe, ShotEntry

HEAD = (
    "# A recipe of Innerwalk: `innerwalk render THIS-FILE -o FOLDER` makes what it says. Lines behind # are choices.\n"
)


def write_recipe(recipe: Recipe, comments: bool = True) -> str:
    """Returns a recipe as TOML that `parse_recipe` reads again; comments: also what each section could state."""
    top = {"schema": SCHEMA, "recording": recipe.recording, "recording_sha256": recipe.recording_sha256}
    parts = [HEAD if comments else "", _section("", top, comments)]
    if recipe.network:
        network = {**recipe.network, "weights_sha256": recipe.weights_sha256}
        parts.append("\n[network]\n" + _section("network", network, comments))
    parts += ["\n[[inputs]]\n" + _section("inputs", asdict(entry), comments) for entry in recipe.inputs]
    if recipe.look or comments:
        moved = recipe.look.get("moved", {})
        parts.append("\n[look]\n" + _section("look", {**recipe.look, "moved": None}, comments))
        if moved:
            parts.append("\n[look.moved]\n" + "".join(f"{quoted(key)} = {toml_value(moved[key])}\n" for key in moved))
    parts += ["\n[[figures]]\n" + _section("figures", _stated(entry), comments) for entry in recipe.figures]
    if recipe.film:
        parts.append("\n[film]\n" + _section("film", recipe.film, comments))
    parts += ["\n[[shots]]\n" + _section("shots", _stated(entry), comments) for entry in recipe.shots]
    return "".join(parts)


def path_between(folder: Path, file: Path) -> str:
    """Returns the path of a file as a recipe in a folder names it: relative to that; both are absolute."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return file.as_posix()


def _stated(entry: FigureEntry | InputEntry | ShotEntry) -> dict[str, Any]:
    values = asdict(entry)
    return values | values.pop("options", {})


def _section(name: str, values: Mapping[str, Any], comments: bool) -> str:
    """The lines of a section: the keys that are stated, each with what it says, and the others as comments."""
    return "".join(line + "\n" for line in _lines(name, values, comments))


def _lines(name: str, values: Mapping[str, Any], comments: bool) -> Iterator[str]:
    for key, field in SECTIONS[name].items():
        value = values.get(key)
        if value or value is False or (value == 0 and key in values):
            about = f"  # {field.about}" if comments else ""
            yield f"{key} = {toml_value(value)}{about}"
        elif comments and name:
            yield f"# {key} = {field.example}  # {field.about}"


def toml_value(value: Any) -> str:
    """Returns a text, number, truth value, list or table as TOML on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        pairs = (f"{quoted(key)} = {toml_value(entry)}" for key, entry in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return repr(value)


def quoted(text: str) -> str:
    """Returns a printable text as a TOML string."""
    return json.dumps(text, ensure_ascii=False)
