"""What a bridge is to serve, from plain values of a parent process, a file or a command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from PIL import Image

from .. import concepts
from ..inputs.sources import NamedContent
from ..recording.errors import InputError
from ..subject import RecordSpec

KINDS = {"networks": dict, "data": dict, "device": str, "port": int, "token": str}


@dataclass(frozen=True)
class ServeConfig:
    """Models are named here and nowhere else: building one runs its code."""

    networks: Mapping[str, RecordSpec] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    """Name -> "concepts:object", a folder, a .zip."""
    device: str = ""
    port: int = 0
    token: str = ""
    """Empty: a new one."""

    @classmethod
    def parse(cls, told: Any) -> ServeConfig:
        """The order in plain values: networks are objects with the fields of a RecordSpec. Raises InputError."""
        if not isinstance(told, dict):
            raise InputError("the order of a bridge must be an object with networks")
        _known("the order of a bridge", told, KINDS)
        for name, kind in KINDS.items():
            if name in told and type(told[name]) is not kind:
                raise InputError(f"the order of a bridge: {name} is {told[name]!r}; {kind.__name__} is needed")
        if not all(isinstance(where, str) for where in told.get("data", {}).values()):
            raise InputError("the order of a bridge: data must map names to places")
        return cls(**told | {"networks": specs(told.get("networks", {}))})


def specs(networks: Mapping[str, Any]) -> dict[str, RecordSpec]:
    """By name; model "object" or "pair" brings its weights and picture. Raises InputError."""
    return {name: _spec(f"network {name}", given) for name, given in networks.items()}


def _spec(where: str, given: Any) -> RecordSpec:
    if not isinstance(given, dict) or not isinstance(given.get("model"), str):
        raise InputError(f'{where}: an object such as {{"model": "resnet50"}} is needed')
    _known(where, given, [one.name for one in fields(RecordSpec)])
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    if plain["model"] not in concepts.TASKS:
        return RecordSpec(**plain)
    own = shipped_network(plain["model"])
    return RecordSpec(**own | plain | {key: own[key] for key in ("model", "arguments")})


def _known(where: str, given: Mapping[str, Any], known: Sequence[str] | Mapping[str, Any]) -> None:
    if odd := sorted(set(given) - set(known)):
        raise InputError(f"{where}: no field {odd[0]!r}; there are {', '.join(known)}")


def shipped_network(task: str) -> dict[str, Any]:
    """Fields of a RecordSpec for a network that comes with innerwalk and looks at its own picture."""
    picture = NamedContent(f"{task} {concepts.DEFAULT_INDEX}.png", Image.fromarray(concepts.picture(task=task)))
    return {
        "model": f"{concepts.__name__}:network",
        "arguments": {"task": task},
        "weights": str(concepts.weights_path(task)),
        "inputs": (picture,),
        "name": f"concepts {task}",
    }


def serve_config(
    models: Sequence[str], networks: Path | None = None, data: Mapping[str, str] | None = None, device: str = "",
    port: int = 0,
) -> ServeConfig:  # fmt: skip
    """What was said on a command line: models as "resnet50=weights.pt", a JSON file of networks, data sets.

    A shipped network brings the pictures it was trained on. Raises InputError.
    """
    given = names_of(models)
    plain: dict[str, Any] = {
        name: {"model": model} | ({"weights": weights} if weights else {}) for name, (model, weights) in given.items()
    }
    plain |= _read(networks) if networks is not None else {}
    if not plain:
        raise InputError("no network is named; give a MODEL such as object or resnet50, or --networks FILE.json")
    own = {model: f"concepts:{model}" for model, _ in given.values() if model in concepts.TASKS}
    return ServeConfig(specs(plain), own | dict(data or {}), device, port)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: can't be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"{file}: not JSON ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f'{file}: an object such as {{"mine": {{"model": "my.nets:build"}}}} is needed')
    return found


def names_of(models: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """ "resnet50=weights.pt" -> name -> (model, weights), each name once."""
    found: dict[str, tuple[str, str | None]] = {}
    for text in models:
        model, _, weights = text.partition("=")
        name, number = model, 2
        while name in found:
            name, number = f"{model} {number}", number + 1
        found[name] = (model, weights or None)
    return found
