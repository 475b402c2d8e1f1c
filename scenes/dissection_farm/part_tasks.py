"""A dissection as numbered tasks, and the files by which another process or machine opens the same one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...torch_bridge.dissection.parts import KINDS, Kind
from ...torch_bridge.dissection.run import Dissection
from ...torch_bridge.inputs.tensor_files import split_name
from ...torch_bridge.recording.errors import InputError
from ...torch_bridge.recording.files import user_path
from ..film_files.child_process import FarmWork
from ..film_files.film_bundle import MAX_FILES, FilmBundle, hash_file

PARTS = FarmWork(f"{__package__}.part_child", "part", "PyTorch")
THRESHOLDS = "thresholds.safetensors"
NAMED = ("weights", "classes", "vocabulary")
"""Options that may name a file, as MODEL does where it is a .pt2 file."""


def task_number(dissection: Dissection, kind: Kind, part: int) -> int:
    """Returns the number of a task: parts of the first pass come first."""
    return KINDS.index(kind) * len(dissection.parts) + part


def task_of(dissection: Dissection, number: int) -> tuple[Kind, int]:
    """Returns the pass and the part of a task."""
    kind, part = divmod(number, len(dissection.parts))
    return KINDS[kind], part


def missing_parts(dissection: Dissection, kind: Kind, shard: tuple[int, int]) -> list[int]:
    """Returns the parts of a shard whose results are missing or damaged."""
    own = range(shard[0] - 1, len(dissection.parts), shard[1])
    return [part for part in own if not dissection.is_there(kind, part)]


def describe(dissection: Dissection, arguments: list[str], **more: Any) -> str:
    """Returns the JSON text from which `part_child` opens the dissection. arguments: this command line's."""
    wanted = {"arguments": arguments, "about": dissection.folder.about, "data name": dissection.data.name}
    return json.dumps({**wanted, "files": {}, **more})


def bundle_dissection(
    dissection: Dissection, arguments: list[str], options: argparse.Namespace, thresholds: Path | None
) -> FilmBundle:
    """Returns what a machine without a shared disk needs: all files that the options name.

    thresholds: a file of them, for the second pass. Raises InputError for what can't be read.
    """
    files, places = dict[str, Path](), dict[str, str]()
    for name in (*NAMED, "model") if options.model.endswith(".pt2") else NAMED:
        if place := _file(getattr(options, name) or ""):
            places[name] = f"{name}/{place.name}"
            files[places[name]] = place
    inputs = [_bundled(source, f"input-{number}", files) for number, source in enumerate(options.inputs or ())]
    keywords = [(name, _bundled(source, f"keyword-{name}", files)) for name, source in options.keywords or ()]
    where = options.data[1] if options.data else ""
    if where and not where.startswith("concepts:"):
        files |= {f"data/{name}": place for name, place in _files_below(user_path(where)).items()}
        places["data"] = "data"
    if thresholds:
        files[THRESHOLDS] = thresholds
    text = describe(dissection, arguments, files=places, inputs=inputs, keywords=keywords)
    return FilmBundle(text, files, {name: hash_file(path) for name, path in files.items()})


def _bundled(source: str, folder: str, files: dict[str, Path]) -> str:
    """Returns an input as it is named in the bundle; adds its file, if it has one, in a folder of the bundle."""
    path, name = split_name(source)
    place = _file(str(path))
    if place is None:
        return source
    files[f"{folder}/{place.name}"] = place
    return f"{folder}/{place.name}" + (f":{name}" if name else "")


def _file(text: str) -> Path | None:
    """Returns the file that a text names, if it names one."""
    try:
        place = user_path(text)
        return place if place.is_file() else None
    except (OSError, ValueError):
        return None


def _files_below(folder: Path) -> dict[str, Path]:
    """Returns all files of a data set by their path in its folder. Raises InputError for too many."""
    found = {str(path.relative_to(folder).as_posix()): path for path in sorted(folder.rglob("*")) if path.is_file()}
    if len(found) > MAX_FILES:
        raise InputError(f"{folder}: {len(found):,} files; a farm is sent at most {MAX_FILES:,}: use --shard instead")
    return found


def check_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raises InputError where another machine would dissect something else."""
    found = json.loads(json.dumps(found))
    if differs := next((key for key in wanted if found.get(key) != wanted[key]), ""):
        raise InputError(f"a worker has another {differs}; the farm needs the same versions of innerwalk and PyTorch")


def thresholds_as_arrays(dissection: Dissection) -> dict[str, np.ndarray]:
    """Returns the thresholds, (U,) float32 by the layer's number, for a file."""
    return {str(number): dissection.thresholds[layer] for number, layer in enumerate(dissection.ids)}
