"""The calls of a bridge. A call takes the values and arrays of a request and yields the frames of its answer."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .. import data as data_sets
from ..client.frames import PROTOCOL, Frame
from ..inputs.sources import Input, replace_first
from ..methods import METHODS, Method, parameter_form, parse_parameters, question_of
from ..recording import Maps, describe, describe_maps, pictures
from ..recording.errors import InputError, UnknownName
from ..video import Video, open_video
from .in_process import find_method
from .jobs import Jobs
from .loaded_model import PANELS, LoadedModel, RunContext
from .request_inputs import Arrays, RequestInputs, Values, integer_value, number_value, text_value
from .runs import FinishedRun, Runs, hash_request, input_bytes
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
MAX_TEXT = 1 << 20
"""Characters of a list of texts, or of the parameters of a method as JSON, in a request."""
MAX_NUMBER = 1 << 53
"""Largest whole number in a request, as in JSON."""


class Service:
    """Networks, data sets, videos and jobs of one bridge, and the calls about them."""

    def __init__(self, networks: dict[str, LoadedModel], data: dict[str, data_sets.DataSet], device: str) -> None:
        self.networks, self.data, self.device = networks, data, device
        self.videos: dict[str, Video] = {}
        self._videos_lock = threading.Lock()
        """Held while `videos` changes."""
        self.inputs = RequestInputs(self.data, self.videos)
        self.jobs, self.runs = Jobs(), Runs()
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

    def describe(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Protocol, networks, data sets, methods with their parameters, jobs, videos, device."""
        methods = [
            {
                "name": method.name,
                "title": method.title,
                "text": method.text,
                "question": question_of(method.name),
                "needs": method.needs,
                "repeats": method.repeats,
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
        ablate: {layer id: channels} that are 0. strokes: objects with layer, channels, cells and insert, which change
        channels at some places of their maps, to 0 or to the value that they have where they are active. positions:
        {layer id: number} of the frame, window or other position of the input that is shown.
        """
        network, layers = self.network(values), _text_list(values, "layers", [PANELS])
        inputs, known = self._read_inputs(network, values, arrays), text_value(values, "graph", "")
        for result in self.runs.run(network, inputs, layers, **_run_options(values)):
            yield _maps_frame(result) if isinstance(result, Maps) else _run_frame(result, known)

    def start(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Start a job: a `method` about `layers` of a `network`, with `parameters` and a `data` set.

        channels: the channels of these layers, by default all. run: the id of the run that the method is about, from
        the answer of `record`; or inputs, ablate, strokes and positions, on which the network is run first. A method
        that needs no input may name neither.
        """
        network, method = self.network(values), find_method(text_value(values, "method"))
        parameter_values, channels = values.get("parameters") or {}, _integer_list(values, "channels")
        if len(json.dumps(parameter_values)) > MAX_TEXT:
            raise InputError(f"parameters: JSON of at most {MAX_TEXT:,} characters is needed")
        parameters = parse_parameters(method, parameter_values, network.subject.names.names)
        data_name = text_value(values, "data", "")
        data = self.inputs.data_set(data_name) if data_name else None
        layers = _text_list(values, "layers", [PANELS])
        context = self._run_context(network, method, values, arrays)
        ids = context.ids(layers)
        request = {
            "network": network.name,
            "method": method.name,
            "layers": values.get("layers", PANELS),
            "parameters": parameter_values,
            "channels": channels,
            "ablate": context.ablation.as_json(),
            "strokes": context.ablation.strokes_as_json(),
            "positions": dict(context.positions),
            "data": data.name if data else "",
            "input": " + ".join(input_.name for input_ in context.inputs),
        }
        key_context = context if "input" in method.needs else context._replace(inputs=())
        key = _job_key(network, key_context, (method.name, ids, channels, request["data"]), parameters)
        job = self.jobs.start(
            request,
            key,
            lambda: network.run_method(method, ids, parameters, data, context, channels),
            input_bytes(context),
        )
        yield {"job": self.jobs.describe(job)}, {}

    def _run_context(self, network: LoadedModel, method: Method, values: Values, arrays: Arrays) -> RunContext:
        """The run that a request names, or a new one on its inputs. Raises InputError or UnknownRun."""
        id, has_inputs = values.get("run"), values.get("inputs") is not None
        if id is not None:
            if not isinstance(id, str) or has_inputs or _run_options(values):
                raise InputError(
                    "run: a text from the answer of record is needed, without inputs, ablate, strokes and positions"
                )
            return self.runs.find(network, id)
        if "input" in method.needs and not has_inputs:
            raise InputError(f"{network.name}: {method.name} needs an input; place an input first")
        runs = self.runs.run(network, self._read_inputs(network, values, arrays), (), **_run_options(values))
        return next(result.context for result in runs if isinstance(result, FinishedRun))

    def job(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """The state of job `id`, then its maps computed after `step`; waits up to `seconds` for a change."""
        seconds = min(number_value(values, "seconds"), MAX_WAIT_SECONDS) if "seconds" in values else 0.0
        number, step = (integer_value(values, name, 0, MAX_NUMBER) for name in ("id", "step"))
        description, new_maps = self.jobs.results_since(number, step, seconds)
        yield {"job": description}, {}
        for maps in new_maps:
            yield _maps_frame(maps)

    def cancel(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """End job `id` at its next step."""
        job = self.jobs.cancel(integer_value(values, "id", 0, MAX_NUMBER))
        yield {"job": self.jobs.describe(job)}, {}

    def pictures(self, values: Values, arrays: Arrays) -> Iterator[Frame]:
        """Thumbnails of data set `set`: `draw` {count, seed} at random or `page` {start, count}, all or `of_class`.

        With `text`, the classes whose name contains it instead.
        """
        data = self.inputs.data_set(text_value(values, "set"))
        if "text" in values:
            classes = data_sets.search_classes(data, text_value(values, "text"))
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
        name, source = text_value(values, "name"), text_value(values, "open", "")
        if source:
            self._replace_video(name, open_video(source))
        elif (video := self.videos.get(name)) is None:
            raise UnknownName("video", name, list(self.videos))
        elif values.get("close") is True:
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
        self.runs.close()
        for network in self.networks.values():
            network.lock.close()
        for name in list(self.videos):
            self._replace_video(name, None)

    def network(self, values: Values) -> LoadedModel:
        """The network that a request names. Raises UnknownName."""
        name = text_value(values, "network")
        if name not in self.networks:
            raise UnknownName("network", name, self.networks)
        return self.networks[name]

    def _read_inputs(self, network: LoadedModel, values: Values, arrays: Arrays) -> tuple[Input, ...]:
        """The inputs of a request; where it has too few for the network, the network's defaults are the last ones.

        Between others, an input {"kind": "default"} stands for the network's default in its place.
        """
        inputs = values.get("inputs") or []
        if not isinstance(inputs, list) or not all(isinstance(entry, dict) for entry in inputs):
            raise InputError('inputs: a list such as [{"kind": "noise", "seed": 1}] is needed')
        defaults = network.default_sources
        sources = [
            default if default is not None and entry.get("kind") == "default" else self.inputs.source(entry, arrays)
            for entry, default in itertools.zip_longest(inputs, defaults[: len(inputs)])
        ]
        if sources and all(isinstance(source, Input) for source in sources) and inputs[0].get("kind") == "held":
            return network.read(sources)  # all arguments, as they are
        return network.read(replace_first(defaults, sources))


def _maps_frame(maps: Maps) -> Frame:
    entry, arrays = describe_maps(maps)
    return {"maps": entry}, arrays


def _run_frame(run: FinishedRun, known_digest: str) -> Frame:
    """The frame of a run: its recording without maps, and without its graph if the client knows it."""
    recording, digest = run.recording, run.recording.network.digest
    description = describe(recording, network=digest != known_digest)
    return {"recording": description, "graph": digest, "run": run.id}, pictures(recording)


def _job_key(network: LoadedModel, context: RunContext, request: tuple[Any, ...], parameters: Any) -> str:
    """A hash that is equal for equal weights, inputs, requests and parameters."""
    parameter_values = dataclasses.asdict(parameters) if parameters is not None else {}
    options = [context.ablation.as_json(), context.ablation.strokes_as_json(), dict(context.positions)]
    values = [network.name, network.fingerprint, context.network.digest, *options, *request, parameter_values]
    return hash_request(values, context.inputs)


def _run_options(values: Values) -> dict[str, Any]:
    """What a request changes in a run of its network, as arguments of `LoadedModel.record`. Raises InputError."""
    if values.get("positions") is not None and not isinstance(values["positions"], dict):
        raise InputError('positions: an object such as {"layer1": 3} is needed')
    return {name: values[name] for name in ("ablate", "positions", "strokes") if values.get(name) is not None}


def _text_list(values: Values, name: str, default: list[str]) -> list[str]:
    texts = values.get(name, default)
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or len(texts) > MAX_LIST:
        raise InputError(f"{name}: a list of texts is needed")
    if sum(map(len, texts)) > MAX_TEXT:
        raise InputError(f"{name}: texts of at most {MAX_TEXT:,} characters together are needed")
    return texts


def _integer_list(values: Values, name: str) -> list[int]:
    numbers = values.get(name) or []
    is_list = isinstance(numbers, list) and len(numbers) <= MAX_LIST
    if not is_list or not all(type(number) is int and number >= 0 for number in numbers):
        raise InputError(f"{name}: a list of whole numbers from 0 is needed")
    return numbers


def _chosen_indices(data: data_sets.DataSet, values: Values) -> list[int]:
    class_name = text_value(values, "of_class", "") or None
    draw, page = values.get("draw"), values.get("page")
    if isinstance(draw, dict):
        count = min(integer_value(draw, "count", 1, MAX_PICTURES), len(data))
        return data_sets.random_indices(data, count, integer_value(draw, "seed", 0, 2**31 - 1), class_name)
    if isinstance(page, dict):
        start, count = integer_value(page, "start", 0, MAX_NUMBER), integer_value(page, "count", 1, MAX_PICTURES)
        return data_sets.page_indices(data, start, count, class_name)
    raise InputError('pictures: "draw" {count, seed} or "page" {start, count} is needed')
