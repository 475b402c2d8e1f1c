"""A recording without its arrays <-> plain JSON. The reading side trusts nothing: a recording may come from a stranger.

Schema 1: `format`, `schema`, `network` {name, trained, weights, parameters, layers [...], edges [[i, j], ...]},
`input`, `prediction`, `provenance`, `pictures` (a file), and `maps`, a list of {layer, method, channels, colour, frame,
labels, file, extras}.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, get_args

from .errors import RecordingError
from .model import Edge, Frame, Layer, Network, Prediction, PredictionKind, Role

FORMAT, SCHEMA = "innerwalk-recording", 1
MAX_JSON, MAX_TEXT, MAX_LAYERS, MAX_EDGES = 256 << 20, 4096, 100_000, 1_000_000
MAX_SIDE, MAX_CHANNELS, MAX_LIST = 1 << 20, 1 << 24, 1 << 20

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
    fields = asdict(prediction)
    del fields["picture"]
    return fields


def read_json(path: Path) -> Any:
    """The checked JSON document of a recording. Raises RecordingError."""
    try:
        if path.stat().st_size > MAX_JSON:
            raise RecordingError(f"{path}: larger than {MAX_JSON >> 20} MiB, not a recording of ours")
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise RecordingError(f"{path.parent}: no recording here ({path.name} is missing)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: not readable as JSON ({type(error).__name__}); record it again") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RecordingError(f"{path}: not a recording of innerwalk")
    schema = document.get("schema")
    if type(schema) is not int or schema < 1:
        raise RecordingError(f"{path}: bad schema number {schema!r}")
    if schema > SCHEMA:
        raise RecordingError(f"{path}: schema {schema} is newer than {SCHEMA}, the newest read here; update innerwalk")
    return document


class Fields:
    """Typed, bounded access to one JSON object; every complaint names the place."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise RecordingError(f"{where}: expected an object")
        self.value, self.where = value, where

    def _fail(self, name: str, wanted: str) -> RecordingError:
        return RecordingError(f"{self.where}: {name} must be {wanted}")

    def text(self, name: str, longest: int = MAX_TEXT) -> str:
        return _text(self.value.get(name, ""), f"{self.where}: {name}", longest)

    def whole(self, name: str, most: int = 1 << 62) -> int:
        return _whole(self.value.get(name, 0), f"{self.where}: {name}", most)

    def flag(self, name: str) -> bool:
        found = self.value.get(name, False)
        if type(found) is not bool:
            raise self._fail(name, "true or false")
        return found

    def choice(self, name: str, options: tuple[str, ...]) -> Any:
        found = self.value.get(name)
        if found not in options:
            raise self._fail(name, f"one of {', '.join(options)}")
        return found

    def items(self, name: str, read: Callable[[Any, str], T], most: int = MAX_LIST) -> tuple[T, ...]:
        found = self.value.get(name, [])
        if not isinstance(found, list) or len(found) > most:
            raise self._fail(name, f"a list of at most {most} entries")
        return tuple(read(item, f"{self.where}: {name}[{k}]") for k, item in enumerate(found))

    def object(self, name: str) -> Fields:
        return Fields(self.value.get(name), f"{self.where}: {name}")

    def plain(self, name: str) -> dict[str, Any]:
        found = self.value.get(name, {})
        if not isinstance(found, dict):
            raise self._fail(name, "an object")
        return found


def _text(item: Any, where: str, longest: int = MAX_TEXT) -> str:
    if not isinstance(item, str) or len(item) > longest:
        raise RecordingError(f"{where}: must be a string of at most {longest} characters")
    if any("\ud800" <= character <= "\udfff" for character in item):
        raise RecordingError(f"{where}: must be text that can be written, without halves of characters")
    return item


def _whole(item: Any, where: str, most: int = 1 << 40) -> int:
    if type(item) is not int or not 0 <= item <= most:
        raise RecordingError(f"{where}: must be a whole number from 0 to {most}")
    return item


