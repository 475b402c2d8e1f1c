"""Everything in a hall but its panels: floor, edges, boards and labels, as one plan for each part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...torch_bridge.recording import Layer, Recording
from ..layout import HallLayout, boards
from ..layout.view import View
from .answer_board import plan_answers
from .channel_links import plan_channel_links
from .chart_boards import plan_charts
from .edges import plan_edges
from .floor import plan_floor
from .hall_labels import plan_floor_labels, plan_gates, plan_head, plan_layer_numbers
from .input_boards import plan_inputs
from .legend import ColourScale
from .primitives import Plan, Style
from .title_board import TitleFacts, plan_title

LEAST_TEXT = 10.0
"""Pixels of the smallest text over and below the boards of a figure."""


def plan_surroundings(
    recording: Recording,
    layers: Sequence[Layer],
    hall: HallLayout,
    view: View | None,
    facts: TitleFacts,
    scale: ColourScale,
    style: Style,
    *,
    numbered: bool = True,
) -> Iterator[Plan]:
    """Plans all parts that the hall has; channel links and charts are planned empty, because methods add them later.

    view: the camera of a figure. numbered: with layer numbers.
    """
    kinds = edge_kinds(hall)
    parts = [plan_floor(hall, style), plan_edges(hall, view, style)]
    yield from filter(None, parts)
    yield plan_channel_links((), 0.0, style)
    yield plan_charts((), style, boards.chart_place(hall))
    least = LEAST_TEXT * view.span / view.width if view is not None and view.span is not None else 0.0
    parts = plan_inputs(recording, boards.input_boards(hall), style, least)
    parts += plan_answers(recording, style, boards.answer_boards(hall), least)
    if hall.parallel_yaw is not None and view is not None:
        parts += [plan_floor_labels(hall, layers, view, style), plan_head(facts, scale, kinds, view, style)]
    else:
        parts.append(plan_gates(hall, layers, style))
        if numbered:
            parts.append(plan_layer_numbers(hall, style))
        parts.append(plan_title(facts, recording.network.weights, scale, kinds, boards.title_board(hall), style))
    yield from filter(None, parts)


def edge_kinds(hall: HallLayout) -> set[str]:
    """Returns the kinds of edges that a hall has."""
    return {run.kind for run in hall.runs}
