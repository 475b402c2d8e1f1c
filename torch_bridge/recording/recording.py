"""A recording: a network, one input, the network's answer and maps; it describes and saves itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .data_model import ACTIVATIONS, Maps, Network, Prediction
from .endpoints import Endpoint
from .errors import RecordingError, UnknownName
from .schema import FORMAT, SCHEMA, describe_endpoint, describe_network, describe_prediction
from .writing import write_recording


@dataclass
class Recording:
    """A network, one input, the network's answer, and maps by (layer, method)."""

    network: Network
    input_name: str
    picture: np.ndarray
    """The input as the network gets it, (H, W, 3) uint8 sRGB, top row first."""
    prediction: Prediction
    all_maps: dict[tuple[str, str], Maps] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    """Preprocessing, seed, versions: plain JSON values, written into figures."""
    inputs: tuple[Endpoint, ...] = ()
    """The network's inputs; () in recordings made before they were kept, which have `picture` only."""
    outputs: tuple[Endpoint, ...] = ()
    """The network's outputs; () in recordings made before they were kept, which have `prediction` only."""
    run: str = ""
    """What names the run on its bridge, for methods about it; "" for a recording that no bridge has sent."""

    def __repr__(self) -> str:
        """One line: the network, the input, the best answer, and how many layers have maps of each method."""
        methods = Counter(method for _, method in self.all_maps)
        found = ", ".join(f"{method} of {count}" for method, count in methods.items()) or "none"
        best = "".join(f", {name} {share:.0%}" for _, name, share in self.prediction.top[:1])
        network = f"{self.network.name}: {len(self.network.layers)} layers"
        return f"<Recording of {network}; input {self.input_name}{best}; maps: {found}>"

    def maps(self, layer: str, method: str = ACTIVATIONS) -> Maps:
        """The maps of a layer. Raises UnknownName with near matches."""
        self.network.layer(layer)
        if (layer, method) not in self.all_maps:
            recorded = [id for id, name in self.all_maps if name == method]
            raise UnknownName(f"recorded {method} of layer", layer, recorded)
        return self.all_maps[layer, method]

    def check_method(self, method: str) -> None:
        """Raises UnknownName when there are no maps of a method; a recording without any maps has activations."""
        recorded = dict.fromkeys(name for _, name in self.all_maps)
        if method not in recorded and (recorded or method != ACTIVATIONS):
            raise UnknownName("method in the recording", method, recorded)

    def add(self, maps: Iterable[Maps]) -> None:
        """Add maps, or replace those of the same layer and method."""
        self.all_maps.update({(entry.layer, entry.method): entry for entry in maps})

    def save(
        self,
        folder: Path | str,
        progress: Callable[[float], None] | None = None,
        *,
        overwrite: bool = False,
        half: bool = False,
    ) -> Path:
        """Write the recording and replace the one in `folder`, which is returned as a path; `load` opens it again.

        progress: called with the share that is written, 0..1. overwrite: replace also a recording.json that is none of
        ours, or that is read-only. half: store the maps as float16, as `to_half` rounds them. Raises RecordingError;
        then the old one is unchanged.
        """
        if not str(folder):
            raise RecordingError("the recording's folder has no name; name one, or . for the current one")
        folder = Path(folder)
        write_recording(
            folder,
            describe(self),
            pictures(self),
            self.all_maps.values(),
            progress or (lambda share: None),
            overwrite,
            half,
        )
        return folder


def pictures(recording: Recording) -> dict[str, np.ndarray]:
    """The pictures of a recording by name: `input`, `answer` if there is one, and further pixels of its endpoints.

    The first two are (H, W, 3) uint8 sRGB; the others, `<layer>|pixels`, are (n, H, W, 3).
    """
    found = {"input": recording.picture}
    if recording.prediction.picture is not None:
        found["answer"] = recording.prediction.picture
    for endpoint in (*recording.inputs, *recording.outputs):
        if endpoint.pixels is not None and (name := _pixels_name(recording, endpoint)) not in found:
            found[name] = endpoint.pixels
    return found


def _pixels_name(recording: Recording, endpoint: Endpoint) -> str:
    """The name of the picture that holds an endpoint's pixels; those of input and answer aren't kept twice."""
    if endpoint.pixels is None:
        return ""
    for name, picture in (("input", recording.picture), ("answer", recording.prediction.picture)):
        if picture is not None and np.array_equal(endpoint.pixels, picture[None]):
            return name
    return f"{endpoint.layer}|pixels"


def describe(recording: Recording, *, network: bool = True) -> dict[str, Any]:
    """The recording without arrays and maps, as JSON values for `restore`. network: whether the graph is included."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        **({"network": describe_network(recording.network)} if network else {}),
        "input": recording.input_name,
        "prediction": describe_prediction(recording.prediction),
        "inputs": [describe_endpoint(own, _pixels_name(recording, own)) for own in recording.inputs],
        "outputs": [describe_endpoint(own, _pixels_name(recording, own)) for own in recording.outputs],
        "provenance": recording.provenance,
    }
