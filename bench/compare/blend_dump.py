"""Dump of a .blend file as JSON: `python blend_dump.py FILE` writes `FILE.json` beside it.

The Python of a checkout runs this file by its path, so it imports only the standard library, numpy and bpy.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

KINDS = (
    "scenes", "objects", "meshes", "curves", "cameras", "lights", "materials", "images", "worlds", "collections",
    "texts", "node_groups", "actions",
)  # fmt: skip
UNREADABLE = (".select_edge",)
"""Mesh attributes for which Blender 5.0 reports a wrong type and reads beyond their memory."""
SETTINGS = ("render", "view_settings", "display_settings", "cycles", "eevee")
MEMBERS = ("objects", "children", "view_layers")
LONG_TEXT, LONG_LIST = 200, 16
"""Texts and lists longer than this are dumped as hashes."""


def digest(content: bytes) -> str:
    """Returns a short hash."""
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Writes JSON with sorted keys and each value on a line of its own."""
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def dump(path: Path) -> None:
    """Writes every data-block of a .blend file to a JSON file beside it."""
    import bpy

    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
    bpy.context.view_layer.update()
    content = {kind: {block.name: describe_block(block) for block in getattr(bpy.data, kind)} for kind in KINDS}
    write_json(path.with_suffix(".json"), content)


def describe_block(block: Any) -> dict[str, Any]:
    """Describes a data-block by its properties and the content of its kind."""
    result = describe_properties(block)
    if hasattr(block, "matrix_world"):
        result["matrix"] = to_json([number for row in block.matrix_world for number in row])
        result["modifiers"] = [describe_properties(modifier) for modifier in block.modifiers]
        result["slots"] = [to_json(slot.material) for slot in block.material_slots]
    if hasattr(block, "polygons"):
        result |= {"vertices": len(block.vertices), "edges": len(block.edges), "faces": len(block.polygons)}
        readable = [attribute for attribute in block.attributes if attribute.name not in UNREADABLE]
        result["attributes"] = {attribute.name: describe_attribute(attribute) for attribute in readable}
    if hasattr(block, "pixels"):
        result |= {"size": list(block.size), "float": block.is_float, "packed": len(block.packed_files)}
        result["colourspace"] = block.colorspace_settings.name
        result["pixels"] = hash_values(block.pixels, [], len(block.pixels), "f4")
    if hasattr(block, "as_string"):
        result["text"] = digest(block.as_string().encode())
    for name in set(SETTINGS) & set(dir(block)):
        result[name] = describe_properties(getattr(block, name))
    for name in set(MEMBERS) & set(dir(block)):
        result[name] = sorted(member.name for member in getattr(block, name))
    tree = block if hasattr(block, "nodes") else getattr(block, "node_tree", None)
    return result | ({"tree": describe_node_tree(tree)} if tree else {})


def describe_node_tree(tree: Any) -> dict[str, Any]:
    """Describes a node tree by its sockets, its nodes with their properties and inputs, and its links."""
    links = [
        [link.from_node.name, link.from_socket.identifier, link.to_node.name, link.to_socket.identifier]
        for link in tree.links
    ]
    nodes = {
        node.name: describe_properties(node) | {"inputs": [describe_properties(socket) for socket in node.inputs]}
        for node in tree.nodes
    }
    sockets = [describe_properties(socket) for socket in tree.interface.items_tree]
    return {"sockets": sockets, "nodes": nodes, "links": sorted(links)}


def describe_properties(item: Any) -> dict[str, Any]:
    """Returns the type, the custom properties and all writable properties of an item except collections."""
    writable = [rna for rna in item.bl_rna.properties if not rna.is_readonly and rna.type != "COLLECTION"]
    result = {rna.identifier: to_json(getattr(item, rna.identifier)) for rna in writable}
    result["type"] = type(item).__name__
    try:
        custom = {key: to_json(item[key]) for key in item.keys()}
    except TypeError:  # a type without custom properties
        custom = {}
    return result | ({"properties": custom} if custom else {})


def to_json(value: Any) -> Any:
    """Returns a value as JSON: numbers rounded to 1e-6, long texts and lists as hashes, data-blocks as names."""
    if isinstance(value, float):
        return round(value, 6) + 0.0
    if isinstance(value, int | None):
        return value
    if isinstance(value, str):
        return value if len(value) < LONG_TEXT else digest(value.encode())
    if hasattr(value, "to_dict"):
        return {key: to_json(item) for key, item in value.to_dict().items()}
    if hasattr(value, "bl_rna"):
        return f"{type(value).__name__} {getattr(value, 'name', '')}"
    items = sorted(value) if isinstance(value, set) else [to_json(item) for item in value]
    return items if len(items) <= LONG_LIST else [len(items), digest(json.dumps(items).encode())]


def describe_attribute(attribute: Any) -> list[Any]:
    """Returns the type, domain, length and hash of an attribute of a mesh."""
    data = attribute.data
    field = next((name for name in ("value", "vector", "color") if len(data) and hasattr(data[0], name)), "")
    first = getattr(data[0], field) if field else ""
    if isinstance(first, str):
        content = digest(repr([item.value for item in data]).encode())
    else:
        width = len(first) if hasattr(first, "__len__") else 1
        dtype = {"BOOLEAN": "?"}.get(attribute.data_type, "i4" if attribute.data_type.startswith("INT") else "f4")
        content = hash_values(data, [field], len(data) * width, dtype)
    return [attribute.data_type, attribute.domain, len(data), content]


def hash_values(data: Any, field: list[str], count: int, dtype: str) -> str:
    """Returns the hash of `count` values that `data.foreach_get` reads; `field` is empty or one name."""
    import numpy as np

    values = np.empty(count, dtype)
    data.foreach_get(*field, values)
    return digest(values.tobytes())


if __name__ == "__main__":
    dump(Path(sys.argv[1]))
