"""Mutants of a hall's properties, as a stranger's .blend file may hold them: read and rebuilt, or refused."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import bpy
import numpy as np

from ..blender_addon.properties import PANEL_METADATA
from ..blender_addon.scene.hall import store
from ..blender_addon.scene.hall.build import create_hall, rebuild_hall
from .fuzz_recordings import sample
from .fuzzing import Counts

MUTANTS = 500
VALUES: tuple[Any, ...] = (
    None, 0, -1, 1, 7, 2**31 - 1, -(2**31), 0.5, -1e300, math.nan, math.inf, "", "a", "\n", "x" * 100_000, "{}", "[1]",
    True, [0, 0], [1, 2, 3], [0.0, 0.0, 0.0], [1.0] * 4, [math.nan] * 4, [1e9] * 4, [-1.0] * 16, {"a": 1}, ["a", "b"],
)  # fmt: skip
"""What a property is replaced by; None removes it."""


def measure() -> dict[str, Any]:
    """Returns the counts of mutants of properties."""
    return {"properties of a .blend file": try_mutants(MUTANTS, seed=0).table()}


def try_mutants(count: int, seed: int) -> Counts:
    """Builds a hall for each mutant, changes a property or a stored text, and rebuilds it from what it stores."""
    rng, counts = np.random.default_rng(seed), Counts()
    for _ in range(count):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = create_hall(sample())
        what = _mutate(scene, rng)
        counts.attempt(what, partial(_read, scene))
    return counts


def _read(scene: bpy.types.Scene) -> None:
    if store.is_hall(scene):
        rebuild_hall(scene)


def _mutate(scene: bpy.types.Scene, rng: np.random.Generator) -> str:
    """Changes one property, or some characters of a text; returns what was changed."""
    blocks = [scene, *scene.objects, *bpy.data.images, *bpy.data.materials, *bpy.data.texts]
    places = [(block, key) for block in blocks for key in block.keys() if key.startswith("innerwalk")]
    block, key = places[rng.integers(len(places))]
    if isinstance(block[key], bpy.types.Text) or (isinstance(block[key], str) and key == PANEL_METADATA):
        is_text = isinstance(block[key], bpy.types.Text)
        changed = _changed(block[key].as_string() if is_text else block[key], rng)
        if is_text:
            block[key].clear()
            block[key].write(changed)
        else:
            block[key] = changed
        return f"{block.name}: characters of {key}"
    value = VALUES[rng.integers(len(VALUES))]
    if rng.random() < 0.1:
        value = bpy.data.objects[int(rng.integers(len(bpy.data.objects)))]
    if value is None:
        del block[key]
    else:
        block[key] = value
    return f"{block.name}: {key} = {str(value)[:40]}"


def _changed(text: str, rng: np.random.Generator) -> str:
    place, alphabet = int(rng.integers(len(text))), '{}[]",:0123456789-.eE\\ntrufals\u0000\ud7ff'
    junk = "".join(alphabet[k] for k in rng.integers(0, len(alphabet), rng.integers(0, 4)))
    return text[:place] + junk + text[place + int(rng.integers(0, 4)) :]
