"""Mutants of files that a user names: read, or refused in one line, in seconds and megabytes."""

from __future__ import annotations

import io
import json
import tempfile
import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..torch_bridge.inputs.image_files import open_picture
from ..torch_bridge.inputs.preprocess import Preprocessing
from ..torch_bridge.inputs.sources import read_input
from ..torch_bridge.inputs.tensor_files import read_tensor
from ..torch_bridge.inputs.tokens import read_vocabulary
from ..torch_bridge.models.weights import load_weights
from ..torch_bridge.recording import safetensors
from ..torch_bridge.server.config import serve_config
from .fuzzing import Counts, mutate_bytes, mutate_json

PICTURES, INPUTS, WEIGHTS, ORDERS = 2000, 4000, 1000, 2000
AS_IS = Preprocessing()
SAVED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("BMP", "RGB", {}), ("GIF", "P", {}), ("JPEG", "RGB", {}), ("JPEG", "L", {"progressive": True}),
    ("PNG", "RGBA", {}), ("PNG", "I;16", {}), ("PPM", "RGB", {}), ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "F", {}), ("WEBP", "RGB", {"lossless": True}),
)  # fmt: skip
"""Pillow's format, mode and options of each honest picture."""
ORDER: dict[str, Any] = {
    "mine": {
        "model": "resnet18", "arguments": {"num_classes": 10}, "weights": "mine.safetensors", "classes": ["cat", "dog"],
        "inputs": ["noise:1"], "layers": ["panels"], "size": [64, 48], "grid": [2, 2], "crop": 0.9, "mean": [0.5],
        "std": [0.25, 0.25, 0.25], "colours": 3, "interpolation": "bicubic", "stretch": True, "index": 0,
        "positions": {"conv1": 1}, "seed": 7, "kernels": False, "ablate": {"conv1": [0, 1]}, "name": "Mine",
    },
    "shipped": {"model": "object"},
}  # fmt: skip
"""A file of networks with every field."""


def measure() -> dict[str, Any]:
    """Returns the counts of mutants of each kind of file."""
    return {
        "pictures and arrays": try_pictures(PICTURES, seed=0).table(),
        "sounds, tensors and vocabularies": try_inputs(INPUTS, seed=0).table(),
        "weights": try_weights(WEIGHTS, seed=0).table(),
        "files of networks": try_orders(ORDERS, seed=0).table(),
    }


def try_pictures(count: int, seed: int) -> Counts:
    """Changes some bytes of a picture or an array, or cuts it off, and reads it."""
    rng, counts = np.random.default_rng(seed), Counts()
    honest = _honest_files(rng)
    for _ in range(count):
        name = list(honest)[rng.integers(len(honest))]
        # Most changes near the start, where sizes are.
        most = 200 if rng.random() < 0.6 else len(honest[name])
        mutant = mutate_bytes(honest[name], rng, most)
        if name.endswith(".npy"):
            counts.attempt(name, partial(read_tensor, Path(name), content=mutant))
        else:
            counts.attempt(name, partial(open_picture, Path(name), io.BytesIO(mutant)))
    return counts


def _honest_files(rng: np.random.Generator) -> dict[str, bytes]:
    """Small files of each kind by name."""
    colours = rng.integers(0, 256, (24, 32, 3), np.uint8)
    files: dict[str, bytes] = {}
    for kind, mode, options in SAVED:
        deep = Image.fromarray(colours[:, :, 0].astype(np.uint16 if mode == "I;16" else np.float32))
        picture = deep if mode in ("I;16", "F") else Image.fromarray(colours).convert(mode)
        with io.BytesIO() as buffer:
            picture.save(buffer, kind, **options)
            files[f"{mode}{len(options)}.{kind.lower()}"] = buffer.getvalue()
    with io.BytesIO() as buffer:
        np.save(buffer, colours)
        files["array.npy"] = buffer.getvalue()
    return files


def try_inputs(count: int, seed: int) -> Counts:
    """Changes some bytes of a sound, of a file of several tensors, or of a vocabulary, or cuts it off, and reads it."""
    rng, counts = np.random.default_rng(seed), Counts()
    vocabularies = {"words.txt": b"[UNK]\nhello\n##s\nworld\n", "words.json": b'{"[UNK]": 0, "hello": 7, "##s": 8}'}
    honest = {"sound.wav": _honest_sound(rng), **_honest_tensors(rng), **vocabularies}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(count):
            name = list(honest)[rng.integers(len(honest))]
            mutant, path = mutate_bytes(honest[name], rng, len(honest[name])), Path(scratch) / name
            path.write_bytes(mutant)
            read: Callable[[], Any] = partial(
                read_input, f"{path}:x" if name.startswith("tensors") else str(path), AS_IS
            )
            counts.attempt(name, partial(_tokenise, path) if name in vocabularies else read)
    return counts


def _tokenise(path: Path) -> None:
    read_vocabulary(path).tokenise("Hellos, world")


def _honest_sound(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((2, 2, 8000, 0, "NONE", ""))
        sound.writeframes(rng.bytes(400))
    return buffer.getvalue()


def _honest_tensors(rng: np.random.Generator) -> dict[str, bytes]:
    """Files of two tensors, x and y, by name."""
    arrays = {"x": rng.normal(size=(3, 8, 8)), "y": np.arange(5)}
    plain, packed = io.BytesIO(), io.BytesIO()
    np.savez(plain, **arrays)
    np.savez_compressed(packed, **arrays)
    body = b"".join(safetensors.encode(arrays))
    return {"tensors.npz": plain.getvalue(), "tensors_packed.npz": packed.getvalue(), "tensors.safetensors": body}


def try_weights(count: int, seed: int) -> Counts:
    """Changes some bytes of a checkpoint in either format of torch, or cuts it off, and loads it."""
    rng, counts = np.random.default_rng(seed), Counts()
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    honest: list[bytes] = []
    for is_zip in (True, False):
        buffer = io.BytesIO()
        state = {"epoch": 3, "model": network.state_dict()}
        torch.save(state, buffer, _use_new_zipfile_serialization=is_zip)
        honest.append(buffer.getvalue())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "weights.pt"
        for number in range(count):
            content = honest[number % 2]
            place = int(rng.integers(len(content)))  # a change of length is always refused
            flipped = content[:place] + rng.bytes(1) + content[place + 1 :]
            path.write_bytes(flipped if rng.random() < 0.7 else mutate_bytes(content, rng, len(content)))
            counts.attempt(("legacy", "zip")[number % 2 == 0], partial(load_weights, network, path))
    return counts


def try_orders(count: int, seed: int) -> Counts:
    """Changes a value or some bytes of a file of networks, and reads it as `serve --networks` does."""
    rng, counts = np.random.default_rng(seed), Counts()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "networks.json"
        for _ in range(count):
            if rng.random() < 0.8:
                changed, what = mutate_json(ORDER, rng)
                content = json.dumps(changed).encode()
            else:
                honest = json.dumps(ORDER).encode()
                content, what = mutate_bytes(honest, rng, len(honest)), "bytes"
            path.write_bytes(content)
            counts.attempt(what, partial(serve_config, [], path))
    return counts
