"""Plans of every part of a hall, made of a recording without Blender."""

from collections.abc import Sequence

from innerwalk.blender_addon.imaging import colour_maps, statistics
from innerwalk.blender_addon.layout import HallLayout, camera_presets, lay_out, lay_out_figure
from innerwalk.blender_addon.layout.blocks import board_links
from innerwalk.blender_addon.plans.layer_card import plan_layer_card
from innerwalk.blender_addon.plans.legend import colour_scale
from innerwalk.blender_addon.plans.panel_frames import labels_by_slot, plan_panel_frame
from innerwalk.blender_addon.plans.primitives import FLAT, Plan, Style
from innerwalk.blender_addon.plans.shown_endpoints import shown_layers
from innerwalk.blender_addon.plans.surroundings import plan_surroundings
from innerwalk.blender_addon.plans.title_board import title_facts
from innerwalk.torch_bridge import recording as rec

STYLE = Style.of("dark")


def hall_of(recording: rec.Recording, figure: bool = False) -> HallLayout:
    layers, links = recording.network.folded()
    ends = board_links(recording.network, (layers, links), shown_layers(recording))
    if figure:
        return lay_out_figure(layers, links, 960, 540, board_links=ends)
    return lay_out(layers, links, board_links=ends)


def parts_of(
    recording: rec.Recording,
    figure: bool = False,
    style: Style = STYLE,
    method: str = rec.ACTIVATIONS,
    maps_notes: Sequence[str] = (),
) -> list[Plan]:
    hall, layers = hall_of(recording, figure), recording.network.folded()[0]
    view = camera_presets.overview(hall, 960, 540) if figure else None
    facts, scale = (
        title_facts(recording.network, None, len(hall.panels), method=method, maps_notes=maps_notes),
        colour_scale(colour_maps.COLOUR_MAPS["signed"], 0, 1, None),
    )
    return list(plan_surroundings(recording, layers, hall, view, facts, scale, style))


def card_of(recording: rec.Recording) -> Plan:
    layer, scale = recording.network.layer("a"), colour_scale(colour_maps.COLOUR_MAPS["signed"], 0, 1, 2.5)
    maps = recording.maps("a")
    return plan_layer_card(layer, statistics.layer_statistics(maps), scale, FLAT, STYLE, maps)


def frames_of(recording: rec.Recording, figure: bool = False) -> list[Plan]:
    hall, layers = hall_of(recording, figure), recording.network.folded()[0]
    view = camera_presets.overview(hall, 960, 540) if figure else None
    labels = labels_by_slot(hall, layers, view, {})
    return [
        plan_panel_frame(hall, slot, (slot.width, slot.height), labels.get(slot.index, []), "", STYLE)
        for slot in hall.panels
    ]
