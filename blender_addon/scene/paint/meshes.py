"""Everything coloured in a hall: rectangles and words in few meshes, with one material and a colour a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording.errors import UnknownName
from ...imaging import colour
from ...layout import boards
from ...layout.text_fitting import Align, Font
from ...properties import LAID_ATTRIBUTE, OBJECT_ROLE, PAINT_ATTRIBUTE, PAINT_MATERIAL_STAMP
from ..materials.nodes import STAMP, ensure
from ..materials.panel_material import emission
from ..materials.shading import AIR
from . import colour_uvs, glyphs


def palette(theme: str) -> dict[str, np.ndarray]:
    """(3,) linear colour of every role of a theme. Raises UnknownName."""
    if theme not in colour.THEMES:
        raise UnknownName("theme", theme, colour.THEMES)
    return {role: np.array(colour.linear(code)) for role, code in colour.THEMES[theme].items()}


def paint_material() -> bpy.types.Material:
    """The file's one material for everything painted: it emits the colour attribute through the air."""
    found = next((one for one in bpy.data.materials if one.get(PAINT_MATERIAL_STAMP) == STAMP), None)
    if found is not None:
        return found
    material, nodes = emission("Innerwalk paint")
    material[PAINT_MATERIAL_STAMP] = STAMP
    air = nodes.add("ShaderNodeGroup", node_tree=ensure(AIR))
    nodes.set(air.inputs[0], nodes.attribute(PAINT_ATTRIBUTE, part="Color"))
    light = nodes.add("ShaderNodeEmission", {"Color": air.outputs[0]})
    nodes.add("ShaderNodeOutputMaterial", {0: light.outputs[0]})
    return material


@dataclass(frozen=True)
class Plane:
    """Where something is painted: an origin and two axes, metres; its viewer stands at right × up."""

    at: np.ndarray
    right: np.ndarray
    up: np.ndarray

    def points(self, x: np.ndarray, y: np.ndarray, lift: float = 0.0) -> np.ndarray:
        """(…, 3) world points of plane coordinates, lifted towards the viewer."""
        x, y = np.asarray(x, float)[..., None], np.asarray(y, float)[..., None]
        return self.at + x * self.right + y * self.up + lift * self.normal

    def moved(self, x: float, y: float, lift: float = 0.0) -> Plane:
        return Plane(self.points(np.array(x), np.array(y), lift), self.right, self.up)

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.right, self.up)

    def matrix(self) -> np.ndarray:
        """(4, 4) plane to world, as Blender's `matrix_world`."""
        found = np.eye(4)
        found[:3] = np.stack([self.right, self.up, self.normal, self.at], 1)
        return found


