"""Inputs for a network from what a person names: a picture file, a `.npy` array, or `noise:SEED`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image

from ..recording.errors import InputError
from .image_files import on_white, open_picture
from .preprocess import Preprocessing, denormalise, fit_picture, normalise

if TYPE_CHECKING:
    import torch

SWATCH = 8
"""Pixels a side of one number, where a vector is shown as a picture."""


@dataclass(frozen=True)
class Input:
    """One argument of the network, and how it looks."""

    values: torch.Tensor
    """One sample with the batch first: (1, C, H, W), or whatever the file holds."""
    picture: np.ndarray
    """(H, W, 3) uint8 sRGB: what the network sees."""
    name: str
    treatment: str
    """What was done to make the values, for a person."""
    samples: int = 1
    """How many there were to choose from."""


@dataclass(frozen=True)
class NamedContent:
    """Something to look at that is there already, and what it is called."""

    name: str
    content: Image.Image | bytes
    """A picture, or what a file holds."""


Source = str | NamedContent
"""What a person names as an input: a picture file, a `.npy` file, `noise:SEED`, or something that is there."""


def read_input(text: Source, how: Preprocessing, shape: Sequence[int] = (), tokens: int = 0, index: int = 0) -> Input:
    """Read what `text` names. `shape` is that of one sample, for noise and for arrays that lack the batch.

    `tokens` above 0 draws noise as whole numbers below it; `index` chooses from an array of several samples.
    Raises InputError.
    """
    import torch

    if isinstance(text, NamedContent) and isinstance(text.content, Image.Image):
        return _seen(text.content, text.name, how)
    if isinstance(text, str) and text.startswith("noise:"):
        values = _noise(text, shape, tokens)
        drawn = f"tokens below {tokens}" if tokens else "standard normal noise"
        return Input(torch.from_numpy(values)[None], draw_sample(values, how), text, f"{drawn}, {_sizes(values)}")
    path = Path(text if isinstance(text, str) else text.name)
    content = io.BytesIO(text.content) if isinstance(text, NamedContent) and isinstance(text.content, bytes) else None
    if path.suffix.lower() == ".npy":
        return _array_input(path, how, len(shape) + 1 if shape else 0, index, content)
    return _seen(open_picture(path, content), path.name, how)


def _seen(image: Image.Image, name: str, how: Preprocessing) -> Input:
    import torch

    values, picture = preprocess_picture(image, how)
    return Input(torch.from_numpy(values)[None], picture, name, how.sentence())


def preprocess_picture(image: Image.Image, how: Preprocessing) -> tuple[np.ndarray, np.ndarray]:
    """A picture (L, RGB or RGBA) -> the network's values (C, H, W) float32 and what it sees (H, W, 3) uint8 sRGB."""
    fitted = fit_picture(image if how.channels == 4 else on_white(image), how)
    return normalise(fitted, how), np.asarray(on_white(fitted).convert("RGB")).copy()


def _sizes(values: np.ndarray) -> str:
    return "×".join(map(str, values.shape))


def _noise(text: str, shape: Sequence[int], tokens: int) -> np.ndarray:
    """Values of "noise:SEED" or "noise:SEED:64x1x1": standard normal float32, or int64 tokens."""
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


def _array_input(path: Path, how: Preprocessing, rank: int, index: int, content: BinaryIO | None) -> Input:
    """A picture (H, W[, 1|3|4]) uint8 is treated as a picture file is; other arrays go to the network as they are."""
    import torch

    array = read_array(path, content)
    if array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        return _seen(to_image(array), path.name, how)
    batch = array[None] if rank and array.ndim == rank - 1 else array
    index = index if len(batch) > 1 else 0
    if not 0 <= index < len(batch):
        raise InputError(f"array {path}: {len(batch)} samples, there is no index {index}")
    one, treatment = torch.from_numpy(batch[index : index + 1]), f"values as they are, {_sizes(batch[index])}"
    return Input(one, draw_sample(batch[index], how), path.name, treatment, len(batch))


def to_image(pixels: np.ndarray) -> Image.Image:
    """(H, W) or (H, W, 1|3|4) uint8 sRGB as a picture."""
    return Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def read_array(path: Path, content: BinaryIO | None = None) -> np.ndarray:
    """A `.npy` file's numbers, at least one of them, never pickled objects. Raises InputError."""
    try:
        array = np.load(content or path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"array {path}: no such file") from None
    except Exception as error:  # the header is read as Python text: a damaged one may raise anything
        said = " ".join(str(error).split())[:200]
        raise InputError(f"array {path}: not a .npy file of plain numbers ({said})") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.size == 0 or array.ndim == 0:
        raise InputError(f"array {path}: an array of numbers with at least one axis is needed")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def draw_sample(values: np.ndarray, how: Preprocessing) -> np.ndarray:
    """One sample of any shape -> (H, W, 3) uint8 sRGB: as a picture where it is one, else as grey squares or rows."""
    plain = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    if plain.ndim == 3 and plain.shape[0] == how.channels and min(plain.shape[1:]) > 1:
        shown = denormalise(plain, how)[:3]
    else:
        shown = _swatches(plain)[None]
    bytes_ = (shown * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(bytes_, (*bytes_.shape[:2], 3)))


def _swatches(values: np.ndarray) -> np.ndarray:
    """Any array -> (H, W) in 0..1: its first plane, or, where it is one long row, a near-square of squares."""
    plane = values.squeeze()
    while plane.ndim > 2:
        plane = plane[0]
    if plane.ndim < 2:
        columns = int(np.ceil(np.sqrt(plane.size)))
        rows = -(-plane.size // columns)
        square = np.full(rows * columns, plane.min(), np.float32)
        square[: plane.size] = plane.reshape(-1)
        plane = np.kron(square.reshape(rows, columns), np.ones((SWATCH, SWATCH), np.float32))
    low, high = float(plane.min()), float(plane.max())
    return (plane - low) / max(high - low, 1e-30)
