"""Files of trained inverters: reading, writing, and finding the one for a layer of a network.

They are safetensors files in float16. The metadata holds the network's fingerprint, the layer, the data and the error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ..concepts.weight_files import half_precision_state, write_weights
from ..inputs.preprocess import Preprocessing
from ..recording.errors import InputError, ModelError, RecordingError
from ..recording.files import parse_json, user_path
from ..recording.safetensors import open_arrays
from .inverter_training import CODES
from .upconv_network import UpconvNet, UpconvPlan

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
SUFFIX = ".safetensors"
ARCH = "innerwalk inverter 2"
COMMAND = "python -m innerwalk.torch_bridge.inverters.train"
MAX_VALUES = 1 << 28
"""Limit on the values of a layer of the network that a file describes, so that a hostile file can't exhaust memory."""

Kind = Literal["inverter", "prior"]


@dataclass(frozen=True)
class InverterMetadata:
    """The metadata of an inverter's file; the field names are its keys."""

    kind: Kind
    """An inverter predicts the picture of given maps; a prior turns any mean of its codes into a picture."""
    network: str
    """Fingerprint of the inverted network."""
    layer: str
    maps: tuple[int, ...]
    """(C, H, W) of the layer's maps."""
    picture: tuple[int, ...]
    """(C, H, W) of the picture."""
    width: int
    mean: tuple[float, ...]
    """Mean by channel that the network's preprocessing subtracts."""
    std: tuple[float, ...]
    """Standard deviation by channel that the network's preprocessing divides by."""
    data: str
    """Name of the data set."""
    pictures: int
    """Number of pictures, with those held out."""
    epochs: int
    seed: int
    error: float
    """Picture error on held-out pictures; 1 is the mean squared distance of two pictures."""

    @property
    def plan(self) -> UpconvPlan:
        """The plan of the network. Raises ValueError if no network can be built from the shapes."""
        plan = UpconvPlan(self.maps, self.picture, self.width)  # type: ignore[arg-type]
        sizes = (*self.maps, *self.picture, self.width)
        if len(self.maps) != 3 or len(self.picture) != 3 or not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError("bad shapes")
        weights = self.maps[0] * plan.channels(0) * 9
        values = plan.channels(0) * plan.first_size[0] * plan.first_size[1]
        if max(weights, values) > MAX_VALUES:
            raise ValueError("shapes out of bounds")
        return plan


@dataclass(frozen=True)
class Inverter:
    """A trained inverter, read from a file."""

    metadata: InverterMetadata
    net: UpconvNet
    codes: torch.Tensor | None = None
    """(K, C, H, W) float32: the layer's maps of K training pictures, for priors only."""


def write_inverter(path: Path, metadata: InverterMetadata, net: UpconvNet, codes: torch.Tensor) -> None:
    """Writes a file, completely or not at all; the codes (K, C, H, W) are stored for priors only. Raises InputError."""
    state = {f"net.{name}": tensor for name, tensor in half_precision_state(net).items()}
    if metadata.kind == "prior":
        largest = torch.finfo(torch.float16).max
        state["codes"] = codes.clamp(-largest, largest).half()
    values = {name: json.dumps(value) for name, value in asdict(metadata).items()}
    try:
        write_weights(path, {name: tensor.cpu() for name, tensor in state.items()}, {"arch": ARCH, **values})
    except OSError as problem:
        raise InputError(f"{path}: can't be written ({problem.strerror})") from None


def read_inverter(path: Path) -> Inverter:
    """Reads a file into float32. Raises ModelError if it holds no valid inverter."""
    arrays, values = _open(path)
    metadata = parse_metadata(path, values)
    try:
        return _build_inverter(metadata, arrays)
    except (ValueError, KeyError, RuntimeError, TypeError):
        raise ModelError(f"{path.name}: its tensors don't match its metadata; {COMMAND} makes valid files") from None


def _build_inverter(metadata: InverterMetadata, arrays: Mapping[str, np.ndarray]) -> Inverter:
    """Raises ValueError, KeyError, RuntimeError or TypeError if arrays and metadata don't match."""
    net = UpconvNet(metadata.plan)
    tensors = {name: torch.from_numpy(array.astype("float32")) for name, array in arrays.items()}
    state = {name.removeprefix("net."): tensor for name, tensor in tensors.items() if name.startswith("net.")}
    net.load_state_dict(state)
    codes = tensors["codes"].reshape(-1, *metadata.maps) if metadata.kind == "prior" else None
    if codes is not None and not (0 < len(codes) <= CODES and bool(codes.isfinite().all())):
        raise ValueError("bad codes")
    return Inverter(metadata, net.eval().requires_grad_(False), codes)


