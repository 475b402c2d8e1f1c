"""Draws plans in Blender: few meshes with one material and a colour for each point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...plans.primitives import ALIGNED, Faces, Plan, TextRun
from ...properties import ANNOTATION_ATTRIBUTE, BOARD_NUMBER, OBJECT_ROLE, PAINT_ATTRIBUTE, PAINT_MATERIAL_STAMP
from ..materials.nodes import STAMP, ensure_group, spread_nodes
from ..materials.panel_material import create_emission_material
from ..materials.panel_shader import FOG
from . import glyphs


def paint_material() -> bpy.types.Material:
    """Returns the file's one material for plans: it emits the colour attribute through the fog."""
    found = next((each for each in bpy.data.materials if each.get(PAINT_MATERIAL_STAMP) == STAMP), None)
    if found is not None:
        return found
    material, nodes = create_emission_material("Innerwalk paint")
    material[PAINT_MATERIAL_STAMP] = STAMP
    fog = nodes.add("ShaderNodeGroup", node_tree=ensure_group(FOG))
    nodes.set_input(fog.inputs[0], nodes.attribute(PAINT_ATTRIBUTE, output="Color"))
    light = nodes.add("ShaderNodeEmission", {"Color": fog.outputs[0]})
    nodes.add("ShaderNodeOutputMaterial", {0: light.outputs[0]})
    spread_nodes(nodes.tree)
    return material


@dataclass(frozen=True)
class PaintedMesh:
    """The geometry of a plan, with its texts as triangles."""

    points: np.ndarray
    """(n, 3) float, metres."""
    colours: np.ndarray
    """(n, 3) float, linear RGB."""
    faces: dict[int, np.ndarray]
    """By number of corners, 3 and 4: (m, corners) int, indices of points."""

    def __add__(self, other: PaintedMesh) -> PaintedMesh:
        count = len(self.points)
        return PaintedMesh(
            np.concatenate([self.points, other.points]),
            np.concatenate([self.colours, other.colours]),
            {size: np.concatenate([self.faces[size], other.faces[size] + count]) for size in (3, 4)},
        )


def painted_mesh(plan: Plan) -> PaintedMesh:
    """Returns the geometry of all that a plan holds, in its order."""
    points, colours = [np.zeros((0, 3))], [np.zeros((0, 3))]
    faces = {size: [np.zeros((0, size), int)] for size in (3, 4)}
    count = 0
    for item in plan.items:
        part = _glyph_faces(item) if isinstance(item, TextRun) else item
        points.append(part.points)
        colours.append(part.colours)
        faces[part.corners.shape[1]].append(part.corners + count)
        count += len(part.points)
    joined = {size: np.concatenate(groups) for size, groups in faces.items()}
    return PaintedMesh(np.concatenate(points), np.concatenate(colours), joined)


def _glyph_faces(run: TextRun) -> Faces:
    """Returns the triangles of a line of text."""
    shape = glyphs.text_shape(run.text, run.font)
    start = run.x - ALIGNED[run.align] * shape.width * run.size
    points = run.plane.points(shape.points[:, 0] * run.size + start, shape.points[:, 1] * run.size + run.y, run.lift)
    return Faces(points, shape.triangles, np.broadcast_to(run.colour, points.shape))


def add_plan(
    plan: Plan, collection: bpy.types.Collection, *, name: str = "", parent: bpy.types.Object | None = None
) -> bpy.types.Object:
    """Adds one mesh object with a plan's faces and texts, in the plan's role and where it is placed.

    name: in place of the plan's. parent: the object in whose coordinates the plan is, in place of its placement.
    """
    mesh = bpy.data.meshes.new(name or plan.name)
    mesh.materials.append(paint_material())
    _write(mesh, painted_mesh(plan))
    holder = bpy.data.objects.new(name or plan.name, mesh)
    holder[OBJECT_ROLE] = plan.role
    if plan.number:
        holder[BOARD_NUMBER] = plan.number
    if parent is None:
        holder.matrix_world = Matrix(plan.placement.matrix().tolist())
        if plan.scale != 1.0:
            holder.scale = (plan.scale, plan.scale, plan.scale)
    else:
        holder.parent = parent
    collection.objects.link(holder)
    return holder


def repaint(plan: Plan, holder: bpy.types.Object) -> None:
    """Draws a plan in place of what a painted object shows; the object stays where it is."""
    holder.data.clear_geometry()
    _write(holder.data, painted_mesh(plan))


def paint_over(plan: Plan, holder: bpy.types.Object) -> None:
    """Draws a plan on top of a painted object, in place of what was drawn on top before; an empty plan wipes that."""
    base, top = _base_mesh(holder.data), painted_mesh(plan)
    holder.data.clear_geometry()
    _write(holder.data, base + top)
    if plan:
        on_top = np.arange(len(base.points) + len(top.points)) >= len(base.points)
        holder.data.attributes.new(ANNOTATION_ATTRIBUTE, "BOOLEAN", "POINT").data.foreach_set("value", on_top)


def _write(mesh: Any, painted: PaintedMesh) -> None:
    if not len(painted.points):
        return
    fill(mesh, painted.points, painted.faces)
    colours = np.ones((len(painted.points), 4), np.float32)
    colours[:, :3] = painted.colours
    mesh.attributes.new(PAINT_ATTRIBUTE, "FLOAT_COLOR", "POINT").data.foreach_set("color", colours.ravel())


def fill(mesh: bpy.types.Mesh, points: np.ndarray, faces: dict[int, np.ndarray]) -> None:
    """Sets the vertices and faces of an empty mesh.

    points: (n, 3) float, metres. faces: by number of corners, (m, corners) int, indices of points.
    """
    groups = [group.astype(np.int32) for group in faces.values()]
    sizes = np.concatenate([np.full(len(group), group.shape[1], np.int32) for group in groups])
    mesh.vertices.add(len(points))
    mesh.loops.add(int(sizes.sum()))
    mesh.polygons.add(len(sizes))
    mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
    mesh.loops.foreach_set("vertex_index", np.concatenate([group.ravel() for group in groups]))
    mesh.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32))
    mesh.update(calc_edges=True)


def _base_mesh(mesh: Any) -> PaintedMesh:
    """Reads a painted mesh without what was drawn on top of it."""
    count = len(mesh.vertices)
    if ANNOTATION_ATTRIBUTE in mesh.attributes:
        on_top = np.zeros(count, bool)
        mesh.attributes[ANNOTATION_ATTRIBUTE].data.foreach_get("value", on_top)
        count = int(np.count_nonzero(~on_top))
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
    return PaintedMesh(
        points.reshape(-1, 3)[:count].astype(float), colours.reshape(-1, 4)[:count, :3].astype(float), faces
    )
