"""The Innerwalk menu in the 3D view's header; only halls have it."""

from __future__ import annotations

import bpy

from ..properties import HALL_VERSION, OBJECT_ROLE, PANEL_LAYER_ID, PANEL_ROLE, SELECTED_LAYER
from .hall.panel_operators import ALIGNMENTS, selected_panels

SEARCHED = {
    "grad_cam": "Heat Map of a Class (Grad-CAM)",
    "saliency": "Saliency Map",
    "maximisation": "Feature Visualisation (Activation Maximisation)",
}
"""Methods that menus name by the words that people search, by their names on the bridge."""


class INNERWALK_MT_align(bpy.types.Menu):
    """Ways to align the selected panels"""

    bl_label = "Align"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws one entry for each way."""
        for how, name, _ in ALIGNMENTS:
            self.layout.operator("innerwalk.align", text=name).how = how


class INNERWALK_MT_collapse(bpy.types.Menu):
    """Blocks that contain the selected layer, and all blocks"""

    bl_label = "Collapse"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the blocks from the innermost to the outermost."""
        from ..layout.blocks import module_path

        parts = module_path(context.scene.get(SELECTED_LAYER, "")).split(".")
        for depth in range(len(parts) - 1, 0, -1):
            block = ".".join(parts[:depth])
            self.layout.operator("innerwalk.collapse", text=block).block = block
        self.layout.operator("innerwalk.collapse", text="All Blocks").block = "all"
        self.layout.operator("innerwalk.collapse", text="Another …")


class INNERWALK_MT_bridge(bpy.types.Menu):
    """Start and end of the bridge, inputs and methods"""

    bl_label = "Networks and Input"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the entries."""
        layout = self.layout
        for name in ("start_bridge", "join_bridge", "leave_bridge"):
            layout.operator(f"innerwalk.{name}")
        layout.separator()
        layout.operator("innerwalk.place_input", text="Open Picture as Input")
        layout.operator("innerwalk.place_input", text="Noise as Input").noise = context.scene.innerwalk.seed
        layout.operator("innerwalk.place_held")
        layout.separator()
        layout.menu("INNERWALK_MT_methods")
        layout.operator("innerwalk.cancel_method", text="Cancel Method")


class INNERWALK_MT_export(bpy.types.Menu):
    """Files of the hall"""

    bl_label = "Export"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the entries."""
        layout = self.layout
        layout.operator("innerwalk.export_layer", text="Selected Layer (PNG, CSV, safetensors)")
        layout.operator("innerwalk.export_hall", text="Hall (PNG, CSV, safetensors)")
        layout.operator("innerwalk.export_figure", text="Flat Figure (SVG, PNG)")
        layout.operator("innerwalk.take_picture", text="Picture of This View")


class INNERWALK_MT_hall(bpy.types.Menu):
    """Operators of a hall"""

    bl_label = "Innerwalk"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the entries."""
        layout = self.layout
        layout.operator("innerwalk.walk_at_desk", icon="VIEW_PERSPECTIVE")
        layout.operator("innerwalk.start_walk", text="Walk in VR (Headset)")
        layout.operator("innerwalk.compare_input")
        layout.menu("INNERWALK_MT_networks")
        layout.menu("INNERWALK_MT_export")
        layout.separator()
        draw_answers(layout, context)
        layout.separator()
        for name in ("enter", "jump", "move", "scale"):
            layout.operator(f"innerwalk.{name}")
        layout.menu("INNERWALK_MT_align")
        layout.separator()
        layout.operator("innerwalk.hide").hidden = True
        layout.operator("innerwalk.hide", text="Show Panel").hidden = False
        layout.operator("innerwalk.solo")
        layout.separator()
        layout.menu("INNERWALK_MT_collapse")
        layout.operator("innerwalk.expand")
        layout.separator()
        reset = layout.operator("innerwalk.reset_layout", text="Reset Layout of Selected")
        reset.layers = ",".join(selected_panels(context))
        layout.operator("innerwalk.reset_layout", text="Reset Layout").layers = ""
        layout.operator("innerwalk.show_look")
        layout.separator()
        for name in ("take_picture", "save_recipe", "open_recipe"):
            layout.operator(f"innerwalk.{name}")
        layout.separator()
        layout.menu("INNERWALK_MT_film")
        layout.menu("INNERWALK_MT_bridge")
        layout.operator("innerwalk.probe")


def draw_answers(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draws methods by the names under which people search for them, about the selection or all panels."""
    layer = context.scene.get(SELECTED_LAYER, "")
    for method, text in SEARCHED.items():
        button = layout.operator("innerwalk.ask_method", text=text)
        button.method, button.layers = method, layer or "panels"
    layout.operator("innerwalk.show_activations", text="Back to Activations")


def draw_context_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draws what can be done with the panel under a right click, at the top of Blender's own menu."""
    panel = context.active_object
    if HALL_VERSION not in context.scene or panel is None or panel.get(OBJECT_ROLE) != PANEL_ROLE:
        return
    layout, layer = menu.layout, str(panel.get(PANEL_LAYER_ID, ""))
    layout.label(text=layer, translate=False, icon="RENDERLAYERS")
    layout.operator("innerwalk.jump").layer = layer
    draw_answers(layout, context)
    layout.operator("innerwalk.ablate_selected")
    layout.operator("innerwalk.export_layer").layer = layer
    layout.operator("innerwalk.hide").layer = layer
    layout.operator("innerwalk.solo").layer = layer
    layout.menu("INNERWALK_MT_hall")
    layout.separator()


def draw_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draws the menu in the header."""
    if HALL_VERSION in context.scene and context.mode == "OBJECT":
        menu.layout.menu("INNERWALK_MT_hall")


CLASSES = (INNERWALK_MT_align, INNERWALK_MT_collapse, INNERWALK_MT_bridge, INNERWALK_MT_export, INNERWALK_MT_hall)
MENUS = ((bpy.types.VIEW3D_MT_editor_menus, draw_menu),)
FIRST_MENUS = ((bpy.types.VIEW3D_MT_object_context_menu, draw_context_menu),)
