"""The configuration of a bridge, read from a parent process, a file or a command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from PIL import Image

from .. import concepts
from ..inputs.sources import NamedContent
from ..recording.errors import InputError, nearest
from ..subject import RecordSpec

FIELD_TYPES = {"networks": dict, "data": dict, "device": str, "port": int, "token": str, "folder": str}


TEXT = (lambda value: isinstance(value, str), "a text")
WHOLE = (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number")
SIDES = (lambda value: _are(value, int, 2), "(height, width) such as (224, 224)")
NUMBERS = (lambda value: _are(value, (int, float)), "a list of numbers, one for each colour, such as (0.5,)")
NAMES = (lambda value: isinstance(value, str) or _are(value, str), "a list of names or a file of them")
MAPPING = (lambda value: isinstance(value, Mapping), "an object")
SPEC_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "arguments": MAPPING,
    "folder": TEXT,
    "weights": TEXT,
    "classes": NAMES,
    "layers": NAMES,
    "size": SIDES,
    "grid": SIDES,
    "crop": (lambda value: isinstance(value, (int, float)), "a share above 0, up to 1"),
    "mean": NUMBERS,
    "std": NUMBERS,
    "colours": WHOLE,
    "interpolation": TEXT,
    "stretch": (lambda value: isinstance(value, bool), "true or false"),
    "index": WHOLE,
    "seed": WHOLE,
    "kernels": (lambda value: isinstance(value, bool), "true or false"),
    "ablate": MAPPING,
    "positions": MAPPING,
    "name": TEXT,
}
"""What the fields of a network's spec must be, and how an error names it; None passes."""


@dataclass(frozen=True)
class ServeConfig:
    """What a bridge serves. Models are named here and never over the wire, because building one runs its code."""

    networks: Mapping[str, RecordSpec] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    """Name of a data set -> "concepts:object", a folder, or a .zip."""
    device: str = ""
    port: int = 0
    token: str = ""
    """The token that clients must send; empty for a new random one."""

    @classmethod
    def parse(cls, values: Any) -> ServeConfig:
        """Check a config of JSON values; its networks are objects with fields of RecordSpec. Raises InputError.

        `folder` is that of all networks that don't name their own.
        """
        if not isinstance(values, dict):
            raise InputError("bridge config: an object with networks is needed")
        _check_fields("bridge config", values, FIELD_TYPES)
        for name, type_ in FIELD_TYPES.items():
            if name in values and type(values[name]) is not type_:
                raise InputError(f"bridge config: {name} is {values[name]!r}; {type_.__name__} is needed")
        if not all(isinstance(where, str) for where in values.get("data", {}).values()):
            raise InputError("bridge config: data must map names to places")
        networks = parse_specs(values.get("networks", {}), values.get("folder"))
        return cls(**{name: value for name, value in values.items() if name != "folder"} | {"networks": networks})


def parse_specs(networks: Mapping[str, Any], folder: str | None = None) -> dict[str, RecordSpec]:
    """Network name -> spec; the models "object" and "pair" bring their weights and input. Raises InputError.

    folder: where the modules of networks are that don't name a folder.
    """
    return {name: _parse_spec(f"network {name}", values, folder) for name, values in networks.items()}


def _parse_spec(where: str, values: Any, folder: str | None) -> RecordSpec:
    if not isinstance(values, dict) or not isinstance(values.get("model"), str):
        raise InputError(f'{where}: an object such as {{"model": "resnet50"}} is needed')
    _check_fields(where, values, [spec_field.name for spec_field in fields(RecordSpec)])
    spec: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    _check_types(where, spec)
    spec["folder"] = spec.get("folder") or folder or None
    if spec["model"] not in concepts.TASKS:
        return RecordSpec(**spec)
    shipped = shipped_network(spec["model"])
    return RecordSpec(**shipped | spec | {key: shipped[key] for key in ("model", "arguments")})


def _check_types(where: str, spec: Mapping[str, Any]) -> None:
    for name, (fits, wanted) in SPEC_TYPES.items():
        if spec.get(name) is not None and not fits(spec[name]):
            raise InputError(f"{where}: {name} is {str(spec[name])[:60]!r}; {wanted} is needed")


def _are(value: Any, kinds: type | tuple[type, ...], count: int | None = None) -> bool:
    """Whether a value is a tuple of these kinds, of so many entries if stated."""
    return isinstance(value, tuple) and all(isinstance(entry, kinds) for entry in value) and count in (None, len(value))


def _check_fields(where: str, values: Mapping[str, Any], known: Sequence[str] | Mapping[str, Any]) -> None:
    if unknown := sorted(set(values) - set(known)):
        hint = nearest(unknown[0], known) or f"there are {', '.join(known)}"
        raise InputError(f"{where}: no field {unknown[0]!r}; {hint}")


def shipped_network(task: str) -> dict[str, Any]:
    """Fields of a RecordSpec for a network that comes with innerwalk, with its own picture as input."""
    picture = NamedContent(f"{task} {concepts.DEFAULT_INDEX}.png", Image.fromarray(concepts.picture(task=task)))
    return {
        "model": f"{concepts.__name__}:network",
        "arguments": {"task": task},
        "weights": str(concepts.weights_path(task)),
        "inputs": (picture,),
        "name": f"concepts {task}",
    }


def serve_config(
    models: Sequence[str],
    networks: Path | None = None,
    data: Mapping[str, str] | None = None,
    device: str = "",
    port: int = 0,
    folder: str | None = None,
) -> ServeConfig:
    """The config for arguments of a command line: models as "resnet50=weights.pt", a JSON file of networks, data sets.

    A shipped network also brings the data set it was trained on. Raises InputError.
    """
    named = parse_models(models)
    specs: dict[str, Any] = {
        name: {"model": model} | ({"weights": weights} if weights else {}) for name, (model, weights) in named.items()
    }
    specs |= _read_networks(networks) if networks is not None else {}
    if not specs:
        raise InputError("no network is named; give a MODEL such as object or resnet50, or --networks FILE.json")
    shipped_data = {model: f"concepts:{model}" for model, _ in named.values() if model in concepts.TASKS}
    return ServeConfig(parse_specs(specs, folder), shipped_data | dict(data or {}), device, port)


def _read_networks(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: can't be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"{file}: not JSON ({error})") from None
    if not isinstance(content, dict):
        raise InputError(f'{file}: an object such as {{"mine": {{"model": "my.nets:build"}}}} is needed')
    return content


def parse_models(models: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Parse ["resnet50=weights.pt", …] into name -> (model, weights); repeated models get the names "… 2", "… 3"."""
    named: dict[str, tuple[str, str | None]] = {}
    for text in models:
        model, _, weights = text.partition("=")
        name, number = model, 2
        while name in named:
            name, number = f"{model} {number}", number + 1
        named[name] = (model, weights or None)
    return named
