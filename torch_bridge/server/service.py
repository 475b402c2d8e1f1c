"""The calls of a bridge. A call takes the values and arrays of a request and yields the frames of its answer."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import data as data_sets
from ..client.frames import PROTOCOL, Frame
from ..inputs.sources import Input
from ..methods import METHODS, parameter_form, parse_parameters
from ..recording import ACTIVATIONS, Maps, Recording, describe, describe_maps
from ..recording.errors import BridgeError, InputError, UnknownName
from ..video import Video, open_video
from .in_process import find_method
from .jobs import Jobs
from .loaded_model import PANELS, LoadedModel, RunContext
from .request_inputs import Arrays, RequestInputs, Values, integer_value, number_value
from .weight_statistics import compute_weight_statistics

Call = Callable[[Values, Arrays], Iterator[Frame]]
MAX_PICTURES = 512
"""Thumbnails of a data set in one answer."""
MAX_VIDEOS = 16
"""Videos that may be open at a time."""
MAX_WAIT_SECONDS = 20.0
"""Longest time that a `job` call waits for a change."""
MAX_LIST = 100_000
"""Entries of a list in a request."""
MAX_NUMBER = 1 << 53
"""Largest whole number in a request, as in JSON."""


class Service:
    """Networks, data sets, videos and jobs of one bridge, and the calls about them."""

    def __init__(self, networks: Mapping[str, LoadedModel], data: Mapping[str, data_sets.DataSet], device: str) -> None:
        self.networks, self.data, self.device = networks, data, device
        self.videos: dict[str, Video] = {}
        self._videos_lock = threading.Lock()
        """Held while `videos` changes."""
        self.jobs = Jobs()
        self.calls: dict[str, Call] = {
            "describe": self.describe,
            "record": self.record,
            "start": self.start,
            "job": self.job,
            "cancel": self.cancel,
            "pictures": self.pictures,
            "statistics": self.statistics,
            "film": self.video,
        }
        self._sent_maps: dict[tuple[str, str, str], Maps] = {}
        """(network, layer, method) -> the maps sent last, for inputs of kind "channel"."""
        self._runs: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        threading.Thread(target=_run_queue, args=(self._runs,), name="record", daemon=True).start()

    def describe(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Protocol, networks, data sets, methods with their parameters, jobs, videos, device."""
        methods = [
            {
                "name": method.name,
                "title": method.title,
                "text": method.text,
                "needs": method.needs,
                "parameters": parameter_form(method),
            }
            for method in METHODS.values()
        ]
        data = [{"name": name, "count": len(set_), "classes": list(set_.classes)} for name, set_ in self.data.items()]
        description = {
            "protocol": PROTOCOL,
            "networks": [network.describe() for network in self.networks.values()],
            "data": data,
            "methods": methods,
            "device": self.device,
            "jobs": self.jobs.describe_all(),
            "films": self._describe_videos(),
        }
        yield description, {}

    def record(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Run `network` on `inputs`; yields maps as the layers are reached, then the recording without maps.

        layers: "panels" or ids. graph: the digest of the graph that the client has; the graph is sent if it is another.
        ablate: {layer id: channels} that are 0.
        """
        network = self.network(values)
        inputs = self._read_inputs(network, values, arrays)
        layers = _text_list(values, "layers", [PANELS])
        results: queue.SimpleQueue[Maps | Recording | BaseException] = queue.SimpleQueue()
        client_gone = threading.Event()
        self._runs.put((network, inputs, layers, values.get("ablate"), results, client_gone))
        try:
            while isinstance(result := results.get(), Maps):
                yield self._maps_frame(network.name, result)
        finally:
            client_gone.set()
        if isinstance(result, BaseException):
            raise result
        yield _recording_frame(result, str(values.get("graph", "")))

    def _maps_frame(self, network: str, maps: Maps) -> Frame:
        """The frame of maps; from then on an input of kind "channel" can refer to them."""
        self._sent_maps[network, maps.layer, maps.method] = maps
        entry, arrays = describe_maps(maps)
        return {"maps": entry}, arrays

    def start(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Start a job: a `method` about `layers` of a `network`, with `parameters` and a `data` set.

        channels: the channels of these layers, by default all. inputs, ablate: by default those of the last run.
        """
        network, method = self.network(values), find_method(str(values.get("method")))
        context = network.run_context
        if values.get("inputs"):
            inputs = self._read_inputs(network, values, arrays)
            context = context._replace(inputs=inputs, ablation=network.ablation(context.network, None))
        if values.get("ablate") is not None:
            context = context._replace(ablation=network.ablation(context.network, values["ablate"]))
        parameter_values = values.get("parameters") or {}
        ids = context.ids(_text_list(values, "layers", [PANELS]))
        parameters = parse_parameters(method, parameter_values)
        data = self._request_inputs(network).data_set(str(values["data"])) if values.get("data") else None
        channels = _integer_list(values, "channels")
        request = {
            "network": network.name,
            "method": method.name,
            "layers": values.get("layers", PANELS),
            "parameters": parameter_values,
            "channels": channels,
            "ablate": context.ablation.as_json(),
            "data": data.name if data else "",
            "input": " + ".join(input_.name for input_ in context.inputs),
        }
        key_context = context if method.needs == "input" else context._replace(inputs=())
        key = _job_key(network, key_context, (method.name, ids, channels, request["data"]), parameters)
        job = self.jobs.start(
            request, key, lambda: network.run_method(method, ids, parameters, data, context, channels)
        )
        yield {"job": self.jobs.describe(job)}, {}

    def job(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """The state of job `id`, then its maps computed after `step`; waits up to `seconds` for a change."""
        seconds = min(number_value(values, "seconds"), MAX_WAIT_SECONDS) if "seconds" in values else 0.0
        number, step = (integer_value(values, name, 0, MAX_NUMBER) for name in ("id", "step"))
        description, new_maps = self.jobs.results_since(number, step, seconds)
        yield {"job": description}, {}
        for maps in new_maps:
            yield self._maps_frame(description["what"]["network"], maps)

    def cancel(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """End job `id` at its next step."""
        job = self.jobs.cancel(integer_value(values, "id", 0, MAX_NUMBER))
        yield {"job": self.jobs.describe(job)}, {}

    def pictures(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Thumbnails of data set `set`: `draw` {count, seed} at random or `page` {start, count}, of one `class` or all.

        With `text`, the classes whose name contains it instead.
        """
        data = self._request_inputs(None).data_set(str(values.get("set")))
        if "text" in values:
            classes = data_sets.search_classes(data, str(values["text"]))
            yield {"classes": [list(name_and_count) for name_and_count in classes]}, {}
            return
        indices = _chosen_indices(data, values)
        thumbnails = data_sets.make_thumbnails(data, indices, integer_value(values, "size", 8, 512))
        labels = [data.label(index) for index in indices]
        description = {
            "indices": indices,
            "titles": [data.title(index) for index in indices],
            "labels": labels,
            "classes": [data.classes[label] if label >= 0 else "" for label in labels],
        }
        yield description, {"pictures": thumbnails}

    def statistics(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Mean, standard deviation, range, share of zeros and histogram of the weights of `layers` that have any."""
        loaded, layers = self.network(values), _text_list(values, "layers", [])
        for layer in layers:
            if layer not in loaded.layer_names:
                raise UnknownName("layer", layer, loaded.layer_names)
        by_layer = dict(compute_weight_statistics(loaded.model, layers))
        numbers = {id: statistics for id, (statistics, _) in by_layer.items()}
        yield {"layers": numbers}, {id: histogram for id, (_, histogram) in by_layer.items()}

    def video(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """`open` a video file or camera:0 under a `name`, `seek` to a frame number, or `close` it."""
        name = str(values.get("name"))
        if values.get("open"):
            self._replace_video(name, open_video(str(values["open"])))
        elif (video := self.videos.get(name)) is None:
            raise UnknownName("video", name, list(self.videos))
        elif values.get("close"):
            self._replace_video(name, None)
        else:
            video.seek(integer_value(values, "seek", 0, 1 << 40))
        yield {"films": self._describe_videos()}, {}

    def _replace_video(self, name: str, video: Video | None) -> None:
        """Close the video of this name, if there is one, and put another in its place unless too many are open."""
        with self._videos_lock:
            previous = self.videos.pop(name, None)
            refused = video is not None and len(self.videos) >= MAX_VIDEOS
            if video is not None and not refused:
                self.videos[name] = video
        for unused in (previous, video if refused else None):
            if unused is not None:
                unused.close()
        if refused:
            raise InputError(f"{MAX_VIDEOS} videos are open already; close one first")

    def _describe_videos(self) -> list[dict[str, Any]]:
        with self._videos_lock:
            return [{"name": name, "rate": video.rate, "frames": video.frames} for name, video in self.videos.items()]

    def close(self) -> None:
        """Cancel the jobs, block all further runs, and close the videos."""
        self.jobs.close()
        self._runs.put(None)
        for network in self.networks.values():
            network.lock.close()
        for name in list(self.videos):
            self._replace_video(name, None)

    def network(self, values: Values) -> LoadedModel:
        """The network that a request names. Raises UnknownName."""
        name = str(values.get("network"))
        if name not in self.networks:
            raise UnknownName("network", name, self.networks)
        return self.networks[name]

    def _request_inputs(self, network: LoadedModel | None) -> RequestInputs:
        return RequestInputs(self.data, self.videos, lambda layer, method: self._find_maps(network, layer, method))

    def _find_maps(self, network: LoadedModel | None, layer: str, method: str) -> Maps:
        sent = list(self._sent_maps.items())  # a copy: other threads add to it
        found = {(id, name): maps for (sender, id, name), maps in sent if network and sender == network.name}
        if (layer, method) not in found:
            raise UnknownName(f"maps of {method or ACTIVATIONS} for layer", layer, [id for id, _ in found])
        return found[layer, method]

    def _read_inputs(self, network: LoadedModel, values: Values, arrays: Arrays) -> tuple[Input, ...]:
        """The inputs of a request; where it has too few for the network, the network's defaults are the last ones."""
        inputs = values.get("inputs") or []
        if not isinstance(inputs, list) or not all(isinstance(entry, dict) for entry in inputs):
            raise InputError('inputs: a list such as [{"kind": "noise", "seed": 1}] is needed')
        reader = self._request_inputs(network)
        sources = [reader.source(entry, arrays) for entry in inputs]
        return network.read([*sources, *network.default_sources[len(inputs) :]])


def _recording_frame(recording: Recording, known_digest: str) -> Frame:
    """The frame of a recording without its maps, and without its graph if the client knows it."""
    digest = recording.network.digest
    pictures = {"input": recording.picture}
    if recording.prediction.picture is not None:
        pictures["answer"] = recording.prediction.picture
    return {"recording": describe(recording, network=digest != known_digest), "graph": digest}, pictures


def _run_queue(runs: queue.SimpleQueue[tuple[Any, ...] | None]) -> None:
    """Do all runs in one thread; in a new thread torch would start new worker threads with empty caches each time."""
    while (run := runs.get()) is not None:
        _run(*run)


def _run(
    network: LoadedModel,
    inputs: tuple[Input, ...],
    layers: list[str],
    ablate: Any,
    results: queue.SimpleQueue[Any],
    client_gone: threading.Event,
) -> None:
    """Put maps into `results` as they come, then the recording or the error. Ends early when the client has gone."""

    def send(maps: Maps) -> None:
        if client_gone.is_set():
            raise BridgeError("the client has gone")
        results.put(maps)

    try:
        results.put(network.record(inputs, layers, send, ablate))
    except BaseException as error:  # noqa: BLE001 - `Service.record` raises it again in its own thread
        results.put(error)


def _job_key(network: LoadedModel, context: RunContext, request: tuple[Any, ...], parameters: Any) -> str:
    """A hash that is equal for equal weights, inputs, requests and parameters."""
    parameter_values = dataclasses.asdict(parameters) if parameters is not None else {}
    ablation = context.ablation.as_json()
    values = (network.name, network.fingerprint, context.network.digest, ablation, *request, parameter_values)
    digest = hashlib.blake2b(json.dumps(values).encode(), digest_size=16)
    for input_ in context.inputs:
        array = np.ascontiguousarray(input_.values.numpy())
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _text_list(values: Values, name: str, default: list[str]) -> list[str]:
    texts = values.get(name, default)
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or len(texts) > MAX_LIST:
        raise InputError(f"{name}: a list of texts is needed")
    return texts


def _integer_list(values: Values, name: str) -> list[int]:
    numbers = values.get(name) or []
    is_list = isinstance(numbers, list) and len(numbers) <= MAX_LIST
    if not is_list or not all(type(number) is int and number >= 0 for number in numbers):
        raise InputError(f"{name}: a list of whole numbers from 0 is needed")
    return numbers


def _chosen_indices(data: data_sets.DataSet, values: Values) -> list[int]:
    class_name = str(values["class"]) if values.get("class") else None
    draw, page = values.get("draw"), values.get("page")
    if isinstance(draw, dict):
        count = min(integer_value(draw, "count", 1, MAX_PICTURES), len(data))
        return data_sets.random_indices(data, count, integer_value(draw, "seed", 0, 2**31 - 1), class_name)
    if isinstance(page, dict):
        start, count = integer_value(page, "start", 0, MAX_NUMBER), integer_value(page, "count", 1, MAX_PICTURES)
        return data_sets.page_indices(data, start, count, class_name)
    raise InputError('pictures: "draw" {count, seed} or "page" {start, count} is needed')
