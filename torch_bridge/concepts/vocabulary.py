"""Vocabulary of the `concepts` pictures: six categories with 39 concepts, eleven paints, two tasks, three splits."""

from __future__ import annotations

import numpy as np

from ..recording.errors import UnknownName

VERSION = "1"
"""Version of the data set, which any change of a picture or a map must raise; stored in weight files and figures."""

CATEGORIES = ("scene", "object", "part", "material", "texture", "colour")
CONCEPTS = {
    "scene": ("sky", "hills", "bricks", "waves", "clouds", "rays"),
    "object": ("circle", "square", "triangle", "star", "ring", "cross", "crescent", "arrow"),
    "part": ("edge", "corner", "tip", "centre"),
    "material": ("flat", "shaded", "shiny", "bevel"),
    "texture": ("stripes", "dots", "checker", "grid", "zigzag", "noise"),
    "colour": ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"),
}
"""Concepts by category. A concept's index in its category's map is its position + 1; 0 is none (texture 0: plain)."""

ALL_CONCEPTS = tuple((category, name) for category in CATEGORIES for name in CONCEPTS[category])
"""All concepts as (category, name). A concept's global index, 1..39, is its position + 1."""

OFFSETS = tuple(sum(len(CONCEPTS[earlier]) for earlier in CATEGORIES[:k]) for k in range(len(CATEGORIES)))
"""By category: the difference of a concept's global index and its index in the category."""

_PAINTS = (
    (22, 22, 26), (244, 243, 238), (136, 140, 144), (206, 42, 40), (242, 133, 28), (247, 212, 45),
    (50, 158, 70), (38, 92, 196), (118, 54, 164), (244, 150, 190), (116, 72, 38),
)  # fmt: skip
PAINTS = np.array(_PAINTS, np.float64)
"""(11, 3) float64 sRGB 0..255, in the order of the colour concepts."""

SCENES = len(CONCEPTS["scene"])
MAIN_OBJECTS = 6
"""Number of objects that can be a class, the first ones; crescent and arrow never are."""
CRESCENT = 6
"""Position of the crescent among the objects."""

PAIRS = tuple((scene, (scene + k) % MAIN_OBJECTS) for scene in range(SCENES) for k in (0, 1))
"""Classes of the task "pair" as positions (scene, object). Each scene and each object is in two of them."""

TASKS = {
    "object": CONCEPTS["object"][:MAIN_OBJECTS],
    "pair": tuple(f"{CONCEPTS['object'][thing]} on {CONCEPTS['scene'][scene]}" for scene, thing in PAIRS),
}
"""Class names by task."""

SPLITS = {"train": 0, "validation": 1, "test": 2}


def class_names(task: str) -> tuple[str, ...]:
    """Returns the class names of a task. Raises UnknownName."""
    if task not in TASKS:
        raise UnknownName("task of concepts", task, TASKS)
    return TASKS[task]
