"""Presets: combinations of parametrisation, optimiser, transform and regularisers, from papers and our own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ..inputs.pixels import Pixels
from .parametrisations import ParametrisationName
from .regularisers import Regulariser, YosinskiRegulariser, alternate, deepvisionvr, sphere, within
from .transforms import RandomAffine

PresetName = Literal["quick", "fourier2017", "deepvisionvr", "yosinski2015", "simonyan2013", "erhan2009"]
RegulariserFactory = Callable[[Pixels, Tensor], Regulariser | None]
"""Makes a regulariser from the network's pixel format and the current input (1, C, H, W), normalised."""


def _none(pixels: Pixels, picture: Tensor) -> Regulariser | None:
    return None


@dataclass(frozen=True)
class Preset:
    """One recipe of activation maximisation. "Parameters" are the numbers of the parametrisation."""

    image: ParametrisationName
    steps: int
    rate: float
    """Step size. adam: in parameters. unit: root mean square over parameters, or the step's norm if `rate_is_norm`."""
    optimiser: Literal["adam", "unit"] = "unit"
    """Adam, or steps of fixed length along each picture's gradient."""
    rate_is_norm: bool = False
    last_rate_share: float = 1.0
    """Rate of the last step as a share of the first; it falls linearly."""
    start: Literal["noise", "zeros"] = "noise"
    noise: float = 1.0
    """Standard deviation of the start noise, in parameters."""
    transform: RandomAffine | None = None
    before: RegulariserFactory = _none
    """Makes the regulariser before each step."""
    after: RegulariserFactory = _none
    """Makes the regulariser after each step except the last."""
    after_last_step: bool = False
    """Whether that one also applies after the last step."""
    plain_share: float = 0.0
    """Share of the steps, at the end, without transform and without the regulariser before."""
    penalty: float = 0.0
    """Weight of the parameters' squared norm, which is subtracted from the objective."""
    samples: int = 1
    """Pictures that are shown together."""
    shared_random: bool = False
    """Whether all pictures get the same random numbers."""
    shown: Literal["cut", "stretched", "around"] = "cut"
    """How values beyond black and white are shown: clipped; stretched from each picture's minimum to its maximum; or
    with the mean as grey and the largest deviation as black or white, as for kernels."""


def _erhan(pixels: Pixels, picture: Tensor) -> Regulariser:
    """Keeps the norm of the current input, or, if that is 0, a root mean square of 1."""
    return sphere(float(picture.float().norm()) or math.sqrt(picture.numel()))


def _valid_pixels(pixels: Pixels, picture: Tensor) -> Regulariser:
    return within(-pixels.mean, 1 - pixels.mean)


YOSINSKI_SETS = (
    YosinskiRegulariser(0.0, 0.5, 4, 50, 0),
    YosinskiRegulariser(0.3, 0.0, 0, 20, 0),
    YosinskiRegulariser(0.0001, 1.0, 4, 0, 0),
    YosinskiRegulariser(0.0, 0.5, 4, 0, 90),
)
"""The four sets of Yosinski et al. 2015, which are shown together."""

MARGIN = 12
"""Pixels by which lucid's pictures are larger than the input: 24 of padding, less 8 and 4 that its shifts cut off.
Without them the edges of a picture are hardly ever seen whole and stay flat."""

PRESETS: dict[str, Preset] = {
    "quick": Preset(
        "fourier", 96, 0.14, "adam", last_rate_share=0.2, noise=0.01, transform=RandomAffine(margin=MARGIN),
        plain_share=0.1,
    ),
    "fourier2017": Preset("fourier", 512, 0.05, "adam", noise=0.01, transform=RandomAffine(margin=MARGIN)),
    "deepvisionvr": Preset(
        "network", 200, 20.0, rate_is_norm=True, before=lambda pixels, picture: deepvisionvr, plain_share=0.05,
        shared_random=True, shown="stretched",
    ),
    "yosinski2015": Preset(
        "brightness", 500, 0.03, noise=10 / 255, before=_valid_pixels,
        after=lambda pixels, picture: alternate(YOSINSKI_SETS), samples=4, shown="around",
    ),
    "simonyan2013": Preset("network", 200, 0.02, start="zeros", penalty=1e-4),
    "erhan2009": Preset(
        "network", 60, 0.2, before=_erhan, after=_erhan, after_last_step=True, shown="around",
    ),
}  # fmt: skip
"""By name. "quick" is ours: fewer and larger steps, the last tenth untransformed. "fourier2017": Olah et al. 2017;
"deepvisionvr": Linse et al. 2022; the others are named after their papers, see their regularisers."""
