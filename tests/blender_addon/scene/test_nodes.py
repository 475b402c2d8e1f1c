"""Node groups: their wiring as text, found again by id, brought up to date in place."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.properties import NODE_GROUP_NAME, VERSION_STAMP  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.materials import compat, nodes, shading, tiles  # noqa: E402
from innerwalk.blender_addon.scene.materials.nodes import Group, Nodes, ensure, outdated  # noqa: E402
from innerwalk.tests.support import SUPPORT  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, pack  # noqa: E402

GOLDEN = SUPPORT / "golden"
GROUPS = (tiles.TILES, shading.AIR, shading.SCALAR, shading.BARS, shading.COLOUR)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.id)
def test_wiring_is_the_reviewed_one(empty_scene, group):
    """After a change: raise nodes.STAMP, run once with the file removed, and read the difference."""
    golden = GOLDEN / f"{group.id.replace(' ', '_')}.txt"
    listing = f"stamp {nodes.STAMP}\n{nodes.listing(ensure(group))}"
    if not golden.exists():
        golden.write_text(listing, encoding="utf-8")
        pytest.fail(f"wrote {golden.name}: read it, then run again")
    assert listing == golden.read_text(encoding="utf-8")


def test_a_group_is_made_once_and_found_by_its_id(empty_scene):
    first = ensure(shading.SCALAR)
    first.name = "renamed by a person"
    assert ensure(shading.SCALAR) == first
    assert sorted(tree[NODE_GROUP_NAME] for tree in bpy.data.node_groups) == ["air", "scalar maps"]


def test_an_older_group_is_told_and_brought_up_to_date_without_losing_a_panel(empty_scene):
    maps = Maps("conv1", "activations", pack(np.ones((5, 2, 2), np.float32)), 5)
    panel = panels.add_panel(empty_scene.collection, "conv1", "conv1", maps, (3, 2, (1.0, 1.0)))
    tree = ensure(tiles.TILES)
    before = extent(panel)
    tree[VERSION_STAMP] = nodes.STAMP - 1
    tree.interface.new_socket("Of an older version", in_out="INPUT", socket_type="NodeSocketFloat")
    tree.nodes.remove(next(node for node in tree.nodes if node.bl_idname == "GeometryNodeRealizeInstances"))
    assert outdated() == ["tiles"]
    assert extent(panel) != before
    assert ensure(tiles.TILES) == tree and outdated() == []
    assert extent(panel) == before
    assert "Of an older version" not in [item.name for item in tree.interface.items_tree]


def extent(panel) -> tuple[int, list]:
    mesh = panel.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    return len(mesh.polygons), [round(value, 5) for vertex in mesh.vertices for value in vertex.co]


def test_inputs_take_numbers_and_sockets(empty_scene):
    """(7 divmod 3) as geometry: a point at x = 2, y = 1."""

    def build(n: Nodes, given):
        quotient, rest = n.divmod(given["Number"], 3)
        at = n.xyz(quotient, rest)
        return (n.add("GeometryNodeSetPosition", {"Geometry": given["Geometry"], "Position": at}).outputs[0],)

    group = Group("divmod", "GeometryNodeTree", (("Geometry", "Geometry"), ("Number", "Int")),
                  (("Geometry", "Geometry"),), build)  # fmt: skip
    mesh = bpy.data.meshes.new("one")
    mesh.vertices.add(1)
    owner = bpy.data.objects.new("one", mesh)
    empty_scene.collection.objects.link(owner)
    modifier = owner.modifiers.new("one", "NODES")
    modifier.node_group = ensure(group)
    compat.set_modifier_inputs(modifier, {"Number": 7})
    evaluated = owner.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert evaluated.vertices[0].co[:] == (2, 1, 0)
