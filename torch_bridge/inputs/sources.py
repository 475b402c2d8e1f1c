"""Reads a network's inputs from what a user names: files, tokens, words or noise."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..recording.endpoints import InputKind
from ..recording.errors import InputError
from .image_files import deep_grey, describe_levels, on_white, open_picture, window_grey
from .preprocess import Preprocessing, fit_picture, normalise
from .sample_drawing import draw_sample, drawn_part
from .scan_files import read_scan
from .scans import Scan
from .sound_files import arrange_sound, read_sound
from .source_names import SCANS, SOUNDS, TENSORS
from .tensor_files import read_tensor, split_name
from .tokens import Vocabulary, check_tokens, parse_ids

if TYPE_CHECKING:
    import torch

MAX_NOISE, MAX_DIGITS = 1 << 27, 20
"""Numbers of a noise input, and digits of its seed and of each of its sizes."""
PICTURE_RANK = 4
"""Axes of pictures in a batch: (N, C, H, W)."""
MAX_TITLE = 60
"""Characters of tokens or words in the name of an input."""


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
    keyword: str = ""
    """Name of the argument, if it is passed by name."""
    kind: InputKind | None = None
    """What it is, if the source says so."""

    def describe(self) -> str:
        """Returns one line for people on what was done to the input, after the name of its argument."""
        return f"{self.keyword}: {self.preprocessing}" if self.keyword else self.preprocessing


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


PlainSource = str | NamedContent | Input
"""An input without the name of its argument."""


@dataclass(frozen=True)
class KeywordSource:
    """An input that the network gets by the name of an argument."""

    keyword: str
    source: PlainSource


Source = PlainSource | KeywordSource
"""An input as a user names it: a picture, array, sound or scan, "file.npz:key", `ids:1,2,3`,
`text:some words`, `noise:SEED`, or content in memory, read or not."""


def keyword_of(source: Source) -> str:
    """Returns the name of the argument that an input is passed by; "" for one that is passed by its place."""
    return source.keyword if isinstance(source, (KeywordSource, Input)) else ""


def replace_first(defaults: Sequence[Source], sources: Sequence[Source]) -> list[Source]:
    """Returns `sources`, each for the argument of the default in its place, then the further defaults."""
    placed = [
        KeywordSource(keyword_of(default), source)
        if keyword_of(default) and not isinstance(source, KeywordSource)
        else source
        for source, default in zip(sources, defaults, strict=False)
    ]
    return [*placed, *sources[len(placed) :], *defaults[len(placed) :]]


def read_input(
    source: Source,
    preprocessing: Preprocessing,
    shape: Sequence[int] = (),
    tokens: int = 0,
    index: int = 0,
    vocabulary: Vocabulary | None = None,
) -> Input:
    """Reads one input. Raises InputError or UnknownName.

    shape: of one sample, for noise, sounds and arrays without a batch axis; () if it isn't known. tokens: if above 0,
    the network takes integers below it. index: sample of an array that holds several. vocabulary: for `text:`.
    """
    if isinstance(source, KeywordSource):
        read = read_input(source.source, preprocessing, shape, tokens, index, vocabulary)
        return replace(read, keyword=source.keyword)
    if isinstance(source, Input):
        return source
    if isinstance(source, NamedContent):
        if isinstance(source.content, Image.Image):
            return _picture_input(source.content, source.name, preprocessing)
        return _read_file(Path(source.name), "", preprocessing, shape, tokens, index, source.content)
    kind, _, text = source.partition(":")
    if kind == "noise":
        return _noise_input(source, preprocessing, shape, tokens)
    if kind in ("ids", "text"):
        return _token_input(kind, text, preprocessing, tokens, vocabulary)
    path, name = split_name(source)
    argument = source.partition("=")[0]
    if argument.isidentifier() and "=" in source and not os.path.exists(path):
        raise InputError(f"{source[:60]}: no such file; write --keyword {source[:60]} for the argument {argument}")
    return _read_file(path, name, preprocessing, shape, tokens, index)


def _read_file(
    path: Path,
    name: str,
    preprocessing: Preprocessing,
    shape: Sequence[int],
    tokens: int,
    index: int,
    content: bytes | None = None,
) -> Input:
    """Reads a file by its suffix; others are pictures. content: its bytes, if they are in memory."""
    import torch

    suffix, title = path.suffix.lower(), f"{path.name}:{name}" if name else path.name
    if suffix in TENSORS:
        tensor, rank = read_tensor(path, name, content), len(shape) + 1 if shape else 0
        image = None if tokens else _as_picture(tensor, rank, preprocessing)
        if image is not None:
            return _picture_input(image, title, preprocessing)
        return _tensor_input(tensor, title, preprocessing, rank, index)
    if suffix in SOUNDS:
        sound = read_sound(path, content)
        values, mixed = arrange_sound(sound, shape)
        picture = draw_sample(values, preprocessing)
        return Input(torch.from_numpy(values)[None], picture, title, sound.describe() + mixed, kind="waveform")
    if path.name.lower().endswith(SCANS):
        return _scan_input(read_scan(path, content), title, preprocessing, shape, index)
    image = open_picture(path, None if content is None else io.BytesIO(content))
    return _picture_input(image, title, preprocessing)


def _noise_input(source: str, preprocessing: Preprocessing, shape: Sequence[int], tokens: int) -> Input:
    import torch

    values = _draw_noise(source, shape, tokens)
    kind = f"tokens below {tokens}" if tokens else "standard normal noise"
    picture = draw_sample(values, preprocessing)
    return Input(torch.from_numpy(values)[None], picture, source, f"{kind}, {_sizes(values)}")


def _token_input(
    kind: str, text: str, preprocessing: Preprocessing, tokens: int, vocabulary: Vocabulary | None
) -> Input:
    import torch

    if kind == "ids":
        ids = parse_ids(text)
        line = f"{len(ids)} tokens as they are"
    elif vocabulary is None:
        raise InputError(f"text:{text[:60]}: no vocabulary; name its file, JSON {{word: number}} or a word a line")
    else:
        ids, line = vocabulary.tokenise(text)
    check_tokens(ids, tokens)
    title = f"{kind}:{text}"
    title = title if len(title) <= MAX_TITLE else title[:MAX_TITLE] + "…"
    picture = draw_sample(ids, preprocessing)
    return Input(torch.from_numpy(ids)[None], picture, title, line, unchanged=True, kind="tokens")


def _picture_input(image: Image.Image, name: str, preprocessing: Preprocessing) -> Input:
    import torch

    windowed = window_grey(image, preprocessing.window) if preprocessing.window else image
    values, picture = preprocess_picture(image, preprocessing)
    steps = [step for step in (describe_levels(windowed), preprocessing.describe()) if step]
    return Input(torch.from_numpy(values)[None], picture, name, "; ".join(steps), kind="picture")


def _scan_input(scan: Scan, name: str, preprocessing: Preprocessing, shape: Sequence[int], index: int) -> Input:
    """A volume for a network that takes such, or whose shape isn't known; else the slice `index`, 0 for the middle."""
    import torch

    if scan.slices == 1 or len(shape) not in (0, PICTURE_RANK):
        image, which = scan.picture(index)
        read = _picture_input(image, name, preprocessing)
        return replace(read, preprocessing="; ".join(filter(None, [which, read.preprocessing])), samples=scan.slices)
    values, line = scan.volume(shape, preprocessing.window)
    middle = np.asarray(on_white(scan.picture(0)[0]).convert("RGB")).copy()
    return Input(torch.from_numpy(values)[None], middle, name, line, kind="volume")


