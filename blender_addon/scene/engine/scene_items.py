"""What a scene shows, as items that the engine draws; after a change only what has changed is read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

import bpy
import numpy as np
from gpu.types import GPUUniformBuf

from .drawn_items import UNSEEN, NotOfHallError, Shape, read_shape
from .graphics_data import GraphicsCache, Key, uniform_block
from .sampling import box_corners
from .shaders import item_block


@dataclass(frozen=True)
class DrawnItem:
    """A shape at a place of the world."""

    shape: Shape
    to_world: np.ndarray
    """(4, 4) float64, from the shape's coordinates."""
    corners: np.ndarray
    """(8, 3) float64: those of the box that it fills, in the world."""
    block: GPUUniformBuf


class SceneItems:
    """The items of one scene, from one picture of it to the next."""

    def __init__(self) -> None:
        self.items: list[DrawnItem] = []
        """All that the scene shows, in no particular order."""
        self.corners = np.zeros((0, 8, 3))
        """(n, 8, 3) float64: those of each item's box, in the world."""
        self.undrawn: list[str] = []
        """A line on each object that is not of a hall."""
        self._uploads = GraphicsCache()
        self._shapes: dict[int, tuple[Shape | NotOfHallError | None, set[Key]]] = {}
        """By an object's session id: what it shows, and the keys of its uploads."""
        self._placed: dict[Key, DrawnItem] = {}
        self._is_known = False
        self._changed = set[int]()
        """Session ids of data-blocks that have changed since the scene was read."""

    def note_updates(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Notes what has just been evaluated, to read it when it is drawn next."""
        self._changed.update(update.id.original.session_uid for update in depsgraph.updates)

    def forget(self) -> None:
        """Reads all of the scene when it is drawn next, as after undo."""
        self._is_known = False

    def update(self, depsgraph: bpy.types.Depsgraph) -> bool:
        """Reads what has changed; returns whether anything has. Needs a graphics context."""
        if self._is_known and not self._changed:
            return False
        self._forget_changed()
        placed, self.undrawn, is_view = {}, [], depsgraph.mode == "VIEWPORT"
        shown = set[int]()
        for instance in depsgraph.object_instances:  # each is valid only until the next
            holder = instance.object
            if holder.type in UNSEEN or not instance.show_self or not holder.visible_camera:
                continue
            id = holder.original.session_uid
            shown.add(id)
            shape = self._shape(id, holder, is_view)
            if isinstance(shape, NotOfHallError):
                self.undrawn.append(str(shape))
            elif shape is not None:
                key = id, instance.parent and instance.parent.original.session_uid, tuple(instance.persistent_id)
                placed[key] = _place(shape, np.array(instance.matrix_world, np.float64), self._placed.get(key))
        self._placed, self.items = placed, list(placed.values())
        self.corners = np.array([item.corners for item in self.items]).reshape(-1, 8, 3)
        self._shapes = {id: self._shapes[id] for id in shown}
        used = set[Key]().union(*(keys for _, keys in self._shapes.values()))
        self._uploads.forget(lambda *key: key not in used)
        self._is_known = True
        return True

    def _forget_changed(self) -> None:
        """Forgets shapes whose data-blocks have changed; what was uploaded for them stays until it isn't used."""
        changed = self._changed
        self._shapes = {
            id: known
            for id, known in (self._shapes.items() if self._is_known else ())
            if id not in changed and _is_lasting(known[0]) and not changed & known[0].sources
        }
        self._changed = set()

    def _shape(self, id: int, holder: bpy.types.Object, is_view: bool) -> Shape | NotOfHallError | None:
        if id not in self._shapes:
            try:
                shape: Shape | NotOfHallError | None = read_shape(holder, is_view, self._uploads)
            except NotOfHallError as error:
                shape = error
            self._shapes[id] = shape, self._uploads.take_got()
        return self._shapes[id][0]


def _is_lasting(shape: Shape | NotOfHallError | None) -> TypeGuard[Shape]:
    """Returns whether what was read stays true while its data-blocks stay: Blender renews pictures by itself."""
    return isinstance(shape, Shape) and shape.kind != "picture"


def _place(shape: Shape, to_world: np.ndarray, before: DrawnItem | None) -> DrawnItem:
    """Returns a shape at a place; the item of before if that is the same."""
    if before is not None and before.shape is shape and np.array_equal(before.to_world, to_world):
        return before
    corners = box_corners(shape.low, shape.high) @ to_world[:3, :3].T + to_world[:3, 3]
    return DrawnItem(shape, to_world, corners, uniform_block(item_block(shape.fields | {"to_world": to_world})))
