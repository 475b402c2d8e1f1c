"""Mutants of recipes: read, or refused in one line, in seconds and megabytes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..blender_addon.recipes import FigureEntry, InputEntry, Recipe, ShotEntry, parse_recipe, write_recipe
from .fuzzing import Counts, mutate_bytes

RECIPES = 4000
RECIPE = Recipe(
    network={"model": "resnet18", "weights": "a.safetensors", "size": [64, 48], "ablate": {"layer1": [0, 5]}},
    inputs=(InputEntry("a.png"), InputEntry("noise:1", "mask")),
    look={"theme": "paper", "gain": 2.0, "moved": {"fc": [1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}},
    figures=(FigureEntry("a.png"), FigureEntry("b.png", "grad_cam", ["layer4*"], [1, 2], {"of_class": 3})),
    film={"output": "film.mp4", "size": [960, 540], "rate": 30},
    shots=(ShotEntry("tour"), ShotEntry("split", "owl"), ShotEntry("dolly", options={"layer": "fc", "channel": 3})),
)
ODD_VALUES = (
    "1", "-1", "0.0", "1e400", "nan", "inf", "true", '""', '"a"', '"../a.png"', '"/etc/passwd"', "[]", "[[]]", "{}",
    "[1, 2, 3]", "{a = [1]}", "9" * 400, "9" * 5000, "[" * 2000, '"""', "'''", "1979-05-27", '"\\u0000"', '"\\uD800"',
    '"' + "x" * 5000 + '"', "{a = {a = {a = 1}}}", "[" + "1, " * 3000 + "1]", "a." * 3000 + "b = 1",
    "{" + "a." * 400 + "b = 1}",
)  # fmt: skip
"""Values as TOML, some of them broken."""


def measure() -> dict[str, Any]:
    """Returns the counts of mutants."""
    return {"recipes": try_recipes(RECIPES, seed=0).table()}


def try_recipes(count: int, seed: int) -> Counts:
    """Changes a value or some bytes of a recipe, and reads it as `render` does before it draws."""
    rng, counts = np.random.default_rng(seed), Counts()
    honest = write_recipe(RECIPE)
    for _ in range(count):
        if rng.random() < 0.7:
            lines = honest.split("\n")
            k = int(rng.integers(len(lines)))
            lines[k] = (
                f"{lines[k].partition(' = ')[0].removeprefix('# ')} = {ODD_VALUES[rng.integers(len(ODD_VALUES))]}"
            )
            text, what = "\n".join(lines), lines[k][:60]
        else:
            text, what = mutate_bytes(honest.encode(), rng, len(honest)).decode("utf-8", "replace"), "bytes"
        counts.attempt(what, partial(parse_recipe, text))
    return counts
