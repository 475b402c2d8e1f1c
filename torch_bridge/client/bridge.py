"""Talk to a bridge: the same in scripts and in Blender, where there is neither torch nor anything to install.

with start_bridge(python, {"networks": {"object": {"model": …}}}) as bridge:
    recording = bridge.record("object", [noise(7)])

A Bridge holds one connection, for one thread; `twin` gives another to the same bridge.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..recording import Maps, Network, Recording, errors, restore, restore_maps
from ..recording.errors import BridgeError
from ..recording.schema import parse_maps_entry
from . import frames
from .process import BridgeProcess, start_process

Ablate = Mapping[str, Sequence[int]]
PATIENCE = 600.0
"""Seconds without a byte after which a bridge is given up."""


class BridgeInput(NamedTuple):
    """One input of a request."""

    values: dict[str, Any]
    array: np.ndarray | None = None


def file(path: Path | str) -> BridgeInput:
    """A picture or .npy file of this machine; its bytes go over the wire. Raises InputError."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise errors.InputError(f"{path}: can't be read ({error.strerror})") from None
    return BridgeInput({"kind": "upload", "name": Path(path).name}, np.frombuffer(content, np.uint8))


def pixels(array: np.ndarray, name: str) -> BridgeInput:
    """(H, W), (H, W, 3) or (H, W, 4) uint8 sRGB, top row first."""
    return BridgeInput({"kind": "pixels", "name": name}, array)


def noise(seed: int) -> BridgeInput:
    """What `noise:SEED` is on the command line."""
    return BridgeInput({"kind": "noise", "seed": seed})


def item(data: str, index: int) -> BridgeInput:
    """A picture of a data set of the bridge."""
    return BridgeInput({"kind": "data", "set": data, "index": index})


def channel(layer: str, method: str, number: int) -> BridgeInput:
    """The picture on a tile: of a channel's maps that the bridge made before."""
    return BridgeInput({"kind": "channel", "layer": layer, "method": method, "channel": number})


def video(name: str, at: float | None = None, frame: int | None = None) -> BridgeInput:
    """Of a film that the bridge has opened: the frame due at so many seconds, one by its number, or the next."""
    if frame is not None:
        return BridgeInput({"kind": "film", "film": name, "frame": frame})
    return BridgeInput({"kind": "film", "film": name} | ({"step": 1} if at is None else {"at": at}))


