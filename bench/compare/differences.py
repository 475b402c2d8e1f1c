"""Differences between the results of two checkouts."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from .blend_dump import digest

VERSIONS = ("blender", "numpy", "torch", "torchvision")
"""Keys in a figure's metadata that are not compared."""
EXCERPT, CONTEXT = 90, 40
"""Characters that are shown of a value, and how many of these come before the first difference."""
CONTENT_HASH = re.compile(r"-[0-9a-f]{24}\.")
"""Data files of a recording carry the hash of their content in their names."""


def find_differences(before: Path, after: Path) -> Iterator[str]:
    """Yields a line for each difference between two files or two folders."""
    if not (before.exists() and after.exists()):
        yield f"{before.name}: only {'before' if before.exists() else 'after'}"
    elif before.is_dir():
        old, new = ({CONTENT_HASH.sub(".", path.name): path for path in folder.iterdir()} for folder in (before, after))
        for name in sorted(old.keys() | new.keys()):
            yield from find_differences(old.get(name, before / name), new.get(name, after / name))
    elif before.read_bytes() != after.read_bytes():
        lines = [f"{before.name}{line}" for line in compare_values(read_file(before), read_file(after))]
        # The bytes of two equal pictures may differ by a date or a version.
        yield from lines or ([] if before.suffix == ".png" else [f"{before.name}: not the same bytes"])


def compare_values(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yields a line with the path and excerpts of both values for each place where two JSON values differ."""
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        before, after = dict(enumerate(before)), dict(enumerate(after))
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys(), key=str):
            yield from compare_values(before.get(key, "nothing"), after.get(key, "nothing"), f"{path}/{key}")
    elif before != after or type(before) is not type(after):
        texts = [str(before), str(after)]
        start = max(len(os.path.commonprefix(texts)) - CONTEXT, 0)
        old, new = (text[start : start + EXCERPT] for text in texts)
        yield f"{path}: {old!r} became {new!r}"


def find_failure(log: Path) -> Iterator[str]:
    """Yields a line if a command ended with an unexpected status: its results prove nothing."""
    expected = 130 if log.stem == "serve" else 2 if "error" in log.stem else 0
    if log.exists() and (status := log.read_text(encoding="utf-8").split("\n", 1)[0]) != f"status {expected}":
        errors = log.with_suffix(".stderr").read_text(encoding="utf-8").strip()
        yield f"{log.parents[1].name}: {status}: {errors[-200:]}"


def read_file(path: Path) -> Any:
    """Returns the content of a file as JSON values."""
    if path.suffix == ".png":
        return describe_picture(path)
    content = path.read_bytes()
    if path.suffix == ".safetensors":
        return describe_tensors(content)
    return json.loads(content) if path.suffix == ".json" else content.decode(errors="replace").splitlines()


def describe_tensors(content: bytes) -> dict[str, Any]:
    """Returns dtype, shape and hash of each tensor of a safetensors body; `json` holds the values in its metadata."""
    (size,) = struct.unpack_from("<Q", content)
    header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
    result = {"json": json.loads(header.pop("__metadata__", {}).get("json", "null"))}
    for name, tensor in header.items():
        result[name] = [tensor["dtype"], tensor["shape"], digest(data[slice(*tensor["data_offsets"])])]
    return result


def describe_picture(path: Path) -> dict[str, Any]:
    """Returns mode, size, hash of the pixels and texts of a PNG file, without dates and versions."""
    with Image.open(path) as image:
        result: dict[str, Any] = {"mode": image.mode, "size": image.size, "pixels": digest(image.tobytes())}
        texts = {str(key): text for key, text in image.info.items() if isinstance(text, str)}
    result |= {key: text for key, text in texts.items() if "date" not in key.lower()}
    if "innerwalk" in texts:
        result["innerwalk"] = json.loads(texts["innerwalk"], object_hook=remove_versions)
    return result


def remove_versions(values: dict[str, Any]) -> dict[str, Any]:
    """Returns a JSON object without the keys of VERSIONS."""
    return {key: value for key, value in values.items() if key not in VERSIONS}
