"""What was requested from a bridge under one tag, and what has come of it. No bpy here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...torch_bridge.client import BridgeInput
from ...torch_bridge.recording import Maps, Recording
from .bridge_connection import NO_OPTIONS, RUNNING, RunOptions


class MethodRequest(NamedTuple):
    """A method, the arguments of `Bridge.start` that a person chose, and the input that it is about."""

    method: str
    arguments: dict[str, Any]
    input_tag: str
    """Tag of the request whose input the method is run on."""
    options: RunOptions = NO_OPTIONS
    """What the hall changes in the run of this input."""


@dataclass
class Request:
    """One request: an input to run, a method, or a query. Its fields are emptied when they are forgotten."""

    network: str = ""
    inputs: Sequence[BridgeInput] | None = None
    """Inputs to run; None for a request that runs none, or whose inputs were forgotten."""
    options: RunOptions = NO_OPTIONS
    """What is changed in the run of these inputs."""
    run: str = ""
    """What names the run of these inputs on the bridge; "" until it has answered."""
    method: MethodRequest | None = None
    job: dict[str, Any] | None = None
    """State of the method's job as the bridge last reported it: id, state, step, share, told, error, what."""
    results: Recording | dict[str, Maps] | None = None
    """What the bridge returned: a recording of inputs, or the maps of a method by layer."""
    stored: int = 0
    """Number that grows with each change of any request's results; the lowest are forgotten first."""
    then: Callable[[Any], None] | None = None
    """Function to call with the answer, until it has come."""

    @property
    def runs(self) -> bool:
        """Whether the job of a method hasn't ended."""
        return self.job is not None and self.job["state"] in RUNNING

    @property
    def maps(self) -> list[Maps]:
        """All maps of the results."""
        maps_by_key = self.results.all_maps if isinstance(self.results, Recording) else self.results or {}
        return list(maps_by_key.values())

    @property
    def size(self) -> int:
        """Bytes that the maps of the results take."""
        return sum(maps.texels.nbytes for maps in self.maps)

    @property
    def empty(self) -> bool:
        """Whether inputs, method, results and callback have all been dropped."""
        return self.inputs is None and self.method is None and self.results is None and self.then is None
