"""Node groups, materials, raw images and colour settings that show a panel's values as colours."""

from .colour_settings import NORMALISATIONS, read_scene_colours, scene_colour_map, set_scene_colours
from .compat import EEVEE, modifier_input, node_tree, set_modifier_inputs, update_modifier_inputs
from .images import colour_table_image, create_raw_image, fit_image, pack_images, write_image
from .nodes import NodeBuilder, NodeGroup, ensure_group, outdated_groups
from .object_colours import update_object_colours
from .panel_material import CONTENTS, Content, create_emission_material, create_picture_material

__all__ = [
    "CONTENTS",
    "EEVEE",
    "NORMALISATIONS",
    "Content",
    "NodeBuilder",
    "NodeGroup",
    "colour_table_image",
    "create_emission_material",
    "create_picture_material",
    "create_raw_image",
    "ensure_group",
    "fit_image",
    "modifier_input",
    "node_tree",
    "outdated_groups",
    "pack_images",
    "read_scene_colours",
    "scene_colour_map",
    "set_modifier_inputs",
    "set_scene_colours",
    "update_modifier_inputs",
    "update_object_colours",
    "write_image",
]
