"""Reads a network's inputs from what a user names: a picture file, a `.npy` array, or `noise:SEED`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from ..recording import near_square
from ..recording.errors import InputError
from .image_files import on_white, open_picture, short_reason
from .preprocess import Preprocessing, denormalise, fit_picture, normalise

SWATCH = 8
"""Pixels a side of the square that shows one number of a vector."""


@dataclass(frozen=True)
class Input:
    """One argument of the network, and a picture of it."""

    values: Any
    """One sample with its batch axis: a tensor (1, C, H, W), or in the shape of the array in the file."""
    picture: np.ndarray
    """(H, W, 3) uint8 sRGB, top row first: what the network sees."""
    name: str
    preprocessing: str
    """Description of the preprocessing, in one line."""
    samples: int = 1
    """Number of samples in the file."""
    unchanged: bool = False
    """Whether the network gets the values as they are, of any type, dtype and shape."""


def copy_input(input_: Input) -> Input:
    """Returns an input whose tensors are copies: a network may write to its arguments."""
    import torch

    from ..capture.call_arguments import map_leaves

    values = map_leaves(lambda leaf: leaf.clone() if isinstance(leaf, torch.Tensor) else leaf, input_.values)
    return replace(input_, values=values)


@dataclass(frozen=True)
class NamedContent:
    """An input whose content is in memory already."""

    name: str
    content: Image.Image | bytes
    """A picture, or the bytes of a file."""


Source = str | NamedContent | Input
"""An input as a user names it: a picture file, a `.npy` file, `noise:SEED`, or content in memory, read or not."""


def read_input(
    source: Source, preprocessing: Preprocessing, shape: Sequence[int] = (), tokens: int = 0, index: int = 0
) -> Input:
    """Reads one input. Raises InputError.

    shape: of one sample, for noise and for arrays without a batch axis. tokens: if above 0, noise consists of integers
    below it. index: sample of an array that holds several.
    """
    import torch

    if isinstance(source, Input):
        return source
    if isinstance(source, NamedContent) and isinstance(source.content, Image.Image):
        return _picture_input(source.content, source.name, preprocessing)
    if isinstance(source, str) and source.startswith("noise:"):
        values = _draw_noise(source, shape, tokens)
        kind = f"tokens below {tokens}" if tokens else "standard normal noise"
        picture = draw_sample(values, preprocessing)
        return Input(torch.from_numpy(values)[None], picture, source, f"{kind}, {_sizes(values)}")
    path = Path(source if isinstance(source, str) else source.name)
    in_memory = isinstance(source, NamedContent) and isinstance(source.content, bytes)
    content = io.BytesIO(source.content) if in_memory else None  # type: ignore[union-attr, arg-type]
    if path.suffix.lower() == ".npy":
        return _array_input(path, preprocessing, len(shape) + 1 if shape else 0, index, content)
    return _picture_input(open_picture(path, content), path.name, preprocessing)


def _picture_input(image: Image.Image, name: str, preprocessing: Preprocessing) -> Input:
    import torch

    values, picture = preprocess_picture(image, preprocessing)
    return Input(torch.from_numpy(values)[None], picture, name, preprocessing.describe())


def preprocess_picture(image: Image.Image, preprocessing: Preprocessing) -> tuple[np.ndarray, np.ndarray]:
    """Returns the network's values (C, H, W) float32, and what it sees: (H, W, 3) uint8 sRGB, top row first.

    image: mode L, RGB or RGBA.
    """
    fitted = fit_picture(image if preprocessing.channels == 4 else on_white(image), preprocessing)
    return normalise(fitted, preprocessing), np.asarray(on_white(fitted).convert("RGB")).copy()


def _sizes(values: np.ndarray) -> str:
    return "×".join(map(str, values.shape))


def _draw_noise(text: str, shape: Sequence[int], tokens: int) -> np.ndarray:
    """Returns the values of "noise:SEED" or "noise:SEED:64x1x1": standard normal float32, or int64 tokens."""
    _, seed, *rest = text.split(":")
    sizes = rest[0].split("x") if rest else list(map(str, shape))
    if not seed.isdecimal() or len(rest) > 1 or not all(size.isdecimal() and int(size) for size in sizes):
        raise InputError(f"{text}: write noise:SEED or noise:SEED:3x224x224, with whole numbers")
    if not sizes:
        raise InputError(f"{text}: the shape of the network's input isn't known; write it, such as {text}:3x224x224")
    generator = np.random.default_rng(int(seed))
    if tokens:
        return generator.integers(0, tokens, tuple(map(int, sizes)))
    return generator.standard_normal(tuple(map(int, sizes)), np.float32)


def _array_input(path: Path, preprocessing: Preprocessing, rank: int, index: int, content: BinaryIO | None) -> Input:
    """Reads a `.npy` file; (H, W[, 1|3|4]) uint8 is preprocessed like a picture file, other arrays are unchanged."""
    import torch

    array = read_array(path, content)
    if array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        return _picture_input(to_image(array), path.name, preprocessing)
    batch = array[None] if rank and array.ndim == rank - 1 else array
    index = index if len(batch) > 1 else 0
    if not 0 <= index < len(batch):
        raise InputError(f"array {path}: {len(batch)} samples, there is no index {index}")
    values, description = torch.from_numpy(batch[index : index + 1]), f"values unchanged, {_sizes(batch[index])}"
    return Input(values, draw_sample(batch[index], preprocessing), path.name, description, len(batch))


def to_image(pixels: np.ndarray) -> Image.Image:
    """Returns (H, W) or (H, W, 1|3|4) uint8 sRGB, top row first, as a Pillow image."""
    return Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def read_array(path: Path, content: BinaryIO | None = None) -> np.ndarray:
    """Reads a `.npy` file, or its `content`: an array of at least one number, of any shape and numeric dtype.

    Never unpickles objects. Raises InputError.
    """
    try:
        array = np.load(content or path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"array {path}: no such file") from None
    except Exception as error:  # the header is read as Python text: a damaged one may raise anything
        raise InputError(f"array {path}: not a .npy file of plain numbers ({short_reason(error)})") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.size == 0 or array.ndim == 0:
        raise InputError(f"array {path}: an array of numbers with at least one axis is needed")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def draw_sample(values: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Draws one sample of any shape: (H, W, 3) uint8 sRGB, top row first.

    (C, H, W) with the network's channels is drawn as a picture, anything else in grey.
    """
    finite = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    if finite.ndim == 3 and finite.shape[0] == preprocessing.channels and min(finite.shape[1:]) > 1:
        brightness = denormalise(finite, preprocessing)[:3]
    else:
        brightness = _draw_grey(finite)[None]
    picture = (brightness * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def _draw_grey(values: np.ndarray) -> np.ndarray:
    """Returns the first plane of an array as (H, W) float 0..1; a vector as squares on a near-square grid."""
    plane = values.squeeze()
    while plane.ndim > 2:
        plane = plane[0]
    if plane.ndim < 2:
        rows, columns = near_square(plane.size)
        grid = np.full(rows * columns, plane.min(), np.float32)
        grid[: plane.size] = plane.reshape(-1)
        plane = np.kron(grid.reshape(rows, columns), np.ones((SWATCH, SWATCH), np.float32))
    low, high = float(plane.min()), float(plane.max())
    return (plane - low) / max(high - low, 1e-30)
