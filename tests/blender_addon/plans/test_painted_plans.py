"""What Blender's meshes hold is what the plans say."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.imaging import colour_maps  # noqa: E402
from innerwalk.blender_addon.plans.primitives import FLAT, Plan, wall  # noqa: E402
from innerwalk.blender_addon.properties import OBJECT_ROLE, PAINT_ATTRIBUTE  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.blender_addon.scene.paint import glyphs  # noqa: E402
from innerwalk.blender_addon.scene.paint.meshes import add_plan, paint_over, painted_mesh, repaint  # noqa: E402
from innerwalk.blender_addon.scene.paint.styles import theme_style  # noqa: E402
from innerwalk.tests.support import part_plans as plans  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402


def geometry(holder) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """Points (n, 3), linear colours (n, 3), and the corners of each face."""
    mesh = holder.data
    points, colours = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(4 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    mesh.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", colours)
    faces = [list(polygon.vertices) for polygon in mesh.polygons]
    return points.reshape(-1, 3), colours.reshape(-1, 4)[:, :3], faces


def plan_with_all() -> Plan:
    plan = Plan(theme_style("dark"), "Part", "part", wall((1.0, 2.0, 3.0), 0.5))
    plan.box(FLAT, (0.0, 2.0), (0.0, 1.0), "board")
    plan.text(FLAT, "Aé", 0.5, "quiet", x=1.0, y=0.25, align="centre")
    plan.box(FLAT, (0.0, 1.0), (0.0, 0.5), "skip", 0.1)
    return plan


def test_a_mesh_has_the_faces_of_its_plan_in_order(empty_scene):
    plan = plan_with_all()
    holder = add_plan(plan, empty_scene.collection)
    points, colours, faces = geometry(holder)
    quads = [face for face in faces if len(face) == 4]
    assert quads == [[0, 1, 2, 3], list(range(len(points) - 4, len(points)))]
    assert np.allclose(points[quads[0]], plan.faces[0].points) and np.allclose(points[quads[1]], plan.faces[1].points)
    assert np.allclose(colours[4:-4], colour_maps.linear(colour_maps.THEMES["dark"]["quiet"]), atol=1e-6)
    (run,), text = plan.texts, points[4:-4]
    triangles = [face for face in faces if len(face) == 3]
    assert len(triangles) == len(glyphs.text_shape("Aé").triangles)
    low, high = run.box()[:, :2].min(0), run.box()[:, :2].max(0)
    assert low[0] - 0.01 <= text[:, 0].min() and text[:, 0].max() <= high[0] + 0.01
    assert text[:, 1].min() == pytest.approx(0.25, abs=0.01) and np.allclose(text[:, 2], run.lift)
    assert (holder.name, holder[OBJECT_ROLE]) == ("Part", "part")
    assert np.allclose(holder.matrix_world, plan.placement.matrix(), atol=1e-6)


def test_what_is_painted_over_can_be_wiped(empty_scene):
    holder, top = add_plan(plan_with_all(), empty_scene.collection), Plan(theme_style("dark"))
    before, attributes = geometry(holder), set(holder.data.attributes.keys())
    top.box(FLAT, (5.0, 6.0), (5.0, 6.0), "text")
    for _ in range(2):
        paint_over(top, holder)
        points, _, faces = geometry(holder)
        assert len(points) == len(before[0]) + 4 and len(faces) == len(before[2]) + 1
    paint_over(Plan(top.style), holder)
    after = geometry(holder)
    assert all(np.array_equal(*pair) for pair in zip(before[:2], after[:2], strict=True)) and before[2] == after[2]
    assert set(holder.data.attributes.keys()) == attributes
    repaint(top, holder)
    assert np.allclose(geometry(holder)[0], top.faces[0].points)


@pytest.mark.parametrize("theme", ["dark", "paper"])
def test_a_hall_in_blender_is_its_plans(empty_scene, recorded, theme):
    recording = rec.load(recorded)
    scene = create_hall(recording, Appearance(theme=theme, colour_map="signed"))
    scene.view_layers[0].update()
    by_role = {holder[OBJECT_ROLE]: holder for holder in scene.objects}
    for plan in plans.parts_of(recording, style=theme_style(theme)):
        holder = by_role[plan.role]
        painted = painted_mesh(plan)
        if plan.role == "title":
            paint_over(Plan(plan.style), holder)  # its caption
        assert len(holder.data.vertices) == len(painted.points), plan.role
        placed = plan.placement.matrix() @ np.diag([*[plan.scale] * 3, 1.0])
        assert np.allclose(holder.matrix_world, placed, atol=1e-6), plan.role
        if plan:
            points, colours, faces = geometry(holder)
            assert np.array_equal(points, painted.points.astype(np.float32)), plan.role
            assert np.array_equal(colours, painted.colours.astype(np.float32)), plan.role
            assert faces == [face for size in (3, 4) for face in painted.faces[size].tolist()], plan.role
        for picture in plan.pictures:
            width, height = picture.size
            assert by_role[picture.role].data.vertices[2].co[:2] == pytest.approx((width, height))
