"""Runs of the networks of a bridge: one at a time, and kept by id, so that a method is about the run that it names."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from ..capture.call_arguments import map_leaves
from ..capture.failures import one_line
from ..capture.trace.op_types import tensors_in
from ..inputs.sources import Input
from ..recording import Maps, Recording
from ..recording.errors import BridgeError, UnknownRun
from .allocator import return_memory
from .loaded_model import LoadedModel, RunContext

MAX_RUNS = 32
"""Runs that are kept; the least recently used make room."""
MAX_INPUT_BYTES = 64 << 20
"""Bytes of the inputs, with their pictures, of the runs that are kept; the newest run stays, however large."""
IDLE_SECONDS = 5.0
"""Seconds without a run after which unused memory is given back to the system."""


class FinishedRun(NamedTuple):
    """A finished run."""

    id: str
    """Equal for equal network, inputs, ablation, positions and graph."""
    recording: Recording
    context: RunContext


class Runs:
    """The runs of all networks of a bridge."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], RunContext] = OrderedDict()
        """(network, id) -> what methods need, least recently used first."""
        self._lock = threading.Lock()
        """Held while `_kept` changes."""
        self._waiting: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="record", daemon=True).start()

    def run(
        self, network: LoadedModel, inputs: tuple[Input, ...], layers: Sequence[str], **options: Any
    ) -> Iterator[Maps | FinishedRun]:
        """Run a network after all runs that wait; yields maps as the layers are reached, then the finished run.

        layers, options: as in `LoadedModel.record`, whose errors are raised. Closing the iterator ends the run.
        """
        results: queue.SimpleQueue[Maps | tuple[Recording, RunContext] | BaseException] = queue.SimpleQueue()
        client_gone = threading.Event()
        self._waiting.put((network, inputs, layers, options, results, client_gone))
        try:
            while isinstance(result := results.get(), Maps):
                yield result
        finally:
            client_gone.set()
        if isinstance(result, BaseException):
            raise result if isinstance(result, Exception) else BridgeError(one_line(result))
        recording, context = result
        yield FinishedRun(self._keep(network, context), recording, context)

    def find(self, network: LoadedModel, id: str) -> RunContext:
        """What methods need of an earlier run of a network. Raises UnknownRun."""
        with self._lock:
            if (network.name, id) not in self._kept:
                raise UnknownRun(f"{network.name}: the input of this run is no longer kept; place it again")
            self._kept.move_to_end((network.name, id))
            return self._kept[network.name, id]

    def forget(self, network: str) -> None:
        """Keep no run of a network any more."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == network]:
                del self._kept[key]

    def close(self) -> None:
        """End the thread after the runs that wait."""
        self._waiting.put(None)

    def _work(self) -> None:
        """Do all runs in one thread; in a new thread torch would start new worker threads with empty caches each time.

        It does nothing else, so that no step of a job comes between two runs.
        """
        seconds = None
        while True:
            try:
                waiting = self._waiting.get(timeout=seconds)
            except queue.Empty:
                return_memory()
                seconds = None
                continue
            if waiting is None:
                return
            _run(*waiting)
            del waiting  # else the network would be kept until the next run
            seconds = IDLE_SECONDS

    def _keep(self, network: LoadedModel, context: RunContext) -> str:
        names = [input_.name for input_ in context.inputs]
        options = [context.ablation.as_json(), context.ablation.strokes_as_json(), dict(context.positions)]
        id = hash_request([network.name, names, context.network.digest, *options], context.inputs)
        with self._lock:
            self._kept[network.name, id] = context
            self._kept.move_to_end((network.name, id))
            size = sum(map(input_bytes, self._kept.values()))
            while len(self._kept) > 1 and (len(self._kept) > MAX_RUNS or size > MAX_INPUT_BYTES):
                size -= input_bytes(self._kept.popitem(last=False)[1])
        return id


def _run(
    network: LoadedModel,
    inputs: tuple[Input, ...],
    layers: Sequence[str],
    options: Mapping[str, Any],
    results: queue.SimpleQueue[Any],
    client_gone: threading.Event,
) -> None:
    """Put maps into `results` as they come, then the recording with what methods need, or the error.

    Ends early when the client has gone.
    """

    def send(maps: Maps) -> None:
        if client_gone.is_set():
            raise BridgeError("the client has gone")
        results.put(maps)

    try:
        recording = network.record(inputs, layers, send, **options)
        results.put((recording, network.run_context))  # of this run: no other thread runs networks
    except BaseException as error:  # noqa: BLE001 - `Runs.run` raises it again in its own thread
        results.put(error)


def hash_request(values: Sequence[Any], inputs: Sequence[Input]) -> str:
    """A hash of JSON values and of the values of inputs, as hexadecimal digits."""
    digest = hashlib.blake2b(json.dumps(values).encode(), digest_size=16)
    for input_ in inputs:
        map_leaves(lambda value: _add_to_digest(digest, value), input_.values)
    return digest.hexdigest()


def _add_to_digest(digest: hashlib.blake2b, value: Any) -> None:
    """Adds a tensor of any shape and dtype, or a plain value, to a digest."""
    if not isinstance(value, torch.Tensor):
        digest.update(repr(value).encode())
        return
    digest.update(f"{tuple(value.shape)} {value.dtype}".encode())
    digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)


def input_bytes(context: RunContext) -> int:
    """Bytes of the tensors and pictures of a run's inputs."""
    tensors = tensors_in([input_.values for input_ in context.inputs])
    return sum(tensor.nbytes for tensor in tensors) + sum(input_.picture.nbytes for input_ in context.inputs)
