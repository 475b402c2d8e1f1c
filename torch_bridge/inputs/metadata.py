"""What a weights file's metadata states about its network's input and classes.

Two ways of writing are understood: JSON values under their own names (`size`, `mean`, `std`, `channels`, `crop`,
`stretch`, `interpolation`, `classes`), and a line for people under `input`, such as "RGB/255, mean=std=[.5,.5,.5],
224x224" or "as mobilenet_v2, 161x161", which points to a file beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..recording.errors import RecordingError
from ..recording.safetensors import open_arrays
from .preprocess import INTERPOLATIONS

NUMBERS = r"\[([^\]]*)\]"
SIDES = re.compile(r"(?<![\w.])(\d{1,4})\s*[x×]\s*(\d{1,4})(?![\w.])")
SIDE = re.compile(r"(?<![\w.])(\d{2,4})(?![\w.])")
COLOUR = re.compile(r"\b(rgba|rgb|gr[ae]y|luminance)\b", re.IGNORECASE)
CHANNELS = {"rgba": 4, "rgb": 3}
SHAPE = re.compile(r"shape\s*\(\s*[A-Z]\s*,\s*([\d\s,]+)\)")


def input_facts(metadata: Mapping[str, str], path: Path) -> dict[str, Any]:
    """The fields of Preprocessing that a file's metadata states; empty where it states none."""
    line = metadata.get("input", "")
    facts = _of_line(line)
    pointer = re.match(r"as ([\w.-]*\w)", line)
    if pointer:
        facts = {**_of_neighbour(pointer[1], path), **facts}
    return {**facts, **_of_values(metadata)}


def _of_line(line: str) -> dict[str, Any]:
    """Facts from a sentence."""
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
    named = [name for name in INTERPOLATIONS if re.search(rf"\b{name}\b", line)]
    facts |= {"interpolation": named[0]} if named else {}
    if "resized to" in line:
        return facts | {"crop": 1.0, "stretch": True}
    return facts | ({"stretch": True} if "caffe" in line.lower() else {})  # its recipe: 256×256, then the middle


def _floats(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        return ()


def _of_neighbour(name: str, path: Path) -> dict[str, Any]:
    """Facts of the one file in the same folder whose name has `name` in it."""
    found = [one for one in sorted(path.parent.glob("*.safetensors")) if name in one.stem and one != path]
    if not found:
        return {}
    try:
        return _of_line(open_arrays(found[0])[1].get("input", ""))
    except RecordingError:
        return {}  # a damaged neighbour is no fault of this file


def _of_values(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Facts written as JSON under their own names; what is no number where one belongs is left out."""
    facts: dict[str, Any] = {}
    for key, wanted in (("size", (int,)), ("mean", (int, float)), ("std", (int, float))):
        value = _json(metadata.get(key, ""))
        values = value if isinstance(value, list) else [value]
        if values and all(type(one) in wanted for one in values):
            facts[key] = tuple(values)
    for key, wanted in (("channels", (int,)), ("crop", (int, float))):
        value = _json(metadata.get(key, ""))
        facts |= {key: value} if type(value) in wanted else {}
    if metadata.get("stretch") in ("true", "false"):
        facts["stretch"] = metadata["stretch"] == "true"
    if "size" in facts:
        facts["size"] = (facts["size"][0], facts["size"][-1])
    if metadata.get("interpolation", "").strip('"') in INTERPOLATIONS:
        facts["interpolation"] = metadata["interpolation"].strip('"')
    return facts


def _json(text: str) -> Any:
    """A JSON value; text that isn't JSON is itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def class_list(metadata: Mapping[str, str]) -> list[str]:
    """Class names in index order; empty where the file states none."""
    names = _json(metadata.get("classes", "[]"))
    return [str(name) for name in names] if isinstance(names, list) else []


def latent_shape(metadata: Mapping[str, str]) -> tuple[int, ...]:
    """Shape without the batch of an input that is no picture, from "shape (N,64,1,1)"; () where none is stated."""
    found = SHAPE.search(metadata.get("input", "") + " " + metadata.get("arch", ""))
    return tuple(int(size) for size in found[1].split(",") if size.strip()) if found else ()