class Bridge:
    """A connection to a bridge. Errors of the bridge come out as what they were there, else as BridgeError."""

    def __init__(self, port: int, token: str, host: str = "127.0.0.1", child: BridgeProcess | None = None) -> None:
        self.port, self.token, self.host, self.child = port, token, host, child
        self._kin = child
        """The child that it is a bridge to, which another Bridge may own."""
        self._http = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        self._graphs: dict[str, tuple[str, Network]] = {}
        """By network: the digest of its graph, and the graph."""

    def new_connection(self) -> Bridge:
        """Another connection, for another thread."""
        twin = Bridge(self.port, self.token, self.host)
        twin._kin = self._kin
        return twin

    def call(
        self, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Ask, and yield frames as they arrive. Raises BridgeError, or the error that the bridge tells of."""
        where, pieces = f"bridge at {self.host}:{self.port}", frames.encode(values, arrays or {})[1:]
        if (size := sum(map(len, pieces))) > frames.MOST_BODY:
            raise errors.InputError(f"{size:,} bytes of input; a bridge takes at most {frames.MOST_BODY:,}")
        try:
            answer = self._ask(name, pieces)
            if answer.status != 200:
                raise _refused(answer.read(1 << 16), where)
            while (frame := frames.read(answer, where)) is not None:  # type: ignore[arg-type]
                if "error" in frame[0]:
                    raise errors.error_from_wire(**frame[0]["error"])
                yield frame
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise BridgeError(self._ended(where, error)) from error
        except BaseException:  # the rest of the answer is on the way: this connection can't be used again
            self.close()
            raise

    def _ended(self, where: str, error: Exception) -> str:
        last = self._kin.last_error_line() if self._kin is not None and self._kin.has_ended() else ""
        return f"the {where} has ended or can't be reached ({error or type(error).__name__})" + (last and f": {last}")

    def _ask(self, name: str, pieces: Sequence[bytes | memoryview]) -> http.client.HTTPResponse:
        """Send a request; once more on a new connection when the old one was closed meanwhile."""
        fresh = self._http.sock is None
        head = {
            "Authorization": f"Bearer {self.token}", "Content-Type": frames.TYPE,
            "Content-Length": str(sum(map(len, pieces))),
        }  # fmt: skip
        try:
            self._http.request("POST", f"/v{frames.PROTOCOL}/{name}", iter(pieces), head)
            return self._http.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._http.close()
            if fresh:
                raise
            self._http.request("POST", f"/v{frames.PROTOCOL}/{name}", iter(pieces), head)
            return self._http.getresponse()

    def _one(
        self, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return [*self.call(name, values, arrays)][0]

    def describe(self) -> dict[str, Any]:
        """Protocol, networks, data sets, films, methods with their parameters, jobs and device.

        Raises BridgeError for a bridge of another version too.
        """
        told = self._one("describe", {})[0]
        if (spoken := told.get("protocol")) != frames.PROTOCOL:
            raise BridgeError(f"the bridge speaks protocol {spoken}, this side {frames.PROTOCOL}; update the older")
        return told

    def record(
        self, network: str, inputs: Sequence[BridgeInput] = (), layers: str | Sequence[str] = "panels",
        heard: Callable[[Maps], None] | None = None, ablate: Ablate | None = None,
    ) -> Recording:  # fmt: skip
        """Let a network look at inputs; none: what it looks at first. `heard` is told of maps while it still runs.

        ablate: by layer, channels that are 0 in this run; a panel stands for the layer that it shows. The returned
        recording holds all maps, with their peaks.
        """
        digest, graph = self._graphs.get(network, ("", None))
        asked, arrays = _inputs(inputs)
        values = {"network": network, "inputs": asked, "layers": layers, "graph": digest} | _ablated(ablate)
        every, told, pictures = [], {}, {}
        for frame, held in self.call("record", values, arrays):
            if "maps" in frame:
                every.append(_maps(frame["maps"], held))
                if heard is not None:
                    heard(every[-1])
            else:
                told, pictures = frame, held
        return self._recording(network, told, pictures, every, graph)

    def _recording(
        self, network: str, told: Mapping[str, Any], pictures: Mapping[str, np.ndarray], every: list[Maps],
        graph: Network | None,
    ) -> Recording:  # fmt: skip
        known = None if "network" in told["recording"] else graph
        pair = pictures["input"], pictures.get("answer")
        made = restore(told["recording"], *pair, f"recording of {network}", known)
        self._graphs[network] = (told["graph"], made.network)
        made.add(every)
        return made

    def start(
        self, network: str, method: str, layers: str | Sequence[str] = "panels",
        parameters: Mapping[str, Any] | None = None, data: str = "", inputs: Sequence[BridgeInput] = (),
        channels: Sequence[int] = (), ablate: Ablate | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Ask a method about inputs, else about what the network looked at last; what is told of the job, with `id`.

        channels: of the layers, that it is about; () for all. ablate: as in `record`, else as it was for the last look.
        """
        given, arrays = _inputs(inputs)
        asked = {"network": network, "method": method, "layers": layers, "parameters": parameters or {}, "data": data}
        rest: dict[str, Any] = {"inputs": given, "channels": list(channels)} | _ablated(ablate)
        return self._one("start", asked | rest, arrays)[0]["job"]

    def job(self, number: int, step: int = 0, seconds: float = 0.0) -> tuple[dict[str, Any], list[Maps]]:
        """What a job says, and its maps made after `step`, oldest first; waits up to `seconds` for news."""
        first, *rest = self.call("job", {"id": number, "step": step, "seconds": seconds})
        return first[0]["job"], [_maps(frame["maps"], held) for frame, held in rest]

    def cancel(self, number: int) -> dict[str, Any]:
        """End a job at its next step."""
        return self._one("cancel", {"id": number})[0]["job"]

    def pictures(self, data: str, size: int = 64, **which: Any) -> tuple[dict[str, Any], np.ndarray]:
        """indices, titles, labels, and (n, size, size, 3) uint8 sRGB. which: draw={"count", "seed"} or
        page={"start", "count"}, and class_="name".
        """
        asked = {name.rstrip("_"): value for name, value in which.items()}
        told, arrays = self._one("pictures", {"set": data, "size": size, **asked})
        return told, arrays["pictures"]

    def classes(self, data: str, text: str = "") -> list[tuple[str, int]]:
        """Classes of a data set that contain a text, and how many pictures each has."""
        return [tuple(found) for found in self._one("pictures", {"set": data, "text": text})[0]["classes"]]

    def statistics(self, network: str, layers: Sequence[str]) -> dict[str, tuple[dict[str, float], np.ndarray]]:
        """By layer: numbers about its weights, and a histogram of them."""
        told, counts = self._one("statistics", {"network": network, "layers": list(layers)})
        return {id: (numbers, counts[id]) for id, numbers in told["layers"].items()}

    def open_video(self, name: str, source: str) -> list[dict[str, Any]]:
        """A video file of the bridge's machine, or camera:0, to be named in `film`."""
        return self._one("film", {"name": name, "open": source})[0]["films"]

    def seek_video(self, name: str, frame: int) -> list[dict[str, Any]]:
        """Go to a frame, counted from 0."""
        return self._one("film", {"name": name, "seek": frame})[0]["films"]

    def close_video(self, name: str) -> list[dict[str, Any]]:
        """Let go of it."""
        return self._one("film", {"name": name, "close": True})[0]["films"]

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._http.close()

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self.child is not None:
            self.child.end()


def start_bridge(
    python: str, order: Mapping[str, Any], tell: Callable[[str, float], None] | None = None,
    folder: Path | str | None = None,
) -> Bridge:  # fmt: skip
    """Start a bridge as a child of this process and wait until it is ready; see `start_child`."""
    child = start_process(python, order, folder)
    try:
        port = child.wait(tell)
    except BaseException:
        child.end()
        raise
    return Bridge(port, child.token, child=child)


def join_bridge(file: Path | str) -> Bridge:
    """Join a running bridge by its connection file, which may come from another host through a tunnel to its port.

    Raises BridgeError: no such file, not one, a bridge of another version, or none that answers.
    """
    return join_at(*read_connection(file))


def read_connection(file: Path | str) -> tuple[int, str]:
    """Port and token in a connection file. Raises BridgeError."""
    try:
        told = json.loads(Path(file).read_bytes())
        port, token, protocol = told["port"], told["token"], told["protocol"]
    except OSError as error:
        raise BridgeError(f"{file}: can't be read ({error.strerror}); is the bridge running?") from None
    except (ValueError, KeyError, TypeError):
        raise BridgeError(f"{file}: not the connection file of a bridge") from None
    if not (type(port) is int and 0 < port < 1 << 16 and isinstance(token, str)):
        raise BridgeError(f"{file}: not the connection file of a bridge")
    if protocol != frames.PROTOCOL:
        raise BridgeError(f"{file}: protocol {protocol}, this side speaks {frames.PROTOCOL}; update the older")
    return port, token


def join_at(port: int, token: str, host: str = "127.0.0.1") -> Bridge:
    """Join a running bridge by address and token. Raises BridgeError."""
    bridge = Bridge(port, token, host)
    bridge.describe()
    return bridge


def _inputs(given: Sequence[BridgeInput]) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    arrays = {str(k): one.array for k, one in enumerate(given) if one.array is not None}
    return [one.values | {"array": str(k)} for k, one in enumerate(given)], arrays


def _ablated(ablate: Ablate | None) -> dict[str, Any]:
    return {} if ablate is None else {"ablate": {layer: list(channels) for layer, channels in ablate.items()}}


def _maps(entry: Any, arrays: Mapping[str, np.ndarray]) -> Maps:
    return restore_maps(parse_maps_entry(entry, "maps of a bridge", None), arrays, "maps of a bridge")


def _refused(body: bytes, where: str) -> Exception:
    try:
        return errors.error_from_wire(**json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return BridgeError(f"{where}: not a bridge of innerwalk")
