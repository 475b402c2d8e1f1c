"""From a picture to what a network takes, by numbers whose origin is told.

Each number comes from the first that states it: the person, the weights file's metadata, torchvision's transforms, the
network's first layer, a default. Resizing is Pillow's, as in torchvision's transforms, and gives the same bits.
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
SMALL = 96
"""Networks for smaller pictures take them whole: there is nothing to cut away."""
MAX_SIDE = 8192
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}
INTERPOLATIONS = {one.name.lower(): one for one in Image.Resampling}

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes an input. Values are (v / 255 - mean) / std in sRGB, channel by channel."""

    size: tuple[int, int] | None = None
    """(height, width) in pixels; None keeps the picture's own shape."""
    short: int | None = None
    """Where size is None: the shorter side becomes this long; None keeps the picture as it is."""
    crop: float = 1.0
    """Share of the picture's middle that is kept."""
    stretch: bool = False
    """Scale both sides by themselves, so that nothing but the crop is lost; else by one factor, and ends are cut."""
    channels: int = 3
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    interpolation: str = "bilinear"
    origins: tuple[tuple[str, str], ...] = ()
    """(what, who said it)."""

    def sentence(self) -> str:
        """What was done, for a person."""
        said: dict[str, list[str]] = {}
        for what, who in self.origins:
            said.setdefault(who, []).append(what)
        sources = "; ".join(f"{', '.join(whats)}: {who}" for who, whats in said.items())
        return f"{COLOURS[self.channels]}, {self._fitting()}, mean {_numbers(self.mean)}, std {_numbers(self.std)}" + (
            f" ({sources})" if sources else ""
        )

    def _fitting(self) -> str:
        if self.size is None:
            return f"short side to {self.short} px ({self.interpolation})" if self.short else "as large as it is"
        height, width = self.cover()
        how = "stretched to" if self.stretch else "scaled to cover"
        return f"{how} {height}×{width} ({self.interpolation}), its middle {self.size[0]}×{self.size[1]}"

    def cover(self) -> tuple[int, int]:
        """(height, width) that the picture is scaled to cover before its middle of `size` is cut out."""
        height, width = self.size or (1, 1)
        return round(height / self.crop), round(width / self.crop)


def _numbers(values: Sequence[float]) -> str:
    shown = values[:1] if len(set(values)) == 1 else values
    return " ".join(f"{value:g}" for value in shown)


def resolve_preprocessing(stated: Sequence[tuple[str, Facts]]) -> Preprocessing:
    """The preprocessing that `stated`, (who, facts) with the strongest first, comes to. Raises InputError.

    Facts are the fields of Preprocessing by name; what nobody states is a default.
    """
    said = {key: (value, who) for who, facts in reversed(stated) for key, value in facts.items()}
    size = said.get("size", (None, ""))[0]
    channels = said.get("channels", (3, ""))[0]
    usual: dict[str, Any] = {
        "crop": 1.0 if size is None or min(size) < SMALL else USUAL_CROP,
        "interpolation": "bilinear",
    }
    usual |= {"channels": 3, "size": None, "short": None, "stretch": False} | (IMAGENET if channels == 3 else UNCHANGED)
    facts = {key: said.get(key, (value, "default")) for key, value in usual.items()}
    short = said.get("short", (None, ""))[0]
    idle = {"short"} if size else {"crop"} if short else {"crop", "interpolation"}
    told = tuple((key, who) for key, (value, who) in facts.items() if value not in (None, False) and key not in idle)
    chosen = Preprocessing(**{key: value for key, (value, _) in facts.items()}, origins=told)
    _check(chosen)
    return chosen


def _check(chosen: Preprocessing) -> None:
    if chosen.channels not in MODES:
        raise InputError(f"pictures have 1, 3 or 4 channels, the network takes {chosen.channels}: give it a .npy file")
    for what, values in (("mean", chosen.mean), ("std", chosen.std)):
        if len(values) not in (1, chosen.channels) or not all(map(math.isfinite, values)):
            raise InputError(f"{what} {_numbers(values)}: 1 or {chosen.channels} finite numbers are needed")
    if min(chosen.std) <= 0:
        raise InputError(f"std {_numbers(chosen.std)}: must be above 0")
    if chosen.size and not all(1 <= side <= MAX_SIDE for side in chosen.size):
        raise InputError(f"size {chosen.size[0]}×{chosen.size[1]}: 1 to {MAX_SIDE} pixels a side")
    if not 0 < chosen.crop <= 1:
        raise InputError(f"crop {chosen.crop:g}: a share above 0, up to 1")
    if chosen.interpolation not in INTERPOLATIONS:
        raise InputError(f"interpolation {chosen.interpolation}: one of {', '.join(INTERPOLATIONS)}")


def torchvision_facts(preset: Any) -> Facts:
    """What torchvision's transforms for some weights say, as facts; empty where they aren't for pictures."""
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


def fit_picture(image: Image.Image, how: Preprocessing) -> Image.Image:
    """Resize, cut and convert a picture: what the network sees, in its own number of channels."""
    image = image if image.mode == MODES[how.channels] else image.convert(MODES[how.channels])
    width, height = image.size
    if how.size is None:
        scale = how.short / min(width, height) if how.short else 1.0
        return _resized(image, scale, (1, 1), how)
    goal = how.cover()
    if how.stretch:
        image = image.resize(goal[::-1], INTERPOLATIONS[how.interpolation])
    else:
        image = _resized(image, max(goal[0] / height, goal[1] / width), goal, how)
    left, top = round((image.width - how.size[1]) / 2.0), round((image.height - how.size[0]) / 2.0)
    return image.crop((left, top, left + how.size[1], top + how.size[0]))


def _resized(image: Image.Image, scale: float, least: tuple[int, int], how: Preprocessing) -> Image.Image:
    """Scale a picture, rounding down as torchvision does; `least` (height, width) guards against a pixel too few."""
    width, height = max(least[1], int(image.width * scale)), max(least[0], int(image.height * scale))
    if (width, height) == image.size:
        return image
    return image.resize((width, height), INTERPOLATIONS[how.interpolation])


def normalise(image: Image.Image, how: Preprocessing) -> np.ndarray:
    """A fitted picture -> (C, H, W) float32, the network's own units."""
    values = np.asarray(image, np.float32).reshape(image.height, image.width, how.channels) / np.float32(255)
    mean, std = np.asarray(how.mean, np.float32), np.asarray(how.std, np.float32)
    return ((values - mean) / std).transpose(2, 0, 1).copy()


def denormalise(values: np.ndarray, how: Preprocessing) -> np.ndarray:
    """The inverse of `normalise`, for pictures that were never files: (C, H, W) -> (C, H, W) float32, 0..1."""
    mean, std = (np.asarray(one, np.float32).reshape(-1, 1, 1) for one in (how.mean, how.std))
    return np.clip(values * std + mean, 0, 1)