def parse_metadata(path: Path, values: Mapping[str, str]) -> InverterMetadata:
    """Parses the metadata of an inverter's file. Raises ModelError if it is not one, or damaged."""
    if values.get("arch") != ARCH:
        raise ModelError(f"{path.name} holds no inverter; {COMMAND} makes one")
    try:
        parsed = {field.name: parse_json(values[field.name]) for field in fields(InverterMetadata)}
        arguments: dict[str, Any] = {name: _tuple_if_list(value) for name, value in parsed.items()}
        return InverterMetadata(**arguments)
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{path.name}: its metadata is damaged; {COMMAND} makes valid files") from None


@dataclass(frozen=True)
class InverterQuery:
    """The network and kind that an inverter must have been trained for."""

    kind: Kind
    network: str
    """Fingerprint."""
    network_name: str
    """Name of the network for error messages."""
    picture: tuple[int, ...]
    """(C, H, W) of the network's input."""
    preprocessing: Preprocessing

    def mismatch(self, metadata: InverterMetadata, layer: str = "") -> str:
        """Returns why an inverter doesn't fit the network, and the layer if given; "" if it fits."""
        if metadata.kind != self.kind:
            return f"holds {_with_article(metadata.kind)}, not {_with_article(self.kind)}"
        if metadata.network != self.network:
            return f"was trained for another network, or other weights, than {self.network_name}"
        if layer and metadata.layer != layer:
            return f"was trained for layer {metadata.layer}, not {layer}"
        normalisation = tuple(self.preprocessing.mean), tuple(self.preprocessing.std)
        if metadata.picture != self.picture or (metadata.mean, metadata.std) != normalisation:
            size = "×".join(map(str, metadata.picture))
            return f"was trained for pictures of {size}, or for another mean and standard deviation"
        return ""

    def training_command(self, layer: str) -> str:
        """Returns the command that trains such an inverter."""
        prior = " --prior" if self.kind == "prior" else ""
        return f"{COMMAND} NETWORK {layer}{prior} --data WHERE -o FILE{SUFFIX}"


def find_inverters(location: str, query: InverterQuery, layers: tuple[str, ...]) -> dict[str, Path]:
    """Finds the files of inverters that fit the query, by layer; at least one.

    location: a file, a folder, or "" for the shipped inverters. layers: wanted layers, () for all. Raises ModelError,
    with the command that trains one, if there is none.
    """
    path = user_path(location) if location else WEIGHTS_FOLDER
    command = query.training_command(layers[0] if layers else "LAYER")
    if not os.path.exists(path):
        raise ModelError(f"inverter {path}: no such file or folder; {command} makes one")
    if path.is_file():
        metadata = parse_metadata(path, _open(path)[1])
        mismatches = [query.mismatch(metadata, layer) for layer in layers or ("",)]
        if all(mismatches):
            raise ModelError(f"inverter {path.name} {mismatches[0]}; {command} makes one")
        return {metadata.layer: path}
    fitting = {metadata.layer: file for file, metadata in _inverters_in(path) if not query.mismatch(metadata)}
    found = {layer: fitting[layer] for layer in layers or fitting if layer in fitting}
    if not found:
        place = f"is in {path}" if location else "comes with innerwalk"
        wanted = f"no {query.kind} for {_describe_layers(layers)} of {query.network_name}"
        raise ModelError(f"{wanted} {place}; {command} makes one")
    return found


def _describe_layers(layers: tuple[str, ...]) -> str:
    if len(layers) == 1:
        return f"layer {layers[0]}"
    return "any of these layers" if layers else "any layer"


def _inverters_in(folder: Path) -> list[tuple[Path, InverterMetadata]]:
    """Returns the inverters of a folder; other files are ignored. Raises ModelError if a file is damaged."""
    files = [(path, _open(path)[1]) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    return [(path, parse_metadata(path, values)) for path, values in files if values.get("arch") == ARCH]


def _open(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns the arrays and the metadata of a file. Raises ModelError if it can't be read."""
    try:
        return open_arrays(path)
    except RecordingError as problem:
        raise ModelError(f"inverter {problem}; {COMMAND} makes one") from None


def _tuple_if_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _with_article(kind: Kind) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
