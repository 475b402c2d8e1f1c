"""`innerwalk ask`: runs a method on a network in this process and writes its maps as pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..blender_addon.imaging import channel_images, png
from ..blender_addon.imaging.channel_images import Colouring
from ..blender_addon.imaging.filenames import file_names
from ..blender_addon.output.page_png import png_file
from ..blender_addon.pages.figure import draw_figure
from ..blender_addon.pages.grid import MOST
from ..blender_addon.pages.page_options import PageOptions
from ..torch_bridge.data import DataSet, open_data
from ..torch_bridge.inputs.sources import Input
from ..torch_bridge.method_support.method import CLASS_PARAMETER
from ..torch_bridge.methods import Method, parameter_form, parse_parameters
from ..torch_bridge.models.device import choose_device
from ..torch_bridge.record_series import SeriesMethod
from ..torch_bridge.recording import Maps, Progress, Recording
from ..torch_bridge.recording.errors import SceneError
from ..torch_bridge.server.in_process import find_method, record_with_method
from ..torch_bridge.server.loaded_model import LoadedModel
from ..torch_bridge.server.priority_lock import PriorityLock
from ..torch_bridge.shipped_networks import own_data, shipped_name
from ..torch_bridge.subject import RecordSpec, Subject
from . import tables

LOADED = 0.1
"""Share of the progress bar for loading the network."""


class Question(NamedTuple):
    """A method with its layers, channels, parameters and data set."""

    method: str
    layers: tuple[str, ...] = ("panels",)
    channels: tuple[int, ...] = ()
    parameters: Mapping[str, str] = {}
    """Parameters of the method as text, by name."""
    data: tuple[str, str] | None = None
    """Name and location of a data set."""
    device: str = ""


def answer(
    spec: RecordSpec, question: Question, progress: Progress, announce: Callable[[str], None] | None = None
) -> Recording:
    """Loads the network, records its input and runs the method; returns the recording with the method's maps.

    announce: called before a long job with a line that says what it will take.

    Errors in the question are found before anything is loaded. Raises UnknownName, InputError or ModelError.
    """
    method = find_method(question.method)
    parse_parameters(method, read_parameters(method, question.parameters))  # raises before anything is loaded
    data = _data(spec, method, question)
    progress(f"loading {spec.model}", 0.0)
    live = LoadedModel(spec.name or spec.model, spec, choose_device(question.device), PriorityLock())
    parameters = parse_parameters(method, read_parameters(method, question.parameters), live.subject.names.names)
    inputs = live.read(live.default_sources, spec.index)
    return record_with_method(
        live,
        inputs,
        method,
        question.layers,
        question.channels,
        parameters,
        data,
        lambda step: progress(step.message, LOADED + (1 - LOADED) * step.share),
        announce,
    )


def series_method(spec: RecordSpec, question: Question) -> SeriesMethod:
    """Returns what runs the method with each entry of a series, on the CPU. Raises UnknownName or InputError."""
    method = find_method(question.method)
    parse_parameters(method, read_parameters(method, question.parameters))
    data = _data(spec, method, question)

    def run(subject: Subject, inputs: Sequence[Input]) -> Recording:
        live = LoadedModel(spec.name or spec.model, spec, choose_device("cpu"), PriorityLock(), subject)
        parameters = parse_parameters(method, read_parameters(method, question.parameters), subject.names.names)
        return record_with_method(live, inputs, method, question.layers, question.channels, parameters, data)

    about = {"method": question.method, "channels": question.channels, "parameters": dict(question.parameters)}
    return SeriesMethod(run, about | {"data": data.name if data else ""})


def _data(spec: RecordSpec, method: Method, question: Question) -> DataSet | None:
    """Opens the named data set, or the training pictures of a shipped network when the method needs data."""
    if question.data is not None:
        return open_data(question.data[1], question.data[0])
    name = shipped_name(spec.model, spec.arguments) if "data" in method.needs else ""
    return open_data(own_data(name), name) if name and own_data(name) else None


def read_parameters(method: Method, texts: Mapping[str, str]) -> dict[str, Any]:
    """Converts parameters from text to their types; text that can't be converted stays, for `parse_parameters`."""
    kinds = {field["name"]: field["kind"] for field in parameter_form(method)} | {CLASS_PARAMETER: "str"}
    return {name: _read(kinds.get(name, "str"), text) for name, text in texts.items()}


def _read(kind: str, text: str) -> Any:
    try:
        return READERS.get(kind, str)(text)
    except (ValueError, KeyError):
        return text


BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
READERS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "bool": BOOLS.__getitem__}


def maps_of(recording: Recording, method: str) -> list[Maps]:
    """Returns the maps of a method in the layers' order of execution."""
    found = {layer: maps for (layer, how), maps in recording.all_maps.items() if how == method}
    return [found[layer.id] for layer in recording.network.layers if layer.id in found]


def check_folder(path: Path) -> None:
    """Raises SceneError unless `path` can be created as a new folder; called before any work is done."""
    if path.exists():
        raise SceneError(f"{path}: already exists; name a new folder for the pictures")
    if not path.parent.is_dir():
        raise SceneError(f"{path.parent}: no such folder; create it first, or choose another place for {path.name}")


def write_pictures(
    folder: Path, recording: Recording, method: str, channels: Sequence[int], progress: Progress
) -> None:
    """Writes `LAYER.png`, a page of the channels with their numbers, and `LAYER/0003.png` for each of them.

    channels: those asked about, () for all that have a picture. The PNG files have 8 bits a channel and the colours of
    the dark theme. Raises OSError.
    """
    layer_maps = maps_of(recording, method)
    look, names = Colouring("dark", "signed", 1.0), file_names(maps.layer for maps in layer_maps)
    for done, maps in enumerate(layer_maps):
        progress(f"pictures of {maps.layer}", done / len(layer_maps))
        scales, inner = maps.peak, folder / names[maps.layer]
        shown = tables.visible_channels(maps, channels)
        options = PageOptions("grid", theme="dark", method=method, layer=maps.layer, channels=tuple(shown[:MOST]))
        (folder / f"{names[maps.layer]}.png").write_bytes(png_file(draw_figure([recording], options)))
        inner.mkdir()
        for channel in shown:
            place = maps.index(channel)
            pixels = channel_images.draw_tile(maps, place, float(scales[place]), look)
            (inner / f"{channel:04d}.png").write_bytes(png.encode_8bit(pixels))
