"""Converts a recording without its arrays to JSON and back. Reading checks everything: files are untrusted.

Schema 2: `format`, `schema`, `network` {name, trained, weights, parameters, layers [...], edges [[i, j], ...]},
`input`, `prediction`, `inputs` and `outputs`, lists of {layer, name, kind, shape, dtype, source, note, over, labels,
values, pixels, axis}, `provenance`, `pictures` (a file), and `maps`, a list of {layer, method, channels, colour, frame,
labels, position, positions, axis, channel_numbers, note, charts, file, extras}. In schema 1 `inputs`, `outputs` and
those from `position` to `charts` are missing; the two lists and `charts` may also be missing in schema 2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np

from .data_model import Edge, Layer, Network, Prediction, PredictionKind, Role
from .endpoints import AXES, COLUMNS, MAX_ENDPOINTS, MAX_PICTURES, MAX_VALUES, Endpoint, InputKind, OutputKind
from .errors import RecordingError
from .files import failure_text, parse_json, read_file

FORMAT, SCHEMA = "innerwalk-recording", 2
MAX_JSON = 64 << 20
"""Largest document that is read, bytes; a label for each channel of EfficientNetV2-L takes 11 MB."""
MAX_TEXT = 4096
MAX_LAYERS, MAX_EDGES = 20_000, 100_000
"""Largest graph: the plan of a hall of so many panels takes a second; EfficientNetV2-L has 1,000 layers."""
MAX_SIDE, MAX_CHANNELS, MAX_LIST = 1 << 20, 1 << 24, 1 << 20
SURROGATE = re.compile("[\ud800-\udfff]")

METHOD_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

T = TypeVar("T")


def describe_network(network: Network) -> dict[str, Any]:
    """The network as JSON values; edges are pairs of positions in `layers`."""
    position = {layer.id: k for k, layer in enumerate(network.layers)}
    return {
        "name": network.name,
        "trained": network.trained,
        "weights": network.weights,
        "parameters": network.parameters,
        "layers": [dict(vars(layer)) for layer in network.layers],
        "edges": [[position[edge.source], position[edge.target]] for edge in network.edges],
    }


def describe_prediction(prediction: Prediction) -> dict[str, Any]:
    """The answer as JSON values, without its picture."""
    values = asdict(prediction)
    del values["picture"]
    return values


def describe_endpoint(endpoint: Endpoint, pixels: str) -> dict[str, Any]:
    """An input or output as JSON values; `pixels` is the name of the picture that holds its pixels, "" for none."""
    values = [] if endpoint.values is None else endpoint.values.tolist()
    return dict(vars(endpoint)) | {"values": values, "pixels": pixels}


def read_json(path: Path, format: str = FORMAT, newest: int = SCHEMA) -> Any:
    """The checked JSON document of a recording, or of a series of them, as its format says. Raises RecordingError."""
    noun = format.removeprefix("innerwalk-")
    try:
        document = parse_json(read_file(path, MAX_JSON))
    except (FileNotFoundError, NotADirectoryError):
        series = "; it holds a series, of which innerwalk scene makes a hall"
        other = series if format == FORMAT and (path.parent / "series.json").is_file() else ""
        raise RecordingError(f"{path.parent}: no {noun} here ({path.name} is missing){other}") from None
    except OSError as error:
        raise RecordingError(f"{path}: {failure_text(error)}") from None
    except ValueError as error:
        raise RecordingError(f"{path}: not readable as JSON ({error}); record it again") from None
    if not isinstance(document, dict) or document.get("format") != format:
        raise RecordingError(f"{path}: not a {noun} of innerwalk")
    schema = document.get("schema")
    if type(schema) is not int or schema < 1:
        raise RecordingError(f"{path}: bad schema number {schema!r}")
    if schema > newest:
        raise RecordingError(f"{path}: schema {schema} is newer than {newest}, the newest read here; update innerwalk")
    return document


class JsonFields:
    """Typed, bounded access to the fields of a JSON object. Every method raises RecordingError that names the field."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise RecordingError(f"{where}: expected an object")
        self.value, self.where = value, where

    def _error(self, name: str, expected: str) -> RecordingError:
        return RecordingError(f"{self.where}: {name} must be {expected}")

    def text(self, name: str, max_length: int = MAX_TEXT) -> str:
        """A string, "" if it is missing."""
        return text_entry(self.value.get(name, ""), f"{self.where}: {name}", max_length)

    def integer(self, name: str, most: int = 1 << 62) -> int:
        """A whole number from 0 to `most`, 0 if it is missing."""
        return integer_entry(self.value.get(name, 0), f"{self.where}: {name}", most)

    def flag(self, name: str) -> bool:
        """A boolean, false if it is missing."""
        value = self.value.get(name, False)
        if type(value) is not bool:
            raise self._error(name, "true or false")
        return value

    def choice(self, name: str, options: tuple[str, ...]) -> Any:
        """One of the options."""
        value = self.value.get(name)
        if value not in options:
            raise self._error(name, f"one of {', '.join(options)}")
        return value

    def items(self, name: str, parse: Callable[[Any, str], T], max_count: int = MAX_LIST) -> tuple[T, ...]:
        """The entries of a list, each parsed by `parse(entry, where)`; () if the list is missing."""
        entries = self.value.get(name, [])
        if not isinstance(entries, list) or len(entries) > max_count:
            raise self._error(name, f"a list of at most {max_count} entries")
        return tuple(parse(entry, f"{self.where}: {name}[{k}]") for k, entry in enumerate(entries))

    def object(self, name: str) -> JsonFields:
        """The fields of an object."""
        return JsonFields(self.value.get(name), f"{self.where}: {name}")

    def plain(self, name: str) -> dict[str, Any]:
        """An object as it is, {} if it is missing."""
        value = self.value.get(name, {})
        if not isinstance(value, dict):
            raise self._error(name, "an object")
        return value


