"""Preprocessing: turns a picture into a network's input, and records where each number came from.

Each number is taken from the first source that states it: the user, the weights file's metadata, torchvision's
transforms, the network's first layer, a default. Resizing is Pillow's, as in torchvision's transforms, and gives the
same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..recording.errors import InputError

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
UNCHANGED = {"mean": (0.0,), "std": (1.0,)}
USUAL_CROP = 0.875
"""Fraction of each side that is kept by default."""
MIN_CROPPED_SIDE = 96
"""Pixels; inputs with a smaller side are not cropped by default."""
MAX_SIDE = 8192
"""Pixels a side of the largest input."""
MAX_NUMBER = 1e6
"""Largest mean or deviation, and inverse of the smallest deviation: others would leave float32."""
MAX_SCALED_PIXELS = MAX_SIDE * MAX_SIDE
"""Most pixels of a picture that is scaled before it is cropped: a thin one becomes very long."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's modes by number of channels."""
COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}
INTERPOLATIONS = {resampling.name.lower(): resampling for resampling in Image.Resampling}

Facts = Mapping[str, Any]
"""Fields of Preprocessing by name."""


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes an input. Input values are (v / 255 - mean) / std of sRGB values v, by channel."""

    size: tuple[int, int] | None = None
    """(height, width) of the input in pixels; None keeps the picture's aspect ratio."""
    short: int | None = None
    """If size is None: pixels of the input's shorter side; None keeps the picture's size."""
    crop: float = 1.0
    """Fraction of each side that is kept, around the centre."""
    stretch: bool = False
    """Whether both sides are scaled independently; otherwise by one factor, and the longer side is cut."""
    channels: int = 3
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    interpolation: str = "bilinear"
    window: tuple[float, float] | None = None
    """Levels of a grey picture that are black and white; None for its full range."""
    origins: tuple[tuple[str, str], ...] = ()
    """Pairs (field, source that states it)."""

    def describe(self) -> str:
        """Returns one line on the preprocessing and where its numbers came from, for people."""
        by_source: dict[str, list[str]] = {}
        for name, source in self.origins:
            by_source.setdefault(source, []).append(name)
        sources = "; ".join(f"{', '.join(names)}: {source}" for source, names in by_source.items())
        return (
            f"{COLOURS[self.channels]}, {self._describe_fit()}, mean {_numbers(self.mean)}, std {_numbers(self.std)}"
            + (f" ({sources})" if sources else "")
        )

    def _describe_fit(self) -> str:
        if self.size is None:
            return f"short side to {self.short} px ({self.interpolation})" if self.short else "original size"
        height, width = self.scaled_size()
        scaling = "stretched to" if self.stretch else "scaled to cover"
        return f"{scaling} {height}×{width} ({self.interpolation}), centre crop {self.size[0]}×{self.size[1]}"

    def scaled_size(self) -> tuple[int, int]:
        """Returns (height, width) in pixels that the picture is scaled to cover before its centre is cut out."""
        height, width = self.size or (1, 1)
        return round(height / self.crop), round(width / self.crop)


def _numbers(values: Sequence[float]) -> str:
    shown = values[:1] if len(set(values)) == 1 else values
    return " ".join(f"{value:g}" for value in shown)


def resolve_preprocessing(stated: Sequence[tuple[str, Facts]]) -> Preprocessing:
    """Merges facts from (source, facts) pairs, the strongest source first; fields that none states get defaults.

    Raises InputError.
    """
    known = {key: (value, source) for source, facts in reversed(stated) for key, value in facts.items()}
    size = known.get("size", (None, ""))[0]
    short = known.get("short", (None, ""))[0]
    facts = {key: known.get(key, (value, "default")) for key, value in _defaults(known, size).items()}
    unused = {"short"} if size else {"crop"} if short else {"crop", "interpolation"}
    origins = tuple(
        (key, source) for key, (value, source) in facts.items() if value not in (None, False) and key not in unused
    )
    preprocessing = Preprocessing(**{key: value for key, (value, _) in facts.items()}, origins=origins)
    _check(preprocessing)
    return preprocessing


def _defaults(known: Mapping[str, tuple[Any, str]], size: tuple[int, int] | None) -> dict[str, Any]:
    channels = known.get("channels", (3, ""))[0]
    return {
        "crop": 1.0 if size is None or min(size) < MIN_CROPPED_SIDE else USUAL_CROP,
        "interpolation": "bilinear",
        "channels": 3,
        "size": None,
        "short": None,
        "stretch": False,
        "window": None,
        **(IMAGENET if channels == 3 else UNCHANGED),
    }