def preprocess_picture(image: Image.Image, preprocessing: Preprocessing) -> tuple[np.ndarray, np.ndarray]:
    """Returns the network's values (C, H, W) float32, and what it sees: (H, W, 3) uint8 sRGB, top row first.

    image: mode L, RGB, RGBA or F.
    """
    image = window_grey(image, preprocessing.window) if preprocessing.window else image
    keeps = preprocessing.channels == 4 or image.mode == "F"
    fitted = fit_picture(image if keeps else on_white(image), preprocessing)
    return normalise(fitted, preprocessing), np.asarray(on_white(fitted).convert("RGB")).copy()


def _sizes(values: np.ndarray | torch.Tensor) -> str:
    return "×".join(map(str, values.shape))


def _draw_noise(text: str, shape: Sequence[int], tokens: int) -> np.ndarray:
    """Returns the values of "noise:SEED" or "noise:SEED:64x1x1": standard normal float32, or int64 tokens."""
    _, seed, *rest = text.split(":")
    sizes = rest[0].split("x") if rest else list(map(str, shape))
    are_numbers = all(part.isdecimal() and len(part) <= MAX_DIGITS for part in (seed, *sizes))
    if not are_numbers or len(rest) > 1 or not all(map(int, sizes)):
        raise InputError(f"{text[:60]}: write noise:SEED or noise:SEED:3x224x224, with whole numbers")
    if not sizes:
        raise InputError(f"{text}: the shape of the network's input isn't known; write it, such as {text}:3x224x224")
    counts = tuple(map(int, sizes))
    if math.prod(counts) > MAX_NOISE:
        raise InputError(f"{text[:60]}: noise has at most {MAX_NOISE:,} numbers; make it smaller")
    if tokens:
        return np.random.default_rng(int(seed)).integers(0, tokens, counts)
    return standard_noise(int(seed), counts)


