"""Pictures without content, which an attribution compares the input with."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..method_support.method import MethodContext
from ..method_support.occluding_patches import fill_picture

Baseline = Literal["grey", "black", "blur"]
"""The data's mean colour, black, or the blurred picture."""
BASELINE_HELP = "Picture without content: the data's mean grey, black, or the blurred input"
BLUR = 1 / 16
"""Standard deviation of the blur as a share of the picture's sides."""


def baseline_picture(context: MethodContext, kind: Baseline) -> Tensor:
    """Returns the baseline of the current picture, (1, C, H, W) normalised."""
    picture, how = context.picture.detach()[:1], context.preprocessing
    if kind == "black":
        mean, std = (torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1) for values in (how.mean, how.std))
        return (-mean / std).to(picture).expand_as(picture)
    return fill_picture(picture, kind, 0.0, how, [BLUR * side for side in picture.shape[2:]], 0)
