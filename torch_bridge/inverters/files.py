"""Trained inverters as files: what is in one, which is meant for a layer of a network, and what to do without.

safetensors in float16; its metadata names the network by its fingerprint, the layer, the data and the error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch

from ..concepts.shipped import halved, save
from ..inputs.preprocess import Preprocessing
from ..recording.errors import InputError, ModelError, RecordingError
from ..recording.safetensors import open_arrays
from .fit import Codes
from .upconv_network import UpconvPlan, UpconvNet

SHIPPED = Path(__file__).parent / "weights"
SUFFIX = ".safetensors"
ARCH = "innerwalk inverter 1"
COMMAND = "python -m innerwalk.torch_bridge.inverters.train"
MOST_VALUES = 1 << 28
"""Of a plan from a file, so that a foreign one can't ask for all memory."""

Kind = Literal["inverter", "prior"]


@dataclass(frozen=True)
class Facts:
    """What a file says about the inverter in it."""

    kind: Kind
    """An inverter gives the mean picture; a prior is trained to give pictures with the same maps elsewhere, too."""
    network: str
    """Its fingerprint."""
    layer: str
    maps: tuple[int, ...]
    picture: tuple[int, ...]
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    data: str
    pictures: int
    epochs: int
    seed: int
    error: float
    """Picture error on pictures that it wasn't trained with; 1 is the distance of two of them."""

    @property
    def plan(self) -> UpconvPlan:
        """Raises ValueError where no network can be built of it."""
        plan = UpconvPlan(self.maps, self.picture, self.width)  # type: ignore[arg-type]
        sizes = (*self.maps, *self.picture, self.width)
        if len(self.maps) != 3 or len(self.picture) != 3 or not all(type(one) is int and one > 0 for one in sizes):
            raise ValueError("bad shapes")
        if max(self.maps[0] * plan.channels(0) * 9, plan.channels(0) * plan.first[0] * plan.first[1]) > MOST_VALUES:
            raise ValueError("shapes out of bounds")
        return plan


@dataclass(frozen=True)
class Inverter:
    """A trained one, read from a file."""

    facts: Facts
    net: UpconvNet
    codes: Codes | None = None
    """Priors: what the layer's maps are like."""


def write(path: Path, facts: Facts, net: UpconvNet, codes: Codes) -> None:
    """Whole or not at all; the codes are kept for priors. Raises InputError where it can't be written."""
    state = {f"net.{name}": value for name, value in halved(net).items()}
    if facts.kind == "prior":
        largest = torch.finfo(torch.float16).max
        state |= {f"codes.{name}": one.clamp(-largest, largest).half() for name, one in codes._asdict().items()}
    said = {name: json.dumps(value) for name, value in asdict(facts).items()}
    try:
        save(path, {name: value.cpu() for name, value in state.items()}, {"arch": ARCH, **said})
    except OSError as problem:
        raise InputError(f"{path}: can't be written ({problem.strerror})") from None


def read(path: Path) -> Inverter:
    """In float32. Raises ModelError for a file that holds no inverter."""
    try:
        arrays, said = open_arrays(path)
    except RecordingError as problem:
        raise ModelError(f"inverter {problem}; {COMMAND} makes one") from None
    facts = facts_of(path, said)
    try:
        net = UpconvNet(facts.plan)
        tensors = {name: torch.from_numpy(array.astype("float32")) for name, array in arrays.items()}
        net.load_state_dict({name.removeprefix("net."): one for name, one in tensors.items() if name[:4] == "net."})
        codes = None
        if facts.kind == "prior":
            codes = Codes(*(tensors[f"codes.{name}"].reshape(facts.maps) for name in Codes._fields))
    except (ValueError, KeyError, RuntimeError, TypeError):
        raise ModelError(f"{path.name} doesn't hold what its metadata says; {COMMAND} makes such files") from None
    return Inverter(facts, net.eval().requires_grad_(False), codes)


def facts_of(path: Path, said: Mapping[str, str]) -> Facts:
    """From a file's metadata. Raises ModelError."""
    if said.get("arch") != ARCH:
        raise ModelError(f"{path.name} holds no inverter; {COMMAND} makes such files")
    try:
        plain = {one.name: json.loads(said[one.name]) for one in fields(Facts)}
        found: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in plain.items()}
        return Facts(**found)
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{path.name}: its metadata is damaged; {COMMAND} makes such files") from None


@dataclass(frozen=True)
class Wanted:
    """What an inverter must have been trained for."""

    kind: Kind
    network: str
    """Fingerprint."""
    title: str
    """What a person calls the network."""
    picture: tuple[int, ...]
    how: Preprocessing

    def why_not(self, facts: Facts, layer: str = "") -> str:
        """What is wrong with one, empty where nothing is."""
        if facts.kind != self.kind:
            return f"holds {_article(facts.kind)}, not {_article(self.kind)}"
        if facts.network != self.network:
            return f"was trained for another network, or other weights, than {self.title}"
        if layer and facts.layer != layer:
            return f"was trained for layer {facts.layer}, not {layer}"
        if facts.picture != self.picture or (facts.mean, facts.std) != (tuple(self.how.mean), tuple(self.how.std)):
            return f"was trained for pictures of {'×'.join(map(str, facts.picture))}, or of another mean and deviation"
        return ""

    def command(self, layer: str) -> str:
        """What makes it."""
        prior = " --prior" if self.kind == "prior" else ""
        return f"{COMMAND} NETWORK {layer}{prior} --data WHERE -o FILE{SUFFIX}"


def find(place: str, wanted: Wanted, layers: tuple[str, ...]) -> dict[str, Path]:
    """By layer: the file meant for it, of a file, a folder, or "" for the shipped ones; at least one.

    layers: those asked for, () for any. Raises ModelError that says how to make one.
    """
    path = Path(place).expanduser() if place else SHIPPED
    command = wanted.command(layers[0] if layers else "LAYER")
    if not path.exists():
        raise ModelError(f"inverter {path}: no such file or folder; {command} makes one")
    if path.is_file():
        facts = facts_of(path, _metadata(path))
        reasons = [wanted.why_not(facts, layer) for layer in layers or ("",)]
        if all(reasons):
            raise ModelError(f"inverter {path.name} {reasons[0]}; {command} makes one")
        return {facts.layer: path}
    found = {facts.layer: one for one, facts in _known(path) if not wanted.why_not(facts)}
    chosen = {layer: found[layer] for layer in layers or found if layer in found}
    if not chosen:
        where = "comes with innerwalk" if not place else f"lies in {path}"
        what = f"layer {layers[0]}" if len(layers) == 1 else "one of these layers" if layers else "any layer"
        raise ModelError(f"no {wanted.kind} for {what} of {wanted.title} {where}; {command} makes one")
    return chosen


def _known(folder: Path) -> list[tuple[Path, Facts]]:
    """Inverters of a folder; other files are passed over."""
    said = [(path, _metadata(path)) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    return [(path, facts_of(path, one)) for path, one in said if one.get("arch") == ARCH]


def _metadata(path: Path) -> dict[str, str]:
    try:
        return open_arrays(path)[1]
    except RecordingError as problem:
        raise ModelError(f"inverter {problem}; {COMMAND} makes one") from None


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
