"""What pointing at something in a hall does, by its role: with the mouse, with a hand in VR, or from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bpy
from mathutils import Vector

from ..properties import OBJECT_ROLE
from ..scene.hall import pick as rays
from ..scene.hall.pick import Hit
from .selecting import select
from .shelf import held, pointed_input, pointed_shelf


def pick(scene: bpy.types.Scene, origin: Sequence[float], direction: Sequence[float]) -> str:
    """Do what pointing along a ray (world, metres) means; "" where nothing of the hall is met."""
    hit = rays.pick(scene, rays.depsgraph_of(scene), Vector(origin), Vector(direction))
    return "" if hit is None or not means(scene, hit) else POINTED[kind(hit)](scene, hit)


def means(scene: bpy.types.Scene, hit: Hit) -> bool:
    """Whether pointing there does something; at the input's frame only while a picture of the shelf is held."""
    return kind(hit) in POINTED and (hit.role != "input" or held(scene) >= 0)


def kind(hit: Hit) -> str:
    """The hit's role; "floor" for empty ground."""
    holder: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    return "floor" if holder is not None and holder.get(OBJECT_ROLE) == "floor" else hit.role


def _panel(scene: bpy.types.Scene, hit: Hit) -> str:
    return select(scene, hit.layer, hit.channel)


def _floor(scene: bpy.types.Scene, hit: Hit) -> str:
    return select(scene, "")


POINTED: dict[str, Callable[[bpy.types.Scene, Hit], str]] = {
    "panel": _panel, "floor": _floor, "shelf": pointed_shelf, "input": pointed_input,
}  # fmt: skip
"""What is done by the role of what was pointed at: panel, input, shelf, answer, floor."""
