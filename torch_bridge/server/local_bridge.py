"""A bridge in this process: the same calls as over HTTP, answered by a service of this process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ..capture.failures import one_line
from ..client import Bridge, BridgeInput
from ..client.frames import Frame, dump_json
from ..data import open_data
from ..inputs.sources import Input, copy_input
from ..models.build import BuiltModel
from ..models.device import choose_device
from ..recording.errors import BridgeError, InnerwalkError, InputError, ModelError
from ..subject import prepare
from .config import parse_specs
from .in_process import argument_sources, module_device
from .loaded_model import LoadedModel
from .priority_lock import PriorityLock
from .service import Service


class LocalBridge(Bridge):
    """A connection to a service of this process. Its answers share memory with the service: don't write to them."""

    in_process = True

    def __init__(self, former: LocalBridge | None = None) -> None:
        """Connects to the service of a former connection, or to a new one."""
        super().__init__(0, "")
        self.service: Service = former.service if former else Service({}, {}, "this process")
        self.lock: PriorityLock = former.lock if former else PriorityLock()
        """Held by every run of the service's networks."""
        self.places: dict[str, str] = former.places if former else {}
        """Names of the data sets that were added, by their place."""

    def new_connection(self) -> LocalBridge:
        """Another connection to the same service, for another thread."""
        return LocalBridge(self)

    def __exit__(self, *_: object) -> None:
        """Leaves the service as it is; other connections use it."""

    def end(self) -> None:
        """Ends the service, for all connections, and forgets its networks."""
        self.service.close()
        self.service.networks.clear()

    def call(
        self, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> Iterator[Frame]:
        """Yields the frames of the answer. arrays: of any shape. Raises InnerwalkError, of what the service raises."""
        try:
            for answer, answer_arrays in self.service.calls[name](_plain(values), dict(arrays or {})):
                yield _plain(answer), answer_arrays
        except (InnerwalkError, GeneratorExit):
            raise
        except BaseException as error:  # as over HTTP, even SystemExit is an answer
            raise BridgeError(one_line(error)) from error

    def add_network(self, model: nn.Module | str, name: str, device: str, spec: Mapping[str, Any]) -> str:
        """Serves a network from now on; returns the name it got, with a number if there is one of this name.

        model: the network, which keeps its device and mode, or a text as in `RecordSpec.model`. device: such as cuda,
        for a text; "" chooses. spec: further fields of a `RecordSpec`. Raises ModelError or InputError.
        """
        if not isinstance(model, (nn.Module, str)):
            hint = f"; call it: {model.__name__}(…)" if isinstance(model, type) else ""
            raise ModelError(f"the model is of type {type(model).__name__}; pass an nn.Module or a name{hint}")
        title = name or (type(model).__name__ if isinstance(model, nn.Module) else model)
        name = next(free for number in count(1) if (free := _numbered(title, number)) not in self.service.networks)
        spec = {key: str(value) if isinstance(value, Path) else value for key, value in spec.items()}
        if isinstance(model, nn.Module):
            record_spec = replace(parse_specs({name: {"model": "a module"} | spec}, trust=True)[name], model=title)
            subject = prepare(record_spec, BuiltModel(model, title))
            loaded = LoadedModel(name, record_spec, module_device(model), self.lock, subject)
        else:
            record_spec = parse_specs({name: {"model": model} | spec}, trust=True)[name]
            loaded = LoadedModel(name, record_spec, choose_device(device), self.lock)
        loaded.flushes_denormals, loaded.served_models = False, self.service.networks
        self.service.networks[name] = loaded
        return name

    def remove_network(self, name: str) -> None:
        """Serves a network no longer, and forgets its runs and inputs."""
        self.service.networks.pop(name, None)
        self.service.runs.forget(name)
        self.service.inputs.forget(name)

    def add_data(self, place: Path | str) -> str:
        """Serves a data set, such as a folder of pictures; returns its name. Raises InputError."""
        where, known = str(Path(place).resolve()), self.service.data
        if where not in self.places:
            title = Path(where).stem
            name = next(free for number in count(1) if (free := _numbered(title, number)) not in known)
            known[name] = open_data(str(place), name)
            self.places[where] = name
        return self.places[where]

    def hold(self, network: str, inputs: Any) -> list[BridgeInput]:
        """Returns arguments of a network as inputs: those of `record` as they are, paths and texts read.

        Raises InputError.
        """
        loaded = self.service.networks[network]
        preprocessing = loaded.subject.adapter.preprocessing
        try:
            sources = argument_sources(loaded.model, inputs, preprocessing)
            held = [copy_input(each) for each in loaded.read(sources)]
        except InnerwalkError:
            raise
        except Exception as error:  # sparse tensors, tensors without values, lists that contain themselves
            raise InputError(f"these inputs can't be drawn ({one_line(error)})") from error
        return [self._held(network, each, held[0].name) for each in held]

    def _held(self, network: str, own: Input, name: str) -> BridgeInput:
        values = {"kind": "held", "id": self.service.inputs.hold(own, network), "name": name}
        return BridgeInput(values | ({"argument": own.keyword} if own.keyword else {}))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values as they arrive over HTTP: tuples become lists."""
    return json.loads(dump_json(values))


def _numbered(title: str, number: int) -> str:
    return title if number == 1 else f"{title} {number}"