def _check(preprocessing: Preprocessing) -> None:
    channels, size = preprocessing.channels, preprocessing.size
    if channels not in MODES:
        raise InputError(f"pictures have 1, 3 or 4 channels, the network takes {_shown(channels)}: give it a .npy file")
    for name, values in (("mean", preprocessing.mean), ("std", preprocessing.std)):
        if len(values) not in (1, channels) or not all(abs(value) <= MAX_NUMBER for value in values):
            raise InputError(f"{name} {_shown(values)}: 1 or {channels} numbers of at most {MAX_NUMBER:g} are needed")
    if min(preprocessing.std) < 1 / MAX_NUMBER:
        raise InputError(f"std {_shown(preprocessing.std)}: must be above 0, at least {1 / MAX_NUMBER:g}")
    if size and not all(1 <= side <= MAX_SIDE for side in size):
        raise InputError(f"size {_shown(size[0])}×{_shown(size[1])}: each side must be 1 to {MAX_SIDE} pixels")
    window = preprocessing.window
    if window and not (math.isfinite(window[1] - window[0]) and window[0] < window[1]):
        raise InputError(f"window {_shown(window[0])}:{_shown(window[1])}: two numbers are needed, the lower one first")
    if not 0 < preprocessing.crop <= 1:
        raise InputError(f"crop {_shown(preprocessing.crop)}: must be above 0 and at most 1")
    if size and math.prod(size) > MAX_SCALED_PIXELS * preprocessing.crop**2:
        raise InputError(
            f"crop {_shown(preprocessing.crop)}: too small, a picture would have to be enlarged enormously first"
        )
    if preprocessing.interpolation not in INTERPOLATIONS:
        raise InputError(f"interpolation {preprocessing.interpolation}: must be one of {', '.join(INTERPOLATIONS)}")


def _shown(value: object) -> str:
    """The start of a value that may be of any length."""
    return str(value)[:60]


def torchvision_facts(preset: Any) -> Facts:
    """Returns the facts of torchvision's transforms for some weights; empty if they aren't for pictures."""
    transforms = preset.transforms()
    facts: dict[str, Any] = {}
    if hasattr(transforms, "mean") and hasattr(transforms, "resize_size"):
        resize, crop = transforms.resize_size, getattr(transforms, "crop_size", None)
        facts = {"mean": tuple(transforms.mean), "std": tuple(transforms.std)}
        facts["interpolation"] = transforms.interpolation.value
        if crop:
            side = (crop[0], crop[-1])
            facts |= {"size": side, "crop": min(1.0, crop[0] / resize[0])}
        else:
            facts |= {"size": None, "short": resize[0], "crop": 1.0}
    elif type(transforms).__name__ == "ObjectDetection":
        facts = {"size": None, "short": None, "crop": 1.0, **UNCHANGED}
    elif type(transforms).__name__ == "OpticalFlow":
        facts = {"mean": (0.5,), "std": (0.5,)}
    return facts


def fit_picture(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """Resizes, crops and converts a picture to the size and number of channels that the network takes.

    A deep grey, of mode F, stays one.
    """
    if image.mode not in ("F", MODES[preprocessing.channels]):
        image = image.convert(MODES[preprocessing.channels])
    width, height = image.size
    if preprocessing.size is None:
        scale = preprocessing.short / min(width, height) if preprocessing.short else 1.0
        return _resize(image, scale, (1, 1), preprocessing)
    scaled = preprocessing.scaled_size()
    if preprocessing.stretch:
        image = image.resize(scaled[::-1], INTERPOLATIONS[preprocessing.interpolation])
    else:
        image = _resize(image, max(scaled[0] / height, scaled[1] / width), scaled, preprocessing)
    left, top = round((image.width - preprocessing.size[1]) / 2.0), round((image.height - preprocessing.size[0]) / 2.0)
    return image.crop((left, top, left + preprocessing.size[1], top + preprocessing.size[0]))


def _resize(image: Image.Image, scale: float, minimum: tuple[int, int], preprocessing: Preprocessing) -> Image.Image:
    """Scales a picture, rounding down as torchvision does, to at least `minimum` (height, width) in pixels."""
    width, height = max(minimum[1], int(image.width * scale)), max(minimum[0], int(image.height * scale))
    if (width, height) == image.size:
        return image
    if width * height > MAX_SCALED_PIXELS:
        sizes = f"{image.width} × {image.height} pixels would become {width} × {height}"
        raise InputError(f"a picture of {sizes}; crop it, or stretch it to the network's size")
    return image.resize((width, height), INTERPOLATIONS[preprocessing.interpolation])


def normalise(image: Image.Image, preprocessing: Preprocessing) -> np.ndarray:
    """Converts a fitted picture to the network's values (C, H, W) float32, top row first."""
    if image.mode == "F":
        grey = np.clip(np.asarray(image), 0, 255)[:, :, None]  # filters overshoot
        opaque = np.full_like(grey, 255)
        values = np.concatenate([*[grey] * min(preprocessing.channels, 3), opaque], 2)[:, :, : preprocessing.channels]
    else:
        values = np.asarray(image, np.float32).reshape(image.height, image.width, preprocessing.channels)
    values = values / np.float32(255)
    mean, std = np.asarray(preprocessing.mean, np.float32), np.asarray(preprocessing.std, np.float32)
    return ((values - mean) / std).transpose(2, 0, 1).copy()


def denormalise(values: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Inverts `normalise`: converts the network's values (C, H, W) to brightness (C, H, W) float32 sRGB 0..1."""
    mean, std = (np.asarray(v, np.float32).reshape(-1, 1, 1) for v in (preprocessing.mean, preprocessing.std))
    return np.clip(values * std + mean, 0, 1)
