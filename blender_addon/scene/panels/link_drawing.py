"""Draws the links between channels as one mesh, which stands empty in every hall: showing some makes no data-block."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import bpy
import numpy as np

from ...plans.channel_links import ChannelLink, LinkEnd, plan_channel_links
from ...properties import (
    CHANNEL_LINKS_ROLE,
    DRAWN_CONTENT,
    PANEL_GRID,
    PANEL_LAYER_ID,
    PANEL_METADATA,
    PANEL_SHOWN_LAYER,
)
from ..materials import colour_settings
from ..paint.meshes import repaint
from ..paint.styles import scene_style
from ..state.parts import find_part
from . import panel_metadata
from .objects import channel_places, grid_of, panels, size_of, world_matrix

MOST, PAIR, LEAST = 96, 8, 2
"""Most links in a hall; most and fewest links between two layers."""


class PanelLink(NamedTuple):
    """A link between two channels' tiles."""

    source: bpy.types.Object
    channel: int
    target: bpy.types.Object
    target_channel: int
    strength: float
    """-1..1, as a share of the strongest between these layers."""


def update_links(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """Draws the links that the panels' maps carry now. pixel: metres of one pixel in a figure."""
    holder = find_part(scene, CHANNEL_LINKS_ROLE)
    if holder is None:
        return
    links = list(strongest_links(scene))
    key = _key(links, scene, pixel)
    if holder.get(DRAWN_CONTENT, "") == key and bool(len(holder.data.vertices)) == bool(key):
        return
    planned = [_planned(link) for link in links]
    repaint(plan_channel_links(planned, pixel, scene_style(scene)), holder)
    holder[DRAWN_CONTENT] = key


def strongest_links(scene: bpy.types.Scene) -> Iterator[PanelLink]:
    """Returns the strongest links between visible panels, equally many for each pair of layers."""
    pairs = list(_pairs(scene))
    most = min(PAIR, max(LEAST, MOST // max(len(pairs), 1)))
    for panel, target, links in pairs:
        for channel, target_channel, strength in links[:most]:
            yield PanelLink(panel, int(channel), target, int(target_channel), float(strength / abs(links[0, 2])))


def _pairs(scene: bpy.types.Scene) -> Iterator[tuple[bpy.types.Object, bpy.types.Object, np.ndarray]]:
    """Yields pairs of linked panels with their links (n, 3) float: channel, target's channel, strength; best first."""
    visible = {id: panel for id, panel in panels(scene).items() if not panel.hide_viewport}
    by_maps = {str(panel.get(PANEL_SHOWN_LAYER, id)): panel for id, panel in visible.items()}
    for panel in visible.values():
        for layer, links in panel_metadata.read_metadata(panel).links.items():
            target = by_maps.get(layer) or visible.get(layer)
            if target is not None and len(links) and links[0, 2]:
                yield panel, target, links


def _key(links: list[PanelLink], scene: bpy.types.Scene, pixel: float) -> str:
    """Returns a digest of all that is drawn; "" for nothing."""
    if not links:
        return ""
    digest = hashlib.blake2b(f"{pixel} {colour_settings.read_scene_colours(scene)['theme']}".encode(), digest_size=12)
    for panel in {panel.name: panel for link in links for panel in (link.source, link.target)}.values():
        digest.update(str(panel.get(PANEL_METADATA, "")).encode())
        for numbers in (channel_places(panel), np.array(panel[PANEL_GRID]), np.array(world_matrix(panel))):
            digest.update(np.ascontiguousarray(numbers).tobytes())
    ends = [
        (link.source[PANEL_LAYER_ID], link.channel, link.target[PANEL_LAYER_ID], link.target_channel) for link in links
    ]
    digest.update(str(ends).encode())
    return digest.hexdigest()


def _planned(link: PanelLink) -> ChannelLink:
    return ChannelLink(_end(link.source, link.channel), _end(link.target, link.target_channel), link.strength)


def _end(panel: bpy.types.Object, channel: int) -> LinkEnd:
    return LinkEnd(np.array(world_matrix(panel)), grid_of(panel), _place(panel, channel), size_of(panel))


def _place(panel: bpy.types.Object, channel: int) -> int:
    """Returns the place of a layer's channel on its panel's grid, -1 for none."""
    known = channel_places(panel)
    return int(known[channel]) if 0 <= channel < len(known) else -1
