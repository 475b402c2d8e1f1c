"""What a bridge can be asked. A call takes values and arrays, and answers with frames of the same, as they come."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import data as sets
from ..client.frames import PROTOCOL
from ..inputs.sources import Input
from ..methods import METHODS, parse_parameters, parameter_form
from ..recording import ACTIVATIONS, Maps, Recording, describe, describe_maps
from ..recording.errors import BridgeError, InputError, UnknownName
from ..video import Video, open_video
from .jobs import Jobs
from .loaded_model import PANELS, LoadedModel, RunContext
from .request_inputs import Arrays, RequestInputs, number, whole
from .weight_statistics import weight_statistics

Frame = tuple[dict[str, Any], dict[str, np.ndarray]]
Call = Callable[[Mapping[str, Any], Arrays], Iterator[Frame]]
MOST_PICTURES, MOST_FILMS, PATIENCE = 512, 16, 20.0
"""Pictures of a data set in one answer; films that are open; seconds that a question about a job may wait for news."""


class Service:
    """Networks, data sets, films and jobs of one bridge, and the calls about them."""

    def __init__(self, networks: Mapping[str, LoadedModel], data: Mapping[str, sets.DataSet], device: str) -> None:
        self.networks, self.data, self.device = networks, data, device
        self.videos: dict[str, Video] = {}
        self._change = threading.Lock()
        """Held to change which films there are."""
        self.jobs = Jobs()
        self.calls: dict[str, Call] = {
            "describe": self.describe, "record": self.record, "start": self.start, "job": self.job,
            "cancel": self.cancel, "pictures": self.pictures, "statistics": self.statistics, "film": self.film,
        }  # fmt: skip
        self._made: dict[tuple[str, str, str], Maps] = {}
        self._runs: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        threading.Thread(target=_run_on, args=(self._runs,), name="record", daemon=True).start()

    def describe(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """Protocol, networks, data sets, methods with their parameters, jobs, films, device."""
        methods = [
            {"name": one.name, "title": one.title, "text": one.text, "needs": one.needs, "parameters": parameter_form(one)}
            for one in METHODS.values()
        ]
        listed = [{"name": name, "count": len(one), "classes": list(one.classes)} for name, one in self.data.items()]
        networks = [one.describe() for one in self.networks.values()]
        told = {"protocol": PROTOCOL, "networks": networks, "data": listed, "methods": methods, "device": self.device}
        yield told | {"jobs": self.jobs.all(), "films": self._films()}, {}

    def record(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """Run `network` on `inputs`; frames of maps as the layers are reached, then the recording without maps.

        layers: "panels" or ids. graph: the digest of the graph that the asker knows; only another one is told.
        ablate: {layer id: channels} that are 0.
        """
        live = self.network(asked)
        inputs = self._inputs(live, asked, arrays)
        layers = _texts(asked, "layers", [PANELS])
        told: queue.SimpleQueue[Maps | Recording | BaseException] = queue.SimpleQueue()
        gone = threading.Event()
        self._runs.put((live, inputs, layers, asked.get("ablate"), told, gone))
        try:
            while isinstance(item := told.get(), Maps):
                yield self._told(live.name, item)
        finally:
            gone.set()
        if isinstance(item, BaseException):
            raise item
        yield self._whole(item, str(asked.get("graph", "")))

    def _told(self, network: str, maps: Maps) -> Frame:
        """A frame of maps, which can be asked for as pictures from now on."""
        self._made[network, maps.layer, maps.method] = maps
        entry, held = describe_maps(maps)
        return {"maps": entry}, held

    def _whole(self, recording: Recording, known: str) -> Frame:
        graph = recording.network.digest
        document = describe(recording, network=graph != known)
        pictures = {"input": recording.picture}
        if recording.prediction.picture is not None:
            pictures["answer"] = recording.prediction.picture
        return {"recording": document, "graph": graph}, pictures

    def start(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """Ask a `method` about `layers` of a `network`, with `parameters` and a `data` set; answers with the job.

        channels: the numbers of those that it is about, by default all of these layers. inputs, ablate: what it is
        about, by default what the network looked at last, and as it was then.
        """
        live, name = self.network(asked), str(asked.get("method"))
        if name not in METHODS:
            raise UnknownName("method", name, METHODS)
        method, seen, given = METHODS[name], live.run_context, asked.get("parameters") or {}
        if asked.get("inputs"):
            seen = seen._replace(inputs=self._inputs(live, asked, arrays), ablation=live.ablation(seen.network, None))
        if asked.get("ablate") is not None:
            seen = seen._replace(ablation=live.ablation(seen.network, asked["ablate"]))
        ids, parameters = seen.ids(_texts(asked, "layers", [PANELS])), parse_parameters(method, given)
        data = self._asking(live).data_set(str(asked["data"])) if asked.get("data") else None
        channels = _wholes(asked, "channels")
        what = {"network": live.name, "method": name, "layers": asked.get("layers", PANELS), "parameters": given}
        what |= {"channels": channels, "ablate": seen.ablation.plain()}
        what |= {"data": data.name if data else "", "input": " + ".join(one.name for one in seen.inputs)}
        about = seen if method.needs == "input" else seen._replace(inputs=())
        key = _key(live, about, (name, ids, channels, data.name if data else ""), parameters)
        job = self.jobs.start(what, key, lambda: live.run_method(method, ids, parameters, data, seen, channels))
        yield {"job": self.jobs.tell(job)}, {}

    def job(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """What job `id` says, and its maps made after `step`; waits up to `seconds` for news."""
        seconds = min(number(asked, "seconds"), PATIENCE) if "seconds" in asked else 0.0
        told, maps = self.jobs.since(whole(asked, "id", 0, 1 << 53), whole(asked, "step", 0, 1 << 53), seconds)
        yield {"job": told}, {}
        for one in maps:
            yield self._told(told["what"]["network"], one)

    def cancel(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """End job `id` at its next step."""
        yield {"job": self.jobs.tell(self.jobs.cancel(whole(asked, "id", 0, 1 << 53)))}, {}

    def pictures(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """Pictures of data set `set` as thumbnails: `draw` {count, seed} at random or `page` {start, count}, of a
        `class` or of all; with `text`, the classes that contain it, instead.
        """
        chosen_set = self._asking(None).data_set(str(asked.get("set")))
        if "text" in asked:
            yield {"classes": [list(found) for found in sets.search_classes(chosen_set, str(asked["text"]))]}, {}
            return
        indices = _indices(chosen_set, asked)
        small = sets.thumbnails(chosen_set, indices, whole(asked, "size", 8, 512))
        titles = [chosen_set.title(index) for index in indices]
        labels = [chosen_set.label(index) for index in indices]
        classes = [chosen_set.classes[label] if label >= 0 else "" for label in labels]
        yield {"indices": indices, "titles": titles, "labels": labels, "classes": classes}, {"pictures": small}

    def statistics(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """Of the weights of `layers`: mean, standard deviation, least, most, share of zeros, histogram."""
        live = self.network(asked)
        names = _texts(asked, "layers", [])
        found = dict(weight_statistics(live.model, names))
        yield {"layers": {id: told for id, (told, _) in found.items()}}, {id: bins for id, (_, bins) in found.items()}

    def film(self, asked: Mapping[str, Any], arrays: Arrays) -> Iterator[Frame]:
        """`open` a video file or camera:0 under a `name`, `seek` to a frame number, or `close` it."""
        name = str(asked.get("name"))
        if asked.get("open"):
            self._put(name, open_video(str(asked["open"])))
        elif (film := self.videos.get(name)) is None:
            raise UnknownName("film", name, list(self.videos))
        elif asked.get("close"):
            self._put(name, None)
        else:
            film.seek(whole(asked, "seek", 0, 1 << 40))
        yield {"films": self._films()}, {}

    def _put(self, name: str, film: Video | None) -> None:
        """A film under a name, or none; what was there before is let go of."""
        with self._change:
            before = self.videos.pop(name, None)
            full = film is not None and len(self.videos) >= MOST_FILMS
            if film is not None and not full:
                self.videos[name] = film
        for one in (before, film if full else None):
            if one is not None:
                one.close()
        if full:
            raise InputError(f"{MOST_FILMS} films are open already; close one first")

    def _films(self) -> list[dict[str, Any]]:
        with self._change:
            return [{"name": name, "rate": one.rate, "frames": one.frames} for name, one in self.videos.items()]

    def close(self) -> None:
        """End the jobs, let nobody run a network again, and let go of films."""
        self.jobs.shut()
        self._runs.put(None)
        for live in self.networks.values():
            live.lock.shut()
        for name in list(self.videos):
            self._put(name, None)

    def network(self, asked: Mapping[str, Any]) -> LoadedModel:
        """The network that a request names. Raises UnknownName."""
        name = str(asked.get("network"))
        if name not in self.networks:
            raise UnknownName("network", name, self.networks)
        return self.networks[name]

    def _asking(self, live: LoadedModel | None) -> RequestInputs:
        return RequestInputs(self.data, self.videos, lambda layer, method: self._maps(live, layer, method))

    def _maps(self, live: LoadedModel | None, layer: str, method: str) -> Maps:
        made = list(self._made.items())  # at once: other threads go on
        found = {(one, how): maps for (where, one, how), maps in made if live and where == live.name}
        if (layer, method) not in found:
            raise UnknownName(f"maps of {method or ACTIVATIONS} for layer", layer, [one for one, _ in found])
        return found[layer, method]

    def _inputs(self, live: LoadedModel, asked: Mapping[str, Any], arrays: Arrays) -> tuple[Input, ...]:
        given = asked.get("inputs") or []
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise InputError('inputs: a list such as [{"kind": "noise", "seed": 1}] is needed')
        asking = self._asking(live)
        rest = live.default_sources[len(given) :]  # a network of two inputs may be given one: the other stays the default
        return live.read([*(asking.source(one, arrays) for one in given), *rest])


def _run_on(runs: queue.SimpleQueue[tuple[Any, ...] | None]) -> None:
    """All runs are this thread's: in a new one torch would begin with new threads and empty caches each time."""
    while (run := runs.get()) is not None:
        _run(*run)


