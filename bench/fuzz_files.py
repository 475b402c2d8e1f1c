"""Mutants of pictures, arrays and files of networks: read, or refused in one line, in seconds and megabytes."""

from __future__ import annotations

import io
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..torch_bridge.inputs.image_files import open_picture
from ..torch_bridge.inputs.tensor_files import read_tensor
from ..torch_bridge.server.config import serve_config
from .fuzzing import Counts, mutate_bytes, mutate_json

PICTURES, ORDERS = 2000, 2000
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
    """Returns the counts of mutants of pictures and arrays, and of files of networks."""
    return {
        "pictures and arrays": try_pictures(PICTURES, seed=0).table(),
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
