"""Integrated gradients: what each pixel adds to a class's score or a channel on the way from a picture without content.

(x - x') · 1/m sum_k dS/dx at x' + (k - ½)/m (x - x'), summed over colours; x' is the baseline. The sum over pixels
approaches S(x) - S(x') as the number of steps m grows (completeness).
Sundararajan, Taly and Yan 2017, "Axiomatic Attribution for Deep Networks".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ..attribution.baselines import BASELINE_HELP, Baseline, baseline_picture
from ..attribution.explained_values import EXPLAINED_HELP, Explained, ExplainedValues
from ..attribution.mean_gradients import GradientMean, attribute_means
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import Method, MethodContext, Step, parameter
from ..predictions.classes import PREDICTED

TOLERANCE = 0.1
"""Share of the difference that may be missing before a note says so."""


@dataclass(frozen=True)
class Parameters:
    """What is explained, and the way to it."""

    of: Explained = parameter("class", EXPLAINED_HELP)
    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    baseline: Baseline = parameter("grey", BASELINE_HELP)
    steps: int = parameter(32, "Pictures between the baseline and the input", 1, 10_000)


def integrated_gradients(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Computes gradients at some pictures of the way at a time.

    Maps: (1, H, W) for a class, (C, H, W) for channels, signed, in units of the score or channel, over the input. The
    label of a class tells which share of S(x) - S(x') the map adds up to. Raises InputError and ModelError.
    """
    picture, baseline = context.picture.detach()[:1], baseline_picture(context, parameters.baseline)
    method = GradientMean(
        INTEGRATED_GRADIENTS.name,
        parameters.steps,
        lambda k: baseline + (k + 0.5) / parameters.steps * (picture - baseline),
        lambda means: (means * (picture - baseline).float()).sum(1),
        lambda explained, sums: _completeness(explained, sums, torch.cat([picture, baseline])),
    )
    yield from attribute_means(context, method, parameters.of, parameters.of_class)


def _completeness(explained: ExplainedValues, sums: list[float], ends: torch.Tensor) -> tuple[str, str]:
    """Compares the sums of maps with the differences between both ends, (2, C, H, W); returns label and note."""
    with torch.no_grad():
        after, before = (explained(end[None])[0].double() for end in ends)
    differences = (after - before).tolist()
    shares = [total / difference for total, difference in zip(sums, differences, strict=False) if difference]
    text = f", {shares[0]:.0%} of {differences[0]:.3g}" if shares else ""
    worst = max(shares, key=lambda share: abs(share - 1), default=1.0)
    is_close = abs(worst - 1) <= TOLERANCE
    return text, "" if is_close else f"adds up to {worst:.0%} of the difference; more steps come closer"


INTEGRATED_GRADIENTS = Method(
    "integrated_gradients",
    "Integrated gradients",
    "What each pixel adds to a class's score or a channel, compared with a picture without content.",
    integrated_gradients,
    Parameters,
    repeats="channel unless class",
)