FLAT = Plane(np.zeros(3), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
"""The plane of an object's own x and y."""


def wall(at: np.ndarray | tuple[float, float, float], yaw: float) -> Plane:
    """A standing face, its lower left corner at `at`; yaw 0 faces -y."""
    return Plane(np.asarray(at, float), *boards.wall(yaw))


def ground(at: np.ndarray | tuple[float, float, float], yaw: float = 0.0) -> Plane:
    """A lying face, seen from above."""
    return Plane(np.asarray(at, float), *boards.ground(yaw))


@dataclass(frozen=True)
class Kit:
    """What everything painted needs: the colours of a theme, and the collection it goes into."""

    palette: dict[str, np.ndarray]
    collection: bpy.types.Collection

    @classmethod
    def of(cls, theme: str, collection: bpy.types.Collection) -> Kit:
        """The kit of a theme. Raises UnknownName."""
        return cls(palette(theme), collection)


class Paint:
    """Collects coloured faces; `build` makes one object of them."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self._points: list[np.ndarray] = []
        self._colours: list[np.ndarray] = []
        self._faces: dict[int, list[np.ndarray]] = {3: [], 4: []}
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def colour(self, name: str | np.ndarray) -> np.ndarray:
        """(3,) linear colour of a role, or a linear colour itself."""
        return self.kit.palette[name] if isinstance(name, str) else name

    def _add(self, points: np.ndarray, faces: np.ndarray, colour: np.ndarray) -> None:
        """points (n, 3), faces (m, 3 or 4) into them, colour (3,) or (n, 3)."""
        self._points.append(points)
        self._colours.append(np.broadcast_to(colour, (len(points), 3)))
        self._faces[faces.shape[1]].append(faces + self._count)
        self._count += len(points)

    def quads(self, corners: np.ndarray, colours: np.ndarray | str) -> None:
        """corners (n, 4, 3) metres; colours: a role or (n, 3) linear."""
        tint = self.colour(colours)
        each = np.repeat(tint, 4, 0) if tint.ndim == 2 else tint
        self._add(corners.reshape(-1, 3), np.arange(4 * len(corners)).reshape(-1, 4), each)

    def box(
        self, plane: Plane, x: tuple[float, float], y: tuple[float, float], colour: str | np.ndarray, lift: float = 0.0
    ) -> None:
        """A rectangle from x[0] to x[1] and from y[0] to y[1] of the plane."""
        corners = plane.points(np.array([x[0], x[1], x[1], x[0]]), np.array([y[0], y[0], y[1], y[1]]), lift)
        self.quads(corners[None], self.colour(colour))

    def frame(
        self, plane: Plane, size: tuple[float, float], rim: str = "frame", margin: float = 0.05, line: float = 0.022
    ) -> None:
        """A rim around a rectangle from (0, 0) to `size`, with a board inside."""
        for inset, tint, lift in ((margin, rim, 0.0), (margin - line, "board", 0.006)):
            self.box(plane, (-inset, size[0] + inset), (-inset, size[1] + inset), tint, lift)

    def ribbon(self, path: np.ndarray, width: float, colour: str | np.ndarray) -> None:
        """A strip along a path (n, 3): flat on its way, upright where the path climbs."""
        steps = np.diff(path, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        keep = lengths > 1e-4
        start, end, step = path[:-1][keep], path[1:][keep], steps[keep] / lengths[keep, None]
        flat = (np.abs(step[:, 2]) < 0.9)[:, None]
        across = np.stack([-step[:, 1], step[:, 0], 0 * step[:, 0]], 1)
        side = np.where(flat, across, [1.0, 0.0, 0.0]) * width / 2
        over = np.where(flat, step * width * 0.2, 0.0)  # joints of two pieces overlap a little
        self.quads(
            np.stack([start - side - over, end - side + over, end + side + over, start + side - over], 1), colour
        )

    def words(
        self, plane: Plane, body: str, size: float, colour: str | np.ndarray = "text", *,
        x: float = 0.0, y: float = 0.0, align: Align = "left", family: Font = "sans", lift: float = 0.03,
    ) -> float:  # fmt: skip
        """A line of text at (x, y) of the plane; returns its width in metres."""
        shape = glyphs.word(body, family)
        start = x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * shape.width * size
        points = plane.points(shape.points[:, 0] * size + start, shape.points[:, 1] * size + y, lift)
        self._add(points, shape.triangles, self.colour(colour))
        return shape.width * size

    def build(self, name: str, role: str, at: Plane = FLAT) -> bpy.types.Object:
        """One mesh object of all that was collected, found again by its role; its own x and y are those of `at`."""
        mesh = bpy.data.meshes.new(name)
        mesh.materials.append(paint_material())
        self._write(mesh)
        holder = bpy.data.objects.new(name, mesh)
        holder[OBJECT_ROLE] = role
        holder.matrix_world = Matrix(at.matrix().tolist())
        self.kit.collection.objects.link(holder)
        return holder

    def repaint(self, holder: bpy.types.Object) -> None:
        """The same in place of what is on an object that `build` has made."""
        holder.data.clear_geometry()
        self._write(holder.data)

    def lay(self, holder: bpy.types.Object) -> None:
        """On top of what is on an object that `build` has made, in place of what was laid there before."""
        whole, (points, colours, faces) = Paint(self.kit), _own(holder.data)
        whole._points, whole._colours, whole._count = [points], [colours], len(points)
        whole._faces = {corners: [one] for corners, one in faces.items()}
        for corners, groups in self._faces.items():
            whole._faces[corners] += [group + len(points) for group in groups]
        whole._points += self._points
        whole._colours += self._colours
        whole._count += self._count
        whole.repaint(holder)
        laid = np.arange(whole._count) >= len(points)
        holder.data.attributes.new(LAID_ATTRIBUTE, "BOOLEAN", "POINT").data.foreach_set("value", laid)

    def _write(self, mesh: Any) -> None:
        fill(mesh, np.concatenate(self._points), self._faces)
        colours = np.ones((self._count, 4), np.float32)
        colours[:, :3] = np.concatenate(self._colours)
        mesh.attributes.new(PAINT_ATTRIBUTE, "FLOAT_COLOR", "POINT").data.foreach_set("color", colours.ravel())
        if any(map(colour_uvs.is_dipped, mesh.materials)):
            colour_uvs.dye(mesh)


def fill(mesh: bpy.types.Mesh, points: np.ndarray, faces: dict[int, list[np.ndarray]]) -> None:
    """Set the vertices (n, 3) and the faces, by their three or four corners, of an empty mesh."""
    groups = [np.concatenate(group).astype(np.int32) for group in faces.values() if group]
    sizes = np.concatenate([np.full(len(group), group.shape[1], np.int32) for group in groups])
    mesh.vertices.add(len(points))
    mesh.loops.add(int(sizes.sum()))
    mesh.polygons.add(len(sizes))
    mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
    mesh.loops.foreach_set("vertex_index", np.concatenate([group.ravel() for group in groups]))
    mesh.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32))
    mesh.update(calc_edges=True)


def _own(mesh: Any) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    """Points (n, 3), linear colours (n, 3), faces (m, corners) by corners of a painted mesh, without what was laid."""
    count = len(mesh.vertices)
    if LAID_ATTRIBUTE in mesh.attributes:
        laid = np.zeros(count, bool)
        mesh.attributes[LAID_ATTRIBUTE].data.foreach_get("value", laid)
        count = int(np.count_nonzero(~laid))
    points, colours = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(4 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    mesh.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", colours)
    starts, corners = np.zeros(len(mesh.polygons), np.int32), np.zeros(len(mesh.loops), np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.loops.foreach_get("vertex_index", corners)
    sizes, faces = np.diff(np.append(starts, len(corners))), {}
    for size in (3, 4):
        found = corners[starts[sizes == size][:, None] + np.arange(size)]
        faces[size] = found[(found < count).all(1)]
    return points.reshape(-1, 3)[:count].astype(float), colours.reshape(-1, 4)[:count, :3].astype(float), faces
