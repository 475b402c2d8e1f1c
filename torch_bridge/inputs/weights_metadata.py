"""Parses what a weights file's metadata states about its network's input and classes.

Two notations are understood: JSON values under their own names (`size`, `mean`, `std`, `channels`, `crop`,
`stretch`, `interpolation`, `classes`), and a line for people under `input`, such as "RGB/255, mean=std=[.5,.5,.5],
224x224" or "as mobilenet_v2, 161x161", which refers to another file in the same folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..recording.errors import RecordingError
from ..recording.files import parse_json
from ..recording.safetensors import open_arrays
from .preprocess import INTERPOLATIONS

NUMBERS = r"\[([^\]]*)\]"
SIDES = re.compile(r"(?<![\w.])(\d{1,4})\s*[x×]\s*(\d{1,4})(?![\w.])")
SIDE = re.compile(r"(?<![\w.])(\d{2,4})(?![\w.])")
COLOUR = re.compile(r"\b(rgba|rgb|gr[ae]y|luminance)\b", re.IGNORECASE)
CHANNELS = {"rgba": 4, "rgb": 3}
SHAPE = re.compile(r"shape\s*\(\s*[A-Z]\s*,\s*([\d\s,]+)\)")


def input_facts(metadata: Mapping[str, str], path: Path) -> dict[str, Any]:
    """Returns the fields of Preprocessing that a file's metadata states; empty if it states none."""
    line = metadata.get("input", "")
    facts = _parse_line(line)
    pointer = re.match(r"as ([\w.-]*\w)", line)
    if pointer:
        facts = {**_read_neighbour(pointer[1], path), **facts}
    return {**facts, **_parse_values(metadata)}


def _parse_line(line: str) -> dict[str, Any]:
    """Returns the facts in a line written for people."""
    facts: dict[str, Any] = {}
    for names, values in re.findall(r"((?:mean|std)(?:\s*=\s*(?:mean|std))?)\s*=\s*" + NUMBERS, line):
        numbers = _floats(values)
        facts |= dict.fromkeys(re.split(r"\s*=\s*", names), numbers) if numbers else {}
    rest = re.sub(NUMBERS + r"|/\s*255", " ", line)
    if "/255" in line and "mean" not in facts:
        facts |= {"mean": (0.0,), "std": (1.0,)}
    colour, sides, side = COLOUR.search(rest), SIDES.findall(rest), SIDE.search(rest)
    if colour:
        facts["channels"] = CHANNELS.get(colour[1].lower(), 1)
    if sides:
        facts["size"] = tuple(map(int, sides[-1]))
    elif side:
        facts["size"] = (int(side[1]), int(side[1]))
    found = [name for name in INTERPOLATIONS if re.search(rf"\b{name}\b", line)]
    facts |= {"interpolation": found[0]} if found else {}
    if "resized to" in line:
        return facts | {"crop": 1.0, "stretch": True}
    return facts | ({"stretch": True} if "caffe" in line.lower() else {})  # its recipe: 256×256, then the middle


def _floats(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        return ()


def _read_neighbour(name: str, path: Path) -> dict[str, Any]:
    """Returns the facts of the first other file in the same folder whose name contains `name`."""
    others = [file for file in sorted(path.parent.glob("*.safetensors")) if name in file.stem and file != path]
    if not others:
        return {}
    try:
        return _parse_line(open_arrays(others[0])[1].get("input", ""))
    except RecordingError:
        return {}  # a damaged neighbour makes no difference to this file


def _parse_values(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Returns the facts written as JSON under their own names; values of a wrong type are left out."""
    facts: dict[str, Any] = {}
    for key, types in (("size", (int,)), ("mean", (int, float)), ("std", (int, float))):
        value = _json(metadata.get(key, ""))
        values = value if isinstance(value, list) else [value]
        if values and all(type(number) in types for number in values):
            facts[key] = tuple(values)
    for key, types in (("channels", (int,)), ("crop", (int, float))):
        value = _json(metadata.get(key, ""))
        facts |= {key: value} if type(value) in types else {}
    if metadata.get("stretch") in ("true", "false"):
        facts["stretch"] = metadata["stretch"] == "true"
    if "size" in facts:
        facts["size"] = (facts["size"][0], facts["size"][-1])
    if metadata.get("interpolation", "").strip('"') in INTERPOLATIONS:
        facts["interpolation"] = metadata["interpolation"].strip('"')
    return facts


def _json(text: str) -> Any:
    """Parses a JSON value; returns text that isn't JSON unchanged."""
    try:
        return parse_json(text)
    except ValueError:
        return text


def class_list(metadata: Mapping[str, str]) -> list[str]:
    """Returns the class names in index order; empty if the file states none."""
    names = _json(metadata.get("classes", "[]"))
    return [str(name) for name in names] if isinstance(names, list) else []


def latent_shape(metadata: Mapping[str, str]) -> tuple[int, ...]:
    """Returns the shape, without the batch, of an input that is no picture, from "shape (N,64,1,1)"; else ()."""
    found = SHAPE.search(metadata.get("input", "") + " " + metadata.get("arch", ""))
    return tuple(int(size) for size in re.findall(r"\d+", found[1])) if found else ()