def standard_noise(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the values of the input "noise:SEED": (*shape) float32, standard normal."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _as_picture(tensor: torch.Tensor, rank: int, preprocessing: Preprocessing) -> Image.Image | None:
    """The picture that an array is, if any: (H, W[, 1|3|4]) uint8, and (H, W) with stated levels or of 16 bits."""
    import torch

    if tensor.dtype == torch.uint8 and (tensor.ndim == 2 or (tensor.ndim == 3 and tensor.shape[2] in (1, 3, 4))):
        return to_image(tensor.numpy())
    if tensor.ndim == 2 and tensor.dtype == torch.uint16 and (rank == PICTURE_RANK or preprocessing.window):
        return deep_grey(tensor.numpy(), (0, 2**16 - 1), "16-bit grey")
    if tensor.ndim == 2 and preprocessing.window:
        return deep_grey(tensor.to(torch.float64).numpy(), preprocessing.window, "grey of numbers")
    return None


def _tensor_input(tensor: torch.Tensor, title: str, preprocessing: Preprocessing, rank: int, index: int) -> Input:
    """Takes the values as they are, with the axes that one sample lacks; of a batch, one sample.

    rank: of the network's input with its batch, 0 if it isn't known; then there is no batch to choose from.
    """
    batch = tensor
    if rank and 0 < tensor.ndim < rank:
        missing = rank - tensor.ndim
        is_plane = rank == PICTURE_RANK and tensor.ndim == 2
        batch = tensor[(None,) * missing] if missing == 1 or is_plane else tensor
    has_batch = 0 < rank <= batch.ndim
    count = len(batch) if has_batch else 1
    index = index if count > 1 else 0
    if not 0 <= index < count:
        raise InputError(f"array {title}: {count} samples, there is no index {index}")
    values = batch[index : index + 1] if has_batch else batch
    sample = values[0] if values.ndim > 1 and len(values) == 1 else values
    line = f"values as in the file, {_sizes(sample) or 'one'} {str(values.dtype).removeprefix('torch.')}"
    drawn = draw_sample(np.atleast_1d(drawn_part(sample, preprocessing.channels).double().numpy()), preprocessing)
    return Input(values, drawn, title, line, count)


def to_image(pixels: np.ndarray) -> Image.Image:
    """Returns (H, W) or (H, W, 1|3|4) uint8 sRGB, top row first, as a Pillow image."""
    return Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
