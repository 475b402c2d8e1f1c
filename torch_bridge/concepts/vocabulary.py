"""The words of the `concepts` pictures: six categories, 39 concepts, eleven paints, two tasks."""

from __future__ import annotations

import numpy as np

from ..recording.errors import UnknownName

VERSION = "1"
"""Any change of a picture or a map is a new version; it is written beside weights and figures."""

CATEGORIES = ("scene", "object", "part", "material", "texture", "colour")
CONCEPTS = {
    "scene": ("sky", "hills", "bricks", "waves", "clouds", "rays"),
    "object": ("circle", "square", "triangle", "star", "ring", "cross", "crescent", "arrow"),
    "part": ("edge", "corner", "tip", "centre"),
    "material": ("flat", "shaded", "shiny", "bevel"),
    "texture": ("stripes", "dots", "checker", "grid", "zigzag", "noise"),
    "colour": ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"),
}
"""Position + 1 is a concept's index in its category's map; 0 is none (texture 0: plain)."""

ALL_CONCEPTS = tuple((category, name) for category in CATEGORIES for name in CONCEPTS[category])
"""Position + 1 is a concept's global index, 1..39."""

OFFSETS = tuple(sum(len(CONCEPTS[earlier]) for earlier in CATEGORIES[:k]) for k in range(len(CATEGORIES)))
"""What to add to a category's index for the global one."""

PAINTS = np.array(
    [
        (22, 22, 26), (244, 243, 238), (136, 140, 144), (206, 42, 40), (242, 133, 28), (247, 212, 45),
        (50, 158, 70), (38, 92, 196), (118, 54, 164), (244, 150, 190), (116, 72, 38),
    ],
    np.float64,
)  # fmt: skip
"""(11, 3) sRGB 0..255, in the order of the colours."""

SCENES = len(CONCEPTS["scene"])
MAIN_OBJECTS = 6
"""The first six objects can be a class; crescent and arrow never are."""
CRESCENT = 6

PAIRS = tuple((scene, (scene + k) % MAIN_OBJECTS) for scene in range(SCENES) for k in (0, 1))
"""The twelve classes of task "pair": on a ring, so that neither the scene nor the object alone decides."""

TASKS = {
    "object": CONCEPTS["object"][:MAIN_OBJECTS],
    "pair": tuple(f"{CONCEPTS['object'][thing]} on {CONCEPTS['scene'][scene]}" for scene, thing in PAIRS),
}
"""Class names by task; `class_names` tells of a wrong word."""

SPLITS = {"train": 0, "validation": 1, "test": 2}


def class_names(task: str) -> tuple[str, ...]:
    """The class names of a task. Raises UnknownName."""
    if task not in TASKS:
        raise UnknownName("task of concepts", task, TASKS)
    return TASKS[task]