def text_entry(value: Any, where: str, max_length: int = MAX_TEXT) -> str:
    """A text of bounded length, for `JsonFields.items`. Raises RecordingError that names `where`."""
    if not isinstance(value, str) or len(value) > max_length:
        raise RecordingError(f"{where}: must be a string of at most {max_length} characters")
    if SURROGATE.search(value):
        raise RecordingError(f"{where}: must be text without lone surrogates")
    return value


def integer_entry(value: Any, where: str, most: int = 1 << 40) -> int:
    """A whole number from 0 to `most`, for `JsonFields.items`. Raises RecordingError that names `where`."""
    if type(value) is not int or not 0 <= value <= most:
        raise RecordingError(f"{where}: must be a whole number from 0 to {most}")
    return value


def number_entry(value: Any, where: str) -> float:
    """A number, for `JsonFields.items`. Raises RecordingError that names `where`."""
    if type(value) not in (int, float) or (type(value) is int and abs(value) > 1 << 62):
        raise RecordingError(f"{where}: must be a number")
    return float(value)


def _row(*parsers: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    """A parser of lists with one entry for each of the parsers."""

    def parse(row: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(row, list) or len(row) != len(parsers):
            raise RecordingError(f"{where}: must be a list of {len(parsers)}")
        pairs = zip(parsers, row, strict=True)
        return tuple(parser(value, f"{where}[{k}]") for k, (parser, value) in enumerate(pairs))

    return parse


def _layer(value: Any, where: str) -> Layer:
    fields = JsonFields(value, where)
    shape, map_shape = fields.items("shape", integer_entry, 16), fields.items("map_shape", integer_entry, 3)
    if len(map_shape) != 3 or map_shape[0] > MAX_CHANNELS or max(map_shape[1:]) > MAX_SIDE:
        raise RecordingError(f"{where}: map_shape must be three numbers (C, H, W) within bounds")
    return Layer(
        id=fields.text("id"),
        kind=fields.text("kind"),
        role=fields.choice("role", get_args(Role)),
        shape=shape,
        map_shape=(map_shape[0], map_shape[1], map_shape[2]),
        shows=fields.text("shows"),
        parameters=fields.integer("parameters"),
        note=fields.text("note"),
    )


def parse_network(fields: JsonFields) -> Network:
    """Parse a Network; its ids must be unique, its edges run forward, its panels show existing layers, in bounds."""
    layers = fields.items("layers", _layer, MAX_LAYERS)
    ids = {layer.id for layer in layers}
    if len(ids) != len(layers) or "" in ids:
        raise RecordingError(f"{fields.where}: layer ids must be unique and not empty")
    for layer in layers:
        if layer.shows and layer.shows not in ids:
            raise RecordingError(f"{fields.where}: layer {layer.id!r} shows {layer.shows!r}, which isn't there")
    pairs = fields.items("edges", _row(integer_entry, integer_entry), MAX_EDGES)
    for source, target in pairs:
        if not source < target < len(layers):
            raise RecordingError(
                f"{fields.where}: edge {source} to {target} must run forward between {len(layers)} layers"
            )
    network = Network(
        name=fields.text("name"),
        layers=layers,
        edges=tuple(Edge(layers[source].id, layers[target].id) for source, target in pairs),
        trained=fields.flag("trained"),
        weights=fields.text("weights"),
        parameters=fields.integer("parameters"),
    )
    network.folded()
    return network


def parse_prediction(fields: JsonFields, picture: Any = None) -> Prediction:
    """Parse a Prediction; `picture` is its (H, W, 3) uint8 sRGB array or None."""
    kind = fields.choice("kind", get_args(PredictionKind))
    top = fields.items("top", _row(integer_entry, text_entry, number_entry), 1000)
    if not all(math.isfinite(share) for _, _, share in top):
        raise RecordingError(f"{fields.where}: probabilities must be finite")
    boxes = fields.items("boxes", _row(text_entry, *[number_entry] * 5), 1000)
    return Prediction(kind, top, picture, boxes, fields.items("numbers", number_entry, 100_000))  # type: ignore[arg-type]


def parse_endpoints(
    fields: JsonFields, role: Role, network: Network, pictures: Mapping[str, np.ndarray]
) -> tuple[Endpoint, ...]:
    """Parse the inputs or the outputs of a network, () where a recording has none of this role.

    pictures: (n, H, W, 3) uint8 by name, from which those that are there get their pixels. Each must have a layer of
    the role to itself.
    """
    found = fields.items(
        f"{role}s", lambda value, where: _endpoint(value, where, role, network, pictures), MAX_ENDPOINTS
    )
    if len({endpoint.layer for endpoint in found}) != len(found):
        raise RecordingError(f"{fields.where}: each of the {role}s must have a layer of its own")
    return found


def _endpoint(value: Any, where: str, role: Role, network: Network, pictures: Mapping[str, np.ndarray]) -> Endpoint:
    fields = JsonFields(value, where)
    layer, over = fields.text("layer"), fields.text("over")
    kind = fields.choice("kind", get_args(InputKind if role == "input" else OutputKind))
    wanted_roles = [(layer, role), *([(over, "input")] if over else [])]
    for id, wanted in wanted_roles:
        if id not in network.by_id or network.by_id[id].role != wanted:
            raise RecordingError(f"{where}: {id!r} must be a layer of role {wanted} in the network")
    values = _values(fields, COLUMNS.get(kind, 0))
    labels = fields.items("labels", text_entry, MAX_VALUES)
    pixels = pictures.get(fields.text("pixels"))
    if pixels is not None and len(pixels) > MAX_PICTURES:
        raise RecordingError(f"{where}: {len(pixels):,} pictures; at most {MAX_PICTURES:,} are shown")
    if labels and len(labels) != len(() if values is None else values):
        raise RecordingError(f"{where}: {len(labels)} labels must be one for each row of the values")
    return Endpoint(
        layer=layer,
        name=fields.text("name"),
        kind=kind,
        shape=fields.items("shape", integer_entry, 64),
        dtype=fields.text("dtype", 64),
        source=fields.text("source"),
        note=fields.text("note"),
        over=over,
        labels=labels,
        values=values,
        pixels=pixels,
        axis=fields.integer("axis", AXES - 1),
    )


def _numbers(row: Any, where: str) -> tuple[float, ...]:
    return JsonFields({"row": row}, where).items("row", number_entry, MAX_VALUES)


def _values(fields: JsonFields, columns: int) -> np.ndarray | None:
    """The values of an endpoint, (rows, columns) float32, None for none. columns: how many there must be, 0 for any."""
    rows = fields.items("values", _numbers)
    sizes = {len(row) for row in rows} or {columns}
    if len(sizes) > 1 or (columns and sizes != {columns}) or len(rows) * max(sizes) > MAX_VALUES:
        wanted = f"{columns} numbers" if columns else "equally many numbers"
        raise RecordingError(f"{fields.where}: values must be rows of {wanted}, at most {MAX_VALUES} in all")
    with np.errstate(over="ignore"):
        return np.array(rows, np.float32) if rows and sizes != {0} else None
