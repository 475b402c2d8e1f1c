"""Which parts go together: the ways in which others have made such pictures, and ours."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ..inputs.pixels import Pixels
from .parametrisations import ParametrisationName
from .regularisers import Regulariser, YosinskiRegulariser, deepvisionvr, alternate, sphere, within
from .transforms import RandomAffine

PresetName = Literal["quick", "fourier2017", "deepvisionvr", "yosinski2015", "simonyan2013", "erhan2009"]
RegulariserFactory = Callable[[Pixels, Tensor], Regulariser | None]
"""From what pixels are to the network, and the input that is looked at (1, C, H, W), to a rule."""


def _none(pixels: Pixels, picture: Tensor) -> Regulariser | None:
    return None


@dataclass(frozen=True)
class Preset:
    """One way to climb."""

    image: ParametrisationName
    steps: int
    rate: float
    """adam: in numbers of the picture. unit: root mean square over them, or the norm of the step where `norm`."""
    climb: Literal["adam", "unit"] = "unit"
    """Adam's way, or along each picture's gradient, whatever its size."""
    norm: bool = False
    last: float = 1.0
    """Share of the rate that the last step has; it falls evenly."""
    start: Literal["noise", "zeros"] = "noise"
    noise: float = 1.0
    """Standard deviation of the start, in numbers of the picture."""
    moves: RandomAffine | None = None
    before: RegulariserFactory = _none
    """Makes the rule before a step."""
    after: RegulariserFactory = _none
    """Makes the rule after a step, but the last."""
    closing: bool = False
    """Whether that rule holds after the last step, too."""
    bare: float = 0.0
    """Share of all steps, the last ones, that have neither moves nor the rule before."""
    penalty: float = 0.0
    """What the squared norm of the numbers takes off the objective."""
    samples: int = 1
    """Pictures that belong together."""
    shared: bool = False
    """Whether all pictures meet the same chances."""
    shown: Literal["cut", "stretched", "around"] = "cut"
    """How pictures are shown that go beyond black and white: cut there, from their own darkest to their own brightest,
    or around grey for the mean, as far as it goes, as kernels are."""


def _erhan(pixels: Pixels, picture: Tensor) -> Regulariser:
    """The norm is that of the input that is looked at, or 1 a number where that is 0 everywhere."""
    return sphere(float(picture.float().norm()) or math.sqrt(picture.numel()))


def _valid(pixels: Pixels, picture: Tensor) -> Regulariser:
    return within(-pixels.mean, 1 - pixels.mean)


YOSINSKI_SETS = (
    YosinskiRegulariser(0.0, 0.5, 4, 50, 0), YosinskiRegulariser(0.3, 0.0, 0, 20, 0), YosinskiRegulariser(0.0001, 1.0, 4, 0, 0),
    YosinskiRegulariser(0.0, 0.5, 4, 0, 90),
)  # fmt: skip
"""They are shown together."""

PRESETS: dict[str, Preset] = {
    "quick": Preset("waves", 48, 0.15, "adam", last=1 / 3, noise=0.01, moves=RandomAffine(), bare=1 / 3),
    "fourier2017": Preset("waves", 512, 0.05, "adam", noise=0.01, moves=RandomAffine()),
    "deepvisionvr": Preset(
        "network", 200, 20.0, norm=True, before=lambda pixels, picture: deepvisionvr, bare=0.05, shared=True,
        shown="stretched",
    ),
    "yosinski2015": Preset(
        "brightness", 500, 0.03, noise=10 / 255, before=_valid, after=lambda pixels, picture: alternate(YOSINSKI_SETS), samples=4,
        shown="around",
    ),
    "simonyan2013": Preset("network", 200, 0.02, start="zeros", penalty=1e-4),
    "erhan2009": Preset("network", 60, 0.2, before=_erhan, after=_erhan, closing=True, shown="around"),
}  # fmt: skip
"""By name; quick is ours: larger and fewer steps, the last of them without moves. See reference of each in its rule."""
