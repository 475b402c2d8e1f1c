"""Client of a bridge, for scripts and for Blender: needs neither torch nor any other package but numpy.

with start_bridge(python, {"networks": {"object": {"model": …}}}) as bridge:
    recording = bridge.record("object", [noise(7)])

A Bridge holds one connection and serves one thread; `new_connection` gives another thread its own.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..recording import Maps, Network, Recording, errors, restore, restore_maps
from ..recording.arguments import checked_arguments
from ..recording.channels import read_channels
from ..recording.errors import BridgeError
from ..recording.maps_entries import parse_maps_entry
from ..recording.progress import Progress
from ..recording.storage import read_pictures
from . import frames
from .answers import check_description, read_job, read_refusal, readable, reported_error
from .connection_file import read_connection
from .frames import Frame
from .inputs import BridgeInput, pack_inputs
from .process import BridgeProcess, start_process

Ablate = Mapping[str, Sequence[int]]
Strokes = Sequence[Mapping[str, Any]]
"""Layer id -> channels that are set to 0."""
TIMEOUT_SECONDS = 600.0
"""Seconds without a byte after which a connection fails."""


class Bridge:
    """A connection to a bridge. Errors on the bridge's side are raised here as the same class, else as BridgeError."""

    def __init__(self, port: int, token: str, host: str = "127.0.0.1", child: BridgeProcess | None = None) -> None:
        self.port, self.token, self.host, self.child = port, token, host, child
        self._process = child
        """The process that runs the bridge, if this program started it; another Bridge may own it."""
        self._http = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        self._graphs: dict[str, tuple[str, Network]] = {}
        """Network name -> digest of its graph, and the graph."""

    @property
    def _where(self) -> str:
        """What an error calls this bridge."""
        return f"bridge at {self.host}:{self.port}"

    in_process = False
    """Whether the bridge runs in this process."""

    def end(self) -> None:
        """Closes the connection, and ends the bridge if this program has started it."""
        self.close()
        if self.child is not None:
            self.child.end()

    def new_connection(self) -> Bridge:
        """Another connection to the same bridge, for another thread."""
        bridge = Bridge(self.port, self.token, self.host)
        bridge._process = self._process
        return bridge

    def call(
        self, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> Iterator[Frame]:
        """Send values and arrays (of any shape) and yield the frames of the answer as they arrive.

        Raises BridgeError, or the error that the bridge reports.
        """
        where, pieces = self._where, frames.encode(values, arrays or {})[1:]
        if (size := sum(map(len, pieces))) > frames.MAX_REQUEST_BYTES:
            raise errors.InputError(f"{size:,} bytes of input; a bridge takes at most {frames.MAX_REQUEST_BYTES:,}")
        try:
            response = self._send(name, pieces)
            if response.status != 200:
                raise read_refusal(response.read(1 << 16), where)
            while (frame := frames.read(response, where)) is not None:  # type: ignore[arg-type]
                if "error" in frame[0]:
                    raise reported_error(frame[0]["error"])
                yield frame
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.close()
            raise BridgeError(self._ended_text(where, error)) from error
        except BaseException:  # the rest of the answer is still in transit: this connection can't be used again
            self.close()
            raise

    def _ended_text(self, where: str, error: Exception) -> str:
        last = self._process.last_error_line() if self._process is not None and self._process.has_ended() else ""
        return f"the {where} has ended or can't be reached ({error or type(error).__name__})" + (last and f": {last}")

    def _send(self, name: str, pieces: Sequence[bytes | memoryview]) -> http.client.HTTPResponse:
        """Send a request; send it again on a new connection if the server has closed the old one meanwhile."""
        is_new = self._http.sock is None
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": frames.CONTENT_TYPE,
            "Content-Length": str(sum(map(len, pieces))),
        }
        try:
            self._http.request("POST", f"/v{frames.PROTOCOL}/{name}", iter(pieces), headers)
            return self._http.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._http.close()
            if is_new:
                raise
            self._http.request("POST", f"/v{frames.PROTOCOL}/{name}", iter(pieces), headers)
            return self._http.getresponse()

    def _call_once(self, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> Frame:
        """The first frame of the answer, for calls that answer with one; the connection is read to the end."""
        answer = [*self.call(name, values, arrays)]
        with readable(self._where):
            return answer[0]

    def _call_job(
        self, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> tuple[dict[str, Any], list[Maps]]:
        """The description of a job in an answer, and the maps that follow it."""
        answer = [*self.call(name, values, arrays)]
        with readable(self._where):
            job = read_job(answer[0][0]["job"], "job")
            return job, [_restore_maps(values["maps"], arrays) for values, arrays in answer[1:]]

    def _call_video(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The open videos after a call."""
        description = self._call_once("film", values)[0]
        with readable(self._where):
            check_description(description, "videos")
            return description["films"]

    def describe(self) -> dict[str, Any]:
        """Protocol, networks, data sets, open videos, methods with their parameters, jobs and device.

        Raises BridgeError, also for a bridge of another protocol version.
        """
        description = self._call_once("describe", {})[0]
        if (protocol := description.get("protocol")) != frames.PROTOCOL:
            raise BridgeError(f"the bridge speaks protocol {protocol}, this side {frames.PROTOCOL}; update the older")
        with readable(self._where):
            check_description(description, "description")
        return description

    @checked_arguments
    def record(
        self,
        network: str,
        inputs: Sequence[BridgeInput | str | Path] = (),
        layers: str | Sequence[str] = "panels",
        on_maps: Callable[[Maps], None] | None = None,
        ablate: Ablate | None = None,
        positions: Mapping[str, int] | None = None,
        strokes: Strokes | None = None,
    ) -> Recording:
        """Run a network on inputs, by default on its own first input, and return the recording with all maps.

        inputs: made with `file`, `words` and so on, or texts as in `named`, one for each argument of the network.
        on_maps: called with the maps of each layer while the network still runs. ablate: layer ids with the channels
        that are 0 in this run; the id of a panel stands for the layer that it shows. positions: by layer id, which
        frame, window or other position of the input is shown. strokes: objects such as {"layer": "up2", "channels":
        [3], "cells": [[4, 4], [4, 5]], "insert": False}, which change channels at some places of their maps, to 0 or to
        the value that they have where they are active. `Recording.run` names this run for `start`.
        """
        digest, graph = self._graphs.get(network, ("", None))
        input_values, input_arrays = pack_inputs(inputs)
        request = {"network": network, "inputs": input_values, "layers": layers, "graph": digest}
        all_maps: list[Maps] = []
        values: dict[str, Any] = {}
        for values, arrays in self.call("record", request | _run_values(ablate, positions, strokes), input_arrays):
            if "maps" in values:
                with readable(self._where):
                    all_maps.append(_restore_maps(values["maps"], arrays))
                if on_maps is not None:
                    on_maps(all_maps[-1])
        with readable(self._where):
            known = None if "network" in values["recording"] else graph
            where = f"recording of {network}"
            recording = restore(values["recording"], read_pictures(arrays, where), where, known)
            self._graphs[network] = (str(values["graph"]), recording.network)
            recording.run = str(values["run"])
        recording.add(all_maps)
        return recording

    @checked_arguments
    def start(
        self,
        network: str,
        method: str,
        layers: str | Sequence[str] = "panels",
        parameters: Mapping[str, Any] | None = None,
        data: str = "",
        channels: str | Sequence[int] = (),
        *,
        run: str = "",
        inputs: Sequence[BridgeInput | str | Path] | None = None,
        ablate: Ablate | None = None,
        positions: Mapping[str, int] | None = None,
        strokes: Strokes | None = None,
    ) -> dict[str, Any]:
        """Start a job that computes a method, and return the job's description with its `id`.

        channels: the channels of these layers, () for all, or a text such as "0,3,8-11". run: what the method is about,
        as `Recording.run` of `record`; or inputs, ablate, positions and strokes, as in `record`, on which the network
        is run first. A method whose `needs` doesn't name the input can do without. Raises InputError, UnknownName, or
        UnknownRun if the bridge no longer keeps the run.
        """
        input_values, arrays = pack_inputs(inputs or ())
        request: dict[str, Any] = {
            "network": network,
            "method": method,
            "layers": layers,
            "parameters": parameters or {},
            "data": data,
            "channels": read_channels(channels),
            "run": run or None,
            "inputs": None if inputs is None else input_values,
        }
        return self._call_job("start", request | _run_values(ablate, positions, strokes), arrays)[0]

    def job(self, number: int, step: int = 0, seconds: float = 0.0) -> tuple[dict[str, Any], list[Maps]]:
        """The state of a job and its maps computed after `step`, oldest first; waits up to `seconds` for a change."""
        return self._call_job("job", {"id": number, "step": step, "seconds": seconds})

    def cancel(self, number: int) -> dict[str, Any]:
        """End a job at its next step."""
        return self._call_job("cancel", {"id": number})[0]

    @checked_arguments
    def pictures(
        self,
        data: str,
        size: int = 64,
        *,
        draw: Mapping[str, int] | None = None,
        page: Mapping[str, int] | None = None,
        of_class: str = "",
    ) -> tuple[dict[str, Any], np.ndarray]:
        """Thumbnails of a data set: indices, titles and labels, and the pictures, (n, size, size, 3) uint8 sRGB.

        draw: {"count", "seed"}, or page: {"start", "count"}. of_class: name of the only class, "" for all.
        """
        request = {"set": data, "size": size, "draw": draw, "page": page, "of_class": of_class}
        values, arrays = self._call_once("pictures", request)
        with readable(self._where):
            found = arrays["pictures"]
            if not len(values["indices"]) == len(values["titles"]) == len(values["classes"]):
                raise ValueError("indices, titles and classes of pictures don't match")
            if found.shape != (len(values["indices"]), size, size, 3) or found.dtype != np.uint8:
                raise ValueError(f"pictures of shape {found.shape}")
            return values, found

    def classes(self, data: str, text: str = "") -> list[tuple[str, int]]:
        """Classes of a data set whose name contains a text, each with its number of pictures."""
        values, _ = self._call_once("pictures", {"set": data, "text": text})
        with readable(self._where):
            return [(str(name), int(count)) for name, count in values["classes"]]

    def statistics(self, network: str, layers: str | Sequence[str]) -> dict[str, tuple[dict[str, float], np.ndarray]]:
        """Layer id -> statistics of its weights, and their histogram, (bins,) int64 counts.

        Layers without weights are left out. Raises UnknownName.
        """
        values, counts = self._call_once("statistics", {"network": network, "layers": layers})
        with readable(self._where):
            return {id: (numbers, counts[id]) for id, numbers in values["layers"].items()}

    def open_video(self, name: str, source: str) -> list[dict[str, Any]]:
        """Open a video file of the bridge's machine, or camera:0, under a name for `video`; returns all open videos."""
        return self._call_video({"name": name, "open": source})

    def seek_video(self, name: str, frame: int) -> list[dict[str, Any]]:
        """Go to a frame, counted from 0; returns all open videos."""
        return self._call_video({"name": name, "seek": frame})

    def close_video(self, name: str) -> list[dict[str, Any]]:
        """Close a video; returns those that are still open."""
        return self._call_video({"name": name, "close": True})

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._http.close()

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def start_bridge(
    python: str, config: Mapping[str, Any], progress: Progress | None = None, folder: Path | str | None = None
) -> Bridge:
    """Start a bridge as a child of this process and wait until it is ready; arguments as in `start_process`."""
    child = start_process(python, config, folder)
    try:
        port = child.wait(progress)
    except BaseException:
        child.end()
        raise
    return Bridge(port, child.token, child=child)


@checked_arguments
def join_bridge(file: Path | str) -> Bridge:
    """Connect to a running bridge by its connection file.

    The bridge may run on another machine if a tunnel leads to its port. Raises BridgeError when the file is missing or
    damaged, or the bridge has another protocol version or doesn't answer.
    """
    return join_at(*read_connection(file))


def join_at(port: int, token: str, host: str = "127.0.0.1") -> Bridge:
    """Connect to a running bridge by address and token. Raises BridgeError."""
    bridge = Bridge(port, token, host)
    bridge.describe()
    return bridge


def _run_values(ablate: Ablate | None, positions: Mapping[str, int] | None, strokes: Strokes | None) -> dict[str, Any]:
    """The JSON values of what is changed in a run."""
    ablated = None if ablate is None else {layer: list(channels) for layer, channels in ablate.items()}
    values: dict[str, Any] = {"ablate": ablated, "positions": None if positions is None else dict(positions)}
    values["strokes"] = None if strokes is None else [dict(stroke) for stroke in strokes]
    return {name: value for name, value in values.items() if value is not None}


def _restore_maps(entry: Any, arrays: Mapping[str, np.ndarray]) -> Maps:
    return restore_maps(parse_maps_entry(entry, "maps of a bridge", None), arrays, "maps of a bridge")
