"""Node groups: their links as text, their lookup by id, and updates in place."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.properties import NODE_GROUP_NAME, VERSION_STAMP  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.materials import compat, nodes, panel_shader, tiles  # noqa: E402
from innerwalk.blender_addon.scene.materials.nodes import NodeBuilder, NodeGroup, ensure_group, outdated_groups  # noqa: E402
from innerwalk.tests.support import SUPPORT  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, pack  # noqa: E402

GOLDEN = SUPPORT / "golden"
GROUPS = (tiles.TILES, panel_shader.FOG, panel_shader.SCALAR, panel_shader.BARS, panel_shader.COLOUR)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.id)
def test_links_equal_the_golden_listing(empty_scene, group):
    """After a change: raise nodes.STAMP, run once with the file removed, and read the difference."""
    golden = GOLDEN / f"{group.id.replace(' ', '_')}.txt"
    links = f"stamp {nodes.STAMP}\n{nodes.list_links(ensure_group(group))}"
    if not golden.exists():
        golden.write_text(links, encoding="utf-8")
        pytest.fail(f"wrote {golden.name}: read it, then run again")
    assert links == golden.read_text(encoding="utf-8")


def test_a_group_is_made_once_and_found_by_its_id(empty_scene):
    first = ensure_group(panel_shader.SCALAR)
    first.name = "renamed by a person"
    assert ensure_group(panel_shader.SCALAR) == first
    assert sorted(tree[NODE_GROUP_NAME] for tree in bpy.data.node_groups) == ["air", "scalar maps"]


def test_an_older_group_is_reported_and_updated_in_place_without_losing_a_panel(empty_scene):
    maps = Maps("conv1", "activations", pack(np.ones((5, 2, 2), np.float32)), 5)
    panel = panels.add_panel(empty_scene.collection, "conv1", "conv1", maps, (3, 2, (1.0, 1.0)))
    tree = ensure_group(tiles.TILES)
    before = extent(panel)
    tree[VERSION_STAMP] = nodes.STAMP - 1
    tree.interface.new_socket("Of an older version", in_out="INPUT", socket_type="NodeSocketFloat")
    tree.nodes.remove(next(node for node in tree.nodes if node.bl_idname == "GeometryNodeRealizeInstances"))
    assert outdated_groups() == ["tiles"]
    assert extent(panel) != before
    assert ensure_group(tiles.TILES) == tree and outdated_groups() == []
    assert extent(panel) == before
    assert "Of an older version" not in [item.name for item in tree.interface.items_tree]


def extent(panel) -> tuple[int, list]:
    mesh = panel.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    return len(mesh.polygons), [round(value, 5) for vertex in mesh.vertices for value in vertex.co]


def test_no_two_nodes_lie_on_one_spot(empty_scene):
    maps = Maps("conv1", "activations", pack(np.ones((5, 2, 2), np.float32)), 5)
    panel = panels.add_panel(empty_scene.collection, "conv1", "conv1", maps, (3, 2, (1.0, 1.0)))
    trees = [panel.data.materials[0].node_tree, *map(ensure_group, GROUPS)]
    for tree in trees:
        spots = {tuple(node.location) for node in tree.nodes}
        assert len(spots) == len(tree.nodes) > 1, tree.name
        assert all(link.from_node.location.x < link.to_node.location.x for link in tree.links), tree.name


def test_inputs_take_numbers_and_sockets(empty_scene):
    """(7 divmod 3) as geometry: a point at x = 2, y = 1."""

    def build(n: NodeBuilder, inputs):
        quotient, rest = n.divmod(inputs["Number"], 3)
        at = n.combine(quotient, rest)
        return (n.add("GeometryNodeSetPosition", {"Geometry": inputs["Geometry"], "Position": at}).outputs[0],)

    sockets = (("Geometry", "Geometry"), ("Number", "Int"))
    group = NodeGroup("divmod", "GeometryNodeTree", sockets, sockets[:1], build)
    mesh = bpy.data.meshes.new("one")
    mesh.vertices.add(1)
    owner = bpy.data.objects.new("one", mesh)
    empty_scene.collection.objects.link(owner)
    modifier = owner.modifiers.new("one", "NODES")
    modifier.node_group = ensure_group(group)
    compat.set_modifier_inputs(modifier, {"Number": 7})
    evaluated = owner.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert evaluated.vertices[0].co[:] == (2, 1, 0)
