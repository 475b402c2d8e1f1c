"""The title board at the entrance, which describes the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...torch_bridge.recording import ACTIVATIONS, Network
from ..layout.boards import Board
from .legend import ColourScale, add_edge_key, add_scale
from .number_text import format_count
from .primitives import FLAT, Plan, Style, wall

SIDE, LEFT, SMALL = 2.2, 0.15, 0.125
"""Side and left margin of the title board, and the size of its small texts; metres."""


@dataclass(frozen=True)
class TitleFacts:
    """The texts of a title."""

    name: str
    counts: str
    note: str
    caption: str = ""
    """The method, unless it is activations, and what its maps show besides, or instead of, what its name says."""


def title_facts(
    network: Network,
    title: str | None,
    shown_count: int,
    *,
    has_reduced_panels: bool = False,
    method: str = ACTIVATIONS,
    maps_notes: Sequence[str] = (),
) -> TitleFacts:
    """Returns name, "26 layers, 3,976 channels", how many panels are shown, whether weights are random, and a caption.

    has_reduced_panels: some panels show only their strongest channels. method: that of the maps. maps_notes: what each
    shown panel's maps say about themselves, such as their class.
    """
    panels = [layer for layer in network.folded()[0] if layer.role == "panel"]
    channels = sum(layer.map_shape[0] for layer in panels)
    some = f", {shown_count} shown" if shown_count < len(panels) else ""
    strong = ", the strongest shown" if has_reduced_panels else ""
    counts = f"{format_count(len(panels), 'layer')}{some}, {format_count(channels, 'channel')}{strong}"
    note = "" if network.trained else "random weights"
    shown = "" if method == ACTIVATIONS else method
    caption = ": ".join(filter(None, (shown, _notes_caption(maps_notes))))
    return TitleFacts(title or network.name, counts, note, caption)


def _notes_caption(maps_notes: Sequence[str]) -> str:
    """Returns the note of most panels, of how many unless of all, and how many other notes there are; "" for none."""
    known = Counter(filter(None, maps_notes)).most_common()
    if not known:
        return ""
    note, count = known[0]
    if count == len(maps_notes):
        return note
    others = f", and {format_count(len(known) - 1, 'other note')}" if len(known) > 1 else ""
    return f"{note} ({count} of {format_count(len(maps_notes), 'layer')}{others})"


def plan_title(
    facts: TitleFacts, weights: str, scale: ColourScale, kinds: Iterable[str], board: Board, style: Style
) -> Plan:
    """Plans the title board, SIDE by SIDE metres: name, counts, weights, colours and kinds of edges."""
    plan, room = Plan(style, "Title", "title", wall(board.position, board.yaw)), SIDE - 2 * LEFT
    plan.frame(FLAT, (SIDE, SIDE))
    plan.text(FLAT, facts.name, style.fit(facts.name, room, 0.30), x=LEFT, y=1.84)
    plan.text(FLAT, facts.counts, style.fit(facts.counts, room, SMALL), "quiet", x=LEFT, y=1.62)
    if facts.note:
        plan.text(FLAT, facts.note, SMALL, "skip", x=LEFT, y=1.43)
    elif weights:
        plan.text(FLAT, weights, style.fit(weights, room, SMALL), "quiet", x=LEFT, y=1.43)
    add_scale(plan, FLAT.moved(LEFT, 0.78), room, SMALL, scale)
    add_edge_key(plan, FLAT.moved(LEFT, 0.20), room, SMALL, kinds)
    return plan