def _number(item: Any, where: str) -> float:
    if type(item) not in (int, float) or (type(item) is int and abs(item) > 1 << 62):
        raise RecordingError(f"{where}: must be a number")
    return float(item)


def _row(*kinds: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    def read(item: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(item, list) or len(item) != len(kinds):
            raise RecordingError(f"{where}: must be a list of {len(kinds)}")
        return tuple(kind(value, f"{where}[{k}]") for k, (kind, value) in enumerate(zip(kinds, item, strict=True)))

    return read


def _layer(item: Any, where: str) -> Layer:
    one = Fields(item, where)
    shape, map_shape = one.items("shape", _whole, 16), one.items("map_shape", _whole, 3)
    if len(map_shape) != 3 or map_shape[0] > MAX_CHANNELS or max(map_shape[1:]) > MAX_SIDE:
        raise RecordingError(f"{where}: map_shape must be three numbers (C, H, W) within bounds")
    return Layer(
        id=one.text("id"),
        kind=one.text("kind"),
        role=one.choice("role", get_args(Role)),
        shape=shape,
        map_shape=(map_shape[0], map_shape[1], map_shape[2]),
        shows=one.text("shows"),
        parameters=one.whole("parameters"),
        note=one.text("note"),
    )


def parse_network(fields: Fields) -> Network:
    """A Network whose ids are unique, whose edges run forward and whose panels show layers that are there."""
    layers = fields.items("layers", _layer, MAX_LAYERS)
    ids = {layer.id for layer in layers}
    if len(ids) != len(layers) or "" in ids:
        raise RecordingError(f"{fields.where}: layer ids must be unique and not empty")
    for layer in layers:
        if layer.shows and layer.shows not in ids:
            raise RecordingError(f"{fields.where}: layer {layer.id!r} shows {layer.shows!r}, which isn't there")
    pairs = fields.items("edges", _row(_whole, _whole), MAX_EDGES)
    for source, target in pairs:
        if not source < target < len(layers):
            raise RecordingError(
                f"{fields.where}: edge {source} to {target} must run forward between {len(layers)} layers"
            )
    return Network(
        name=fields.text("name"),
        layers=layers,
        edges=tuple(Edge(layers[source].id, layers[target].id) for source, target in pairs),
        trained=fields.flag("trained"),
        weights=fields.text("weights"),
        parameters=fields.whole("parameters"),
    )


def parse_prediction(fields: Fields, picture: Any = None) -> Prediction:
    """A Prediction; `picture` is its (H, W, 3) uint8 array or None."""
    kind = fields.choice("kind", get_args(PredictionKind))
    top = fields.items("top", _row(_whole, _text, _number), 1000)
    if not all(math.isfinite(share) for _, _, share in top):
        raise RecordingError(f"{fields.where}: probabilities must be finite")
    boxes = fields.items("boxes", _row(_text, *[_number] * 5), 1000)
    return Prediction(kind, top, picture, boxes, fields.items("numbers", _number, 100_000))  # type: ignore[arg-type]


def parse_maps_entry(item: Any, where: str, network: Network | None) -> Mapping[str, Any]:
    """One entry of `maps`: checked keyword arguments of Maps but its arrays, and `file`, `extras` (names).

    network: where the layer must be, if it is known yet.
    """
    one = Fields(item, where)
    layer, channels, labels = one.text("layer"), one.whole("channels", MAX_CHANNELS), one.items("labels", _text)
    if not METHOD_NAME.fullmatch(method := one.text("method", 64)):
        raise RecordingError(f"{where}: method {method!r} must be small letters, digits and _")
    if network is not None and layer not in network.by_id:
        raise RecordingError(f"{where}: no layer {layer!r} in the network")
    if labels and len(labels) != channels:
        raise RecordingError(f"{where}: {len(labels)} labels for {channels} channels")
    return {
        "layer": layer,
        "method": method,
        "channels": channels,
        "colour": one.flag("colour"),
        "frame": one.choice("frame", get_args(Frame)),
        "labels": labels,
        "file": one.text("file", 255),
        "extras": one.items("extras", _text, 64),
    }
