"""Values of command-line options: their parsers, and options as fields of dataclasses."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...blender_addon.pages.page import MM_PER_INCH
from ...blender_addon.pages.page_options import COLUMNS
from ...torch_bridge.recording.channels import parse_channels
from ...torch_bridge.recording.errors import InputError
from ...torch_bridge.recording.files import parse_json
from ...torch_bridge.server.arguments import data_argument


def size(text: str) -> tuple[int, int]:
    """Parses "1920x1080" or "224" into (width, height)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 1920x1080 (width x height) or 224")
    return int(sides[0]), int(sides[-1])


def page_width(text: str) -> float:
    """Parses "85mm" or "85", "8.5cm", "3.35in" or the name of a column's width into millimetres."""
    if text in COLUMNS:
        return COLUMNS[text]
    found = re.fullmatch(r"([0-9]{1,5}(?:\.[0-9]{1,6})?)(|mm|cm|in)", text.lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no width; write 85mm, 8.5cm, 3.35in, or {', '.join(COLUMNS)}")
    return float(found[1]) * {"": 1.0, "mm": 1.0, "cm": 10.0, "in": MM_PER_INCH}[found[2]]


def numbers(text: str) -> tuple[float, ...]:
    """Parses "0.5,0.5,0.5" into (0.5, 0.5, 0.5)."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers; write it like 0.485,0.456,0.406"
        ) from None


def channels(text: str) -> tuple[int, ...]:
    """Parses "0,3,8-11" into (0, 3, 8, 9, 10, 11); an empty list is refused."""
    try:
        found = parse_channels(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not found:
        raise argparse.ArgumentTypeError("no channels are named; write them like 0,3,8-11")
    return found


def ablated(text: str) -> tuple[str, tuple[int, ...]]:
    """Parses "layer1.0:add:0,5" into ("layer1.0:add", (0, 5))."""
    layer, _, numbers = text.rpartition(":")
    if not layer:
        raise argparse.ArgumentTypeError(f"{text!r} names no layer; write it like conv1:0,5,8-11")
    return layer, channels(numbers)


def position(text: str) -> tuple[str, int]:
    """Parses "encoder.layers.0:3" into (layer, position)."""
    layer, _, number = text.rpartition(":")
    if not layer or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not LAYER:N, with N counted from 0")
    return layer, int(number)


def setting(text: str) -> tuple[str, str]:
    """Parses "seed=3" into ("seed", "3")."""
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"{text!r} sets nothing; write it like seed=3")
    return name, value


def keyword(text: str) -> tuple[str, str]:
    """Parses "mask=mask.npy" into ("mask", "mask.npy")."""
    name, _, source = text.partition("=")
    if not name.isidentifier() or not source:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} names no argument and input; write it like mask=mask.npy")
    return name, source


def window(text: str) -> tuple[float, float]:
    """Parses "0:4095" into (0.0, 4095.0)."""
    low, _, high = text.partition(":")
    try:
        return float(low), float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no window; write its two levels like 0:4095") from None


def where(text: str) -> tuple[str, str]:
    """Parses "birds=pictures/birds" or "pictures/birds" into (name, location)."""
    return data_argument(text) if "=" in text else (Path(text).stem, text)


def keywords(text: str) -> dict[str, Any]:
    """Parses a JSON object into keyword arguments."""
    try:
        value = parse_json(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"""{text[:60]!r} is not a JSON object; write it like '{{"depth": 4}}'""")
    return value


def place(text: str) -> Path:
    """Parses the path of an output; an empty one, which would be the current folder, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("the output has no name; name a file or folder, or . for the current one")
    return Path(text)


def shard(text: str) -> tuple[int, int]:
    """Parses "2/3" into (2, 3)."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no shard; write 1/3, 2/3 and 3/3")
    return int(found[1]), int(found[2])


def iou(text: str) -> float:
    """Parses an IoU above 0, up to 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no IoU; write a number above 0 and up to 1, such as .04")
    return value


def workers(text: str) -> int:
    """Parses a number of processes, 1 to 256."""
    if not (text.isdecimal() and 1 <= int(text) <= 256):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers; write one from 1 to 256")
    return int(text)


def fields_of(dataclass: type) -> set[str]:
    """Returns the field names of a dataclass."""
    return {field.name for field in fields(dataclass)}


def set_fields(options: argparse.Namespace, dataclass: type) -> dict[str, Any]:
    """Returns the options that are set and are fields of `dataclass`; lists become tuples."""
    names = fields_of(dataclass)
    values = {name: value for name, value in vars(options).items() if name in names and value is not None}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def record_fields(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Returns RecordSpec fields from the options; a shipped network's own are the defaults."""
    from ...torch_bridge.shipped_networks import SHIPPED
    from ...torch_bridge.subject import RecordSpec
    from ..shipped import spec_fields

    known = set_fields(options, RecordSpec)
    for name in {"size", "grid"} & known.keys():
        known[name] = known[name][::-1]  # written as width x height
    ablated: dict[str, tuple[int, ...]] = {}
    for layer, channels in known.get("ablate", ()):
        ablated[layer] = ablated.get(layer, ()) + channels
    known["ablate"] = ablated
    known["positions"] = dict(known.get("positions", ()))
    known["keywords"] = _by_name(known.get("keywords", ()))
    if options.model not in SHIPPED:
        return known
    shipped = spec_fields(options.model, scratch)
    return shipped | known | {name: shipped[name] for name in ("model", "arguments")}


def _by_name(keywords: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Returns inputs by the name of their argument. Raises InputError for one that is given twice."""
    named = dict(keywords)
    if len(named) < len(keywords):
        twice = [name for name, _ in keywords if [key for key, _ in keywords].count(name) > 1]
        raise InputError(f"--keyword {twice[0]} is given twice; give each argument once")
    return named
