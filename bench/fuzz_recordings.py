"""Mutants of recordings, series and safetensors headers: read, or refused in one line, in seconds and megabytes."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..torch_bridge.recording import (
    ACTIVATIONS,
    Edge,
    Layer,
    Maps,
    Network,
    Prediction,
    Recording,
    SeriesWriter,
    load,
    load_series,
    pack,
    safetensors,
)
from ..torch_bridge.recording.writing import DOCUMENT
from .fuzzing import Counts, mutate_bytes, mutate_json

MUTANTS = 5000
HEADER_BYTES = 4000
"""Bytes at the start of a file among which one is changed."""


def measure() -> dict[str, Any]:
    """Returns the counts of mutants of recordings and of safetensors headers."""
    return {
        "recordings": try_recordings(MUTANTS, seed=0).table(),
        "series": try_series(MUTANTS, seed=0).table(),
        "safetensors headers": try_headers(MUTANTS, seed=0).table(),
    }


def try_recordings(count: int, seed: int) -> Counts:
    """Changes a value of recording.json, or bytes of any file, and loads all maps."""
    rng, counts = np.random.default_rng(seed), Counts()
    with tempfile.TemporaryDirectory() as scratch:
        folder = sample().save(Path(scratch) / "recording")
        files = {path: path.read_bytes() for path in sorted(folder.iterdir())}
        document = json.loads(files[folder / DOCUMENT])
        for _ in range(count):
            if rng.random() < 0.7:
                path = folder / DOCUMENT
                changed, what = mutate_json(document, rng)
                content = json.dumps(changed).encode()
            else:
                path = list(files)[rng.integers(len(files))]
                content, what = mutate_bytes(files[path], rng, HEADER_BYTES), f"bytes of {path.name}"
            path.write_bytes(content)
            counts.attempt(what, lambda: read(folder))
            path.write_bytes(files[path])
    return counts


def try_series(count: int, seed: int) -> Counts:
    """Changes a value of a document of a series, or bytes of any of its files, and loads all entries."""
    rng, counts = np.random.default_rng(seed), Counts()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "series"
        with SeriesWriter(folder, "frame", 12.0, {"seed": 1}) as writer:
            for label in ("one", "two"):
                writer.add(label, replace(sample(), input_name=label))
        files = {path: path.read_bytes() for path in sorted(folder.iterdir())}
        documents = {path: json.loads(content) for path, content in files.items() if path.suffix == ".json"}
        for _ in range(count):
            if rng.random() < 0.7:
                path = list(documents)[rng.integers(len(documents))]
                changed, what = mutate_json(documents[path], rng)
                content = json.dumps(changed).encode()
            else:
                path = list(files)[rng.integers(len(files))]
                content, what = mutate_bytes(files[path], rng, HEADER_BYTES), f"bytes of {path.name}"
            path.write_bytes(content)
            counts.attempt(what, lambda: read_series(folder))
            path.write_bytes(files[path])
    return counts


def read_series(folder: Path) -> None:
    """Loads all entries of a series with all their values."""
    series = load_series(folder)
    for position in range(len(series)):
        check(series.load(position))


def read(folder: Path) -> None:
    """Loads a recording with all its values."""
    check(load(folder))


def check(recording: Recording) -> None:
    """Reads all values of a recording. Raises ValueError where they are of another number of channels."""
    recording.network.folded()
    for maps in recording.all_maps.values():
        if maps.peak.shape != (maps.channels,) or maps.data.shape[0] != maps.channels:
            raise ValueError(f"maps of {maps.layer} have another number of channels")


def try_headers(count: int, seed: int) -> Counts:
    """Changes a value or bytes of a safetensors header and decodes the body."""
    rng, counts = np.random.default_rng(seed), Counts()
    arrays: dict[str, np.ndarray] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.zeros((0, 2), np.uint8),
        "c": np.ones(2),
    }
    body = b"".join(bytes(piece) for piece in safetensors.encode(arrays, {"json": '{"a": 1}'}))
    size = int.from_bytes(body[:8], "little")
    header, data = json.loads(body[8 : 8 + size]), body[8 + size :]
    for _ in range(count):
        if rng.random() < 0.6:
            changed, what = mutate_json(header, rng)
            text = json.dumps(changed).encode()
            mutant = len(text).to_bytes(8, "little") + text + data
        else:
            mutant, what = mutate_bytes(body, rng, len(body)), "bytes"
        counts.attempt(what, partial(safetensors.decode, np.frombuffer(mutant, np.uint8), "mutant"))
    return counts


def sample() -> Recording:
    """Two convolutions and a vector, with labels, numbers, boxes and links."""
    shape = (5, 3, 4)
    kinds = (("input", "input", "input"), ("a", "Conv2d", "panel"), ("relu", "ReLU", "edge"), ("b", "Conv2d", "panel"))
    layers = tuple(
        Layer(id, kind, role, shape, shape, id if role == "panel" else "")  # type: ignore[arg-type]
        for id, kind, role in kinds
    )
    extras = {
        "values": np.arange(5, dtype=np.float32),
        "flags": np.arange(5, dtype=np.int32),
        "curve": np.ones((5, 2), np.float32),
        "samples": np.array([1, 2], np.int32),
        "boxes": np.array([[0, 0, 0, 1, 1, 0.5]], np.float32),
        "weights:b": np.array([[0, 1, 0.5]], np.float32),
    }
    edges = (Edge("input", "a"), Edge("a", "relu"), Edge("relu", "b"))
    texels = pack(np.linspace(-1, 1, 60, dtype=np.float32).reshape(shape))
    answer = Prediction("classes", ((3, "cat", 0.9),))
    recording = Recording(Network("small", layers, edges), "noise", np.zeros((6, 8, 3), np.uint8), answer)
    labels = ("one", "two", "three", "four", "five")
    recording.add([Maps("a", ACTIVATIONS, texels, 5, labels=labels, extras=extras), Maps("b", ACTIVATIONS, texels, 5)])
    return recording