def _run(
    live: LoadedModel, inputs: tuple[Input, ...], layers: list[str], ablate: Any, told: queue.SimpleQueue[Any],
    gone: threading.Event,
) -> None:  # fmt: skip
    """Maps as they come, then the recording or what went wrong. Ends when nobody listens."""

    def heard(maps: Maps) -> None:
        if gone.is_set():
            raise BridgeError("whoever asked is gone")
        told.put(maps)

    try:
        told.put(live.record(inputs, layers, heard, ablate))
    except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is written
        told.put(error)


def _key(live: LoadedModel, seen: RunContext, asked: tuple[Any, ...], parameters: Any) -> str:
    """Equal for equal weights, inputs, questions and parameters, so that what was made once is not made again."""
    plain = dataclasses.asdict(parameters) if parameters is not None else {}
    what = (live.name, live.fingerprint, seen.network.digest, seen.ablation.plain(), *asked, plain)
    digest = hashlib.blake2b(json.dumps(what).encode(), digest_size=16)
    for one in seen.inputs:
        values = np.ascontiguousarray(one.values.numpy())
        digest.update(f"{values.shape} {values.dtype}".encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _texts(asked: Mapping[str, Any], name: str, default: list[str]) -> list[str]:
    found = asked.get(name, default)
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(found) > 100_000:
        raise InputError(f"{name}: a list of texts is needed")
    return found


def _wholes(asked: Mapping[str, Any], name: str) -> list[int]:
    found = asked.get(name) or []
    if not isinstance(found, list) or len(found) > 100_000 or not all(type(one) is int and one >= 0 for one in found):
        raise InputError(f"{name}: a list of whole numbers from 0 is needed")
    return found


def _indices(chosen_set: sets.DataSet, asked: Mapping[str, Any]) -> list[int]:
    of_class = str(asked["class"]) if asked.get("class") else None
    drawn, page = asked.get("draw"), asked.get("page")
    if isinstance(drawn, dict):
        count = min(whole(drawn, "count", 1, MOST_PICTURES), len(chosen_set))
        return sets.random_indices(chosen_set, count, whole(drawn, "seed", 0, 2**31 - 1), of_class)
    if isinstance(page, dict):
        return sets.page_indices(chosen_set, whole(page, "start", 0, 1 << 53), whole(page, "count", 1, MOST_PICTURES), of_class)
    raise InputError('pictures: "draw" {count, seed} or "page" {start, count} is needed')
