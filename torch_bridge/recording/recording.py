"""A recording: a network, one input, the network's answer and maps; it describes and saves itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .data_model import ACTIVATIONS, Maps, Network, Prediction
from .errors import RecordingError, UnknownName
from .schema import FORMAT, SCHEMA, describe_network, describe_prediction
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
    run: str = ""
    """What names the run on its bridge, for methods about it; "" for a recording that no bridge has sent."""

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
        self, folder: Path | str, progress: Callable[[float], None] | None = None, *, overwrite: bool = False
    ) -> Path:
        """Write the recording and replace the one in `folder`, which is returned as a path; `load` opens it again.

        progress: called with the share that is written, 0..1. overwrite: replace also a recording.json that is none of
        ours, or that is read-only. Raises RecordingError; then the old one is unchanged.
        """
        if not str(folder):
            raise RecordingError("the recording's folder has no name; name one, or . for the current one")
        folder, pictures = Path(folder), {"input": self.picture}
        if self.prediction.picture is not None:
            pictures["answer"] = self.prediction.picture
        write_recording(
            folder, describe(self), pictures, self.all_maps.values(), progress or (lambda share: None), overwrite
        )
        return folder


def describe(recording: Recording, *, network: bool = True) -> dict[str, Any]:
    """The recording without arrays and maps, as JSON values for `restore`. network: whether the graph is included."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        **({"network": describe_network(recording.network)} if network else {}),
        "input": recording.input_name,
        "prediction": describe_prediction(recording.prediction),
        "provenance": recording.provenance,
    }
