"""Contribution: how much of a class's score S_c comes from each channel, from which positions, and by which path.

By gradient x activation a channel's share is sum_yx A_k dS_c/dA_k; by weights it is w_kc mean(A_k), exact where maps
are averaged before a linear layer; by ablation it is S_c minus the score without the channel. S_c is taken before the
softmax, also if the network itself ends with one.
Zhou et al. 2018, "Interpretable Basis Decomposition for Visual Explanation"; Zhou et al. 2015, "Object Detectors Emerge
in Deep Scene CNNs".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..method_support.ablation_scores import ablate_channels
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.linear_shares import compute_linear_shares
from ..method_support.method import Method, MethodContext, Step, independence_note, parameter
from ..method_support.score_paths import SCORE, ScorePaths, ScoreShare, direct_sources, strongest_links
from ..predictions.classes import PREDICTED
from ..recording import Maps, pack
from ..recording.errors import ModelError

Links = list[tuple[int, int, float]]
"""(channel, channel of the next layer, contribution)"""


@dataclass(frozen=True)
class Parameters:
    """The class, and how shares are computed."""

    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    how: Literal["gradient", "weights", "ablation"] = parameter(
        "gradient",
        "How shares are computed: gradient x activation; weight x mean, exact where maps are averaged; or the loss of "
        "score when the channel is ablated",
    )
    fill: Literal["zero", "mean"] = parameter(
        "zero", "What replaces an ablated channel: zero, or its mean over the data set"
    )
    top: int = parameter(8, "Strongest channels of each layer that are linked with those of the next", 0, 64)


def contribution(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Computes the shares, then goes back from the answer layer by layer and links the strongest channels.

    Maps: (C, H, W) in units of the score, a channel's share by position; of a layer that works on
    windows or frames, the part in the chosen one. Extras: "values" (C,) float32, the shares;
    "weights:LAYER" (n, 3) float32, links to that layer: channel, its channel, contribution. Raises InputError and
    ModelError if the network doesn't allow it.
    """
    yield Step(0.0, "running the network")
    paths = ScorePaths(context, parameters.of_class)
    yield Step(0.0, paths.message)
    computed = yield from _compute_shares(context, paths, parameters)
    shares = {id: share.only(context.selected_channels(id)) for id, share in computed.items()}
    tops = {id: _top_channels(share.values, parameters.top) for id, share in shares.items()}
    sources = direct_sources(context.network, shares)
    links: dict[str, dict[str, Links]] = defaultdict(dict)  # by source layer, by target layer
    for number, id in enumerate([SCORE, *_last_first(context, shares)]):
        maps = () if id == SCORE else (_maps(context, paths, id, shares[id], links[id]),)
        yield Step(number / len(shares), f"{paths.message}: {id}" if id else paths.message, maps)
        if not parameters.top or not paths.compute_gradients():
            continue
        for source, rows in strongest_links(paths, sources, tops, id).items():
            target = id or _answer_layer(context, paths, source)
            if rows and target:
                links[source][target] = rows


def _compute_shares(
    context: MethodContext, paths: ScorePaths, parameters: Parameters
) -> Generator[Step, None, dict[str, ScoreShare]]:
    if parameters.how == "weights":
        return compute_linear_shares(context, paths.target_class.index)
    if parameters.how == "gradient":
        if not paths.compute_gradients():
            raise ModelError(NO_GRADIENT)
        return {id: paths.share(id) for id in context.layers}
    shares: dict[str, ScoreShare] = {}

    def to_maps(id: str, share: ScoreShare) -> Maps:
        shares[id] = share
        return _maps(context, paths, id, share, {})

    layers = _last_first(context, context.layers)
    yield from ablate_channels(context, paths, layers, parameters.fill == "mean", to_maps)
    return shares


def _last_first(context: MethodContext, layers: Container[str]) -> list[str]:
    """Returns the ids of these layers, the last one first."""
    return [layer.id for layer in reversed(context.network.layers) if layer.id in layers]


def _top_channels(values: np.ndarray, count: int) -> list[int]:
    """Returns the channels with the largest absolute values other than 0, in order of their numbers."""
    order = np.argsort(-np.abs(values), kind="stable")[:count]
    return sorted(int(channel) for channel in order if values[channel])


def _answer_layer(context: MethodContext, paths: ScorePaths, source: str) -> str:
    """Returns the output layer that the score is of, for links to it; "" if the source's channels are the classes."""
    if context.network.layer(source).map_shape[0] == paths.classes:
        return ""
    outputs = [layer.id for layer in context.network.layers if layer.role == "output"]
    return outputs[min(paths.result.place, len(outputs) - 1)] if outputs else ""


def _maps(context: MethodContext, paths: ScorePaths, id: str, share: ScoreShare, links: Mapping[str, Links]) -> Maps:
    """Returns the maps of a layer's selected channels."""
    values, layout = share.values, paths.result.layouts[id]
    labels = tuple(f"{value:+.3g}" for value in values)
    extras = {f"weights:{target}": np.array(rows, np.float32) for target, rows in links.items()} | {"values": values}
    name = paths.target_class.name
    note = f"score of {name}" if share.maps.any() else independence_note(name, layout)
    maps = Maps(id, CONTRIBUTION.name, pack(share.maps), len(values), labels=labels, extras=extras, note=note)
    return replace(maps, **layout.place()).only(context.channels)


NO_GRADIENT = (
    "the network's answer has no gradient: it detaches, rounds or converts its values; how=ablation needs none"
)
CONTRIBUTION = Method(
    "contribution",
    "Contribution to a class",
    "How much of a class's score comes from each channel, and by which path.",
    contribution,
    Parameters,
)
