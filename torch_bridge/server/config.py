"""The configuration of a bridge, read from a parent process, a file or a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from ..inputs.sources import NamedContent
from ..models.build import is_exported
from ..recording.errors import InputError, nearest
from ..recording.files import failure_text, parse_json, read_file
from ..shipped_networks import SHIPPED, default_picture, network_fields, own_data
from ..subject import RecordSpec
from .spec_fields import SPEC_FIELDS, check_spec, is_text

FIELD_TYPES = {"networks": dict, "data": dict, "device": str, "port": int, "token": str, "folder": str}
MAX_CLASSES = 1 << 15
"""Classes of a model that nobody vouches for."""
MAX_ORDER = 16 << 20
"""Bytes of a file of networks."""


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
        """Check the JSON values of a parent process; its networks are objects with fields of RecordSpec.

        `folder` is that of all networks that don't name their own. The parent is trusted: its networks may run code.
        Raises InputError.
        """
        if not isinstance(values, dict):
            raise InputError("bridge config: an object with networks is needed")
        _check_fields("bridge config", values, FIELD_TYPES)
        for name, type_ in FIELD_TYPES.items():
            if name in values and type(values[name]) is not type_:
                raise InputError(f"bridge config: {name} is {values[name]!r}; {type_.__name__} is needed")
        if not all(is_text(text) for entry in values.get("data", {}).items() for text in entry):
            raise InputError("bridge config: data must map names to places")
        networks = parse_specs(values.get("networks", {}), values.get("folder"), trust=True)
        return cls(**{name: value for name, value in values.items() if name != "folder"} | {"networks": networks})


def parse_specs(networks: Mapping[str, Any], folder: str | None = None, trust: bool = False) -> dict[str, RecordSpec]:
    """Network name -> spec; the models "object" and "pair" bring their weights and input. Raises InputError.

    folder: where the modules of networks are that don't name a folder. trust: whether the networks may run code of
    their own; else those that would are refused.
    """
    return {name: _parse_spec(name, values, folder, trust) for name, values in networks.items()}


def _parse_spec(name: str, values: Any, folder: str | None, trust: bool) -> RecordSpec:
    if not is_text(name) or not name.strip():
        raise InputError(f"network {name[:60]!r}: the name of a network is a text of printable characters")
    where = f"network {name}"
    if not isinstance(values, dict) or not isinstance(values.get("model"), str):
        raise InputError(f'{where}: an object such as {{"model": "resnet50"}} is needed')
    _check_fields(where, values, SPEC_FIELDS)
    stated = {key: value for key, value in values.items() if value is not None}
    check_spec(where, stated)
    if not trust:
        _refuse_code(where, stated)
        _refuse_sizes(where, stated.get("arguments", {}))
    spec: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in stated.items()}
    spec |= {"folder": spec.get("folder") or folder or None, "trust": trust}
    if spec["model"] not in SHIPPED:
        return RecordSpec(**spec)
    shipped = shipped_network(spec["model"])
    own = {key: value for key, value in shipped.items() if key not in values}  # null stands for no weights, no input
    return RecordSpec(**own | spec | {key: shipped[key] for key in ("model", "arguments")})


def _refuse_code(where: str, spec: Mapping[str, Any]) -> None:
    """Raises InputError for a network whose loading or running imports modules, or runs code from a file."""
    model, folder = spec["model"], spec.get("folder")
    if ":" in model or is_exported(model) or folder:
        code = f"folder {folder}" if folder else f"model {model}"
        raise InputError(
            f"{where}: {code} would run code; if you trust it, add --trust, or name the model on the command line"
        )


def _refuse_sizes(where: str, arguments: Mapping[str, Any]) -> None:
    """Raises InputError for arguments of a model that may make it of any size."""
    classes = arguments.get("num_classes", 0)
    others = {name: value for name, value in arguments.items() if name != "num_classes"}
    if type(classes) is not int or classes > MAX_CLASSES or _has_numbers(others):
        raise InputError(
            f"{where}: its arguments may make a network of any size; if you trust them, add --trust, or state "
            f"no numbers but num_classes, at most {MAX_CLASSES:,}"
        )


def _has_numbers(value: Any) -> bool:
    """Whether there is a number in a value, or in the lists and objects that it is made of."""
    if isinstance(value, Mapping | list | tuple):
        return any(map(_has_numbers, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_fields(where: str, values: Mapping[str, Any], known: Sequence[str] | Mapping[str, Any]) -> None:
    if unknown := sorted(set(values) - set(known)):
        hint = nearest(unknown[0], known) or f"there are {', '.join(known)}"
        raise InputError(f"{where}: no field {unknown[0]!r}; {hint}")


def shipped_network(name: str) -> dict[str, Any]:
    """Fields of a RecordSpec for a network that comes with innerwalk, with its own picture as input."""
    if "inputs" in (fields := network_fields(name)):
        return fields
    title, pixels = default_picture(name)
    return fields | {"inputs": (NamedContent(title, Image.fromarray(pixels)),)}


def serve_config(
    models: Sequence[str],
    networks: Path | None = None,
    data: Mapping[str, str] | None = None,
    device: str = "",
    port: int = 0,
    folder: str | None = None,
    trust: bool = False,
) -> ServeConfig:
    """The config for arguments of a command line: models as "resnet50=weights.pt", a JSON file of networks, data sets.

    Models named here may run code, those of the file only with trust. A shipped network also brings the data set it was
    trained on. Raises InputError.
    """
    named = parse_models(models)
    specs = parse_specs(
        {
            name: {"model": model} | ({"weights": weights} if weights else {})
            for name, (model, weights) in named.items()
        },
        folder,
        trust=True,
    )
    in_file = parse_specs(_read_networks(networks), folder, trust) if networks is not None else {}
    if same := next((name for name in in_file if name in specs), None):
        raise InputError(f"{networks}: network {same!r} is on the command line too; give one of them another name")
    specs |= in_file
    if not specs:
        raise InputError("no network is named; give a MODEL such as object or resnet50, or --networks FILE.json")
    shipped_data = {model: own_data(model) for model, _ in named.values() if model in SHIPPED and own_data(model)}
    return ServeConfig(specs, shipped_data | dict(data or {}), device, port)


def _read_networks(file: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_file(file, MAX_ORDER))
    except OSError as error:
        raise InputError(f"{file}: can't be read ({failure_text(error)})") from None
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
