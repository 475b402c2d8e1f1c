"""Reads the description of a layer's maps and of their charts. Everything is checked: files are untrusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from .charts import MOST_CHARTS, MOST_LENGTH, MOST_ROWS, MOST_SERIES, Chart, ChartKind
from .data_model import Layer, MapFrame, Network
from .errors import InputError, RecordingError
from .schema import MAX_CHANNELS, MAX_LIST, METHOD_NAME, JsonFields, integer_entry, number_entry, text_entry


def _channel_numbers(fields: JsonFields, channels: int, layer: Layer | None) -> tuple[int, ...]:
    """The numbers of the channels that maps hold. layer: the layer that must have these channels, if it is known."""
    numbers = fields.items("channel_numbers", integer_entry)
    if numbers and (len(numbers) != channels or len(set(numbers)) != channels):
        raise RecordingError(f"{fields.where}: channel_numbers must be {channels} different numbers")
    if layer is not None and max(numbers, default=0) >= max(layer.map_shape[0], 1):
        raise RecordingError(f"{fields.where}: layer {layer.id!r} has no channel {max(numbers)}")
    return numbers


def parse_maps_entry(value: Any, where: str, network: Network | None) -> Mapping[str, Any]:
    """Parse an entry of `maps`: keyword arguments of Maps without arrays, and `file` and `extras` (names).

    network: the network that must have the layer, if it is known.
    """
    fields = JsonFields(value, where)
    layer, labels = fields.text("layer"), fields.items("labels", text_entry)
    channels = fields.integer("channels", MAX_CHANNELS)
    if not METHOD_NAME.fullmatch(method := fields.text("method", 64)):
        raise RecordingError(f"{where}: method {method!r} must be small letters, digits and _")
    if network is not None and layer not in network.by_id:
        raise RecordingError(f"{where}: no layer {layer!r} in the network")
    if labels and len(labels) != channels:
        raise RecordingError(f"{where}: {len(labels)} labels for {channels} channels")
    position, positions = fields.integer("position", MAX_LIST), max(fields.integer("positions", MAX_LIST), 1)
    if position >= positions:
        raise RecordingError(f"{where}: position {position} must be less than the {positions} positions")
    return {
        "layer": layer,
        "method": method,
        "channels": channels,
        "colour": fields.flag("colour"),
        "frame": fields.choice("frame", get_args(MapFrame)),
        "labels": labels,
        "position": position,
        "positions": positions,
        "axis": fields.text("axis", 64),
        "channel_numbers": _channel_numbers(fields, channels, network.by_id[layer] if network else None),
        "note": fields.text("note"),
        "charts": fields.items("charts", parse_chart, MOST_CHARTS),
        "file": fields.text("file", 255),
        "extras": fields.items("extras", text_entry, 64),
    }


def parse_chart(value: Any, where: str) -> Chart:
    """Parse a chart, as `describe_chart` describes it. Raises RecordingError."""
    fields = JsonFields(value, where)

    def name(entry: Any, place: str) -> str:
        return text_entry(entry, place, MOST_LENGTH)

    def numbers(entry: Any, place: str) -> tuple[float, ...]:
        return JsonFields({"row": entry}, place).items("row", number_entry, MOST_SERIES)

    try:
        return Chart(
            kind=fields.choice("kind", get_args(ChartKind)),
            title=fields.text("title", MOST_LENGTH),
            rows=fields.items("rows", name, MOST_ROWS),
            series=fields.items("series", name, MOST_SERIES),
            values=fields.items("values", numbers, MOST_ROWS),
            row_axis=fields.text("row_axis", MOST_LENGTH),
            value_axis=fields.text("value_axis", MOST_LENGTH),
            series_axis=fields.text("series_axis", MOST_LENGTH),
            marked=fields.text("marked", MOST_LENGTH),
        )
    except InputError as error:
        raise RecordingError(f"{where}: {error}") from None


def first_bars(document: Mapping[str, Any], where: str) -> dict[str, Chart]:
    """Returns by method the first bars in a recording's document. Raises RecordingError for damaged charts."""
    found: dict[str, Chart] = {}
    for fields in JsonFields(document, where).items("maps", JsonFields):
        for chart in fields.items("charts", parse_chart, MOST_CHARTS):
            if chart.kind == "bars":
                found.setdefault(fields.text("method", 64), chart)
    return found


def parse_charts_by_method(charts: Mapping[str, Any], where: str) -> dict[str, Chart]:
    """Parses a chart for each of some methods. Raises RecordingError."""
    if wrong := [method for method in charts if not METHOD_NAME.fullmatch(method)]:
        raise RecordingError(f"{where}: charts of {wrong[0][:64]!r}; names of methods are small letters, digits and _")
    return {method: parse_chart(chart, f"{where}: charts") for method, chart in charts.items()}
