"""Contribution: which channels a class's score comes from, how much each gives and where, and by which way.

Zhou et al. 2018, "Interpretable Basis Decomposition for Visual Explanation", and 2015, "Object Detectors Emerge in Deep
Scene CNNs": a class by its units. Scores are taken before the softmax, if the network leaves it to others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..method_support.ablation_scores import ablate_channels
from ..method_support.input_attribution import OF_CLASS
from ..method_support.linear_shares import compute_linear_shares
from ..method_support.method import Method, Step, MethodContext, parameter
from ..method_support.score_paths import SCORE, ScorePaths, ScoreShare, strongest_links, direct_sources
from ..predictions.classes import PREDICTED
from ..recording import Maps, pack
from ..recording.errors import ModelError

Rows = list[tuple[int, int, float]]
"""(channel, channel of the layer that is led to, what is carried)"""


@dataclass(frozen=True)
class Parameters:
    """Of what, and how it is found out."""

    of_class: int = parameter(PREDICTED, OF_CLASS, PREDICTED, 1_000_000)
    how: Literal["gradient", "weights", "ablation"] = parameter(
        "gradient",
        "gradient x activation; exact weights x mean, where maps are averaged; or what is lost without the channel",
    )
    fill: Literal["zero", "mean"] = parameter("zero", "What an ablated channel becomes; its mean is that over the data")
    top: int = parameter(8, "Strongest channels of each layer that are linked with those of the next", 0, 64)


def contribution(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """From the answer back, layer by layer. Raises InputError and ModelError where a network can't be asked so."""
    yield Step(0.0, "running the network")
    paths = ScorePaths(work, parameters.of_class)
    yield Step(0.0, paths.told)
    given = yield from _shares(work, paths, parameters)
    shares = {id: share.only(work.chosen(id)) for id, share in given.items()}
    tops = {id: _top(share.values, parameters.top) for id, share in shares.items()}
    sources, found = direct_sources(work.network, shares), defaultdict[str, dict[str, Rows]](dict)
    for number, id in enumerate([SCORE, *_backwards(work, shares)]):
        maps = () if id == SCORE else (_maps(work, id, shares[id], found[id]),)
        yield Step(number / len(shares), f"{paths.told}: {id}" if id else paths.told, maps)
        for source, rows in strongest_links(paths, sources, tops, id).items() if parameters.top and paths.slope() else ():
            leads_to = id or _answer(work, paths, source)
            if rows and leads_to:
                found[source][leads_to] = rows


def _shares(work: MethodContext, paths: ScorePaths, parameters: Parameters) -> Generator[Step, None, dict[str, ScoreShare]]:
    if parameters.how == "weights":
        return compute_linear_shares(work, paths.of.index)
    if parameters.how == "gradient":
        if not paths.slope():
            raise ModelError(NO_GRADIENT)
        return {id: paths.share(id) for id in work.layers}
    shares: dict[str, ScoreShare] = {}

    def keep(id: str, share: ScoreShare) -> Maps:
        shares[id] = share
        return _maps(work, id, share, {})

    yield from ablate_channels(work, paths, _backwards(work, work.layers), parameters.fill == "mean", keep)
    return shares


def _backwards(work: MethodContext, layers: Container[str]) -> list[str]:
    """The last first."""
    return [one.id for one in reversed(work.network.layers) if one.id in layers]


def _top(values: np.ndarray, count: int) -> list[int]:
    """The channels that give the most, or take the most away, in order of their numbers."""
    order = np.argsort(-np.abs(values), kind="stable")[:count]
    return sorted(int(one) for one in order if values[one])


def _answer(work: MethodContext, paths: ScorePaths, source: str) -> str:
    """The layer that stands for the score; none where the channels of the layer before are the classes themselves."""
    classes = work.network.layer(source).map_shape[0] == paths.classes
    return "" if classes else next((one.id for one in work.network.layers if one.role == "output"), "")


def _maps(work: MethodContext, id: str, share: ScoreShare, found: Mapping[str, Rows]) -> Maps:
    """A layer's channels; those that aren't asked about have no words."""
    asked, values = work.chosen(id), share.values
    labels = tuple(f"{value:+.3g}" if number in asked else "" for number, value in enumerate(values))
    extras = {f"weights:{target}": np.array(rows, np.float32) for target, rows in found.items()} | {"values": values}
    return Maps(id, CONTRIBUTION.name, pack(share.maps), len(values), labels=labels, extras=extras)


NO_GRADIENT = (
    "the network's answer has no gradient: it detaches, rounds or converts its values; how=ablation needs none"
)
CONTRIBUTION = Method(
    "contribution", "Contribution to a class", "How much of a class's score comes from each channel, and by which way.",
    contribution, Parameters,
)  # fmt: skip
