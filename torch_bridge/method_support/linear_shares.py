"""Exact shares of channels in a class's score, for networks that end with means of maps and one linear layer.

The share of channel k in S_c = sum_k w_kc mean(A_k) + b_c is w_kc mean(A_k).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..probing.partial_forward import PartialForward
from ..recording import Layer, Network
from ..recording.errors import InputError
from .cam_head import find_head
from .method import MethodContext
from .run_limits import full_precision
from .score_paths import ScoreShare, to_numpy

ACTIVATIONS: tuple[Callable[[Tensor], Tensor], ...] = (torch.clone, F.relu, F.relu6, F.silu, F.gelu, F.hardswish)
"""Functions that may lie between a layer and the means."""


def compute_linear_shares(context: MethodContext, index: int) -> dict[str, ScoreShare]:
    """Returns the shares in the score of class `index`, by layer.

    Covers the requested layers whose channels are averaged, directly or after an activation; together they give the
    score without its bias. Raises InputError if the network has no such end, or none of these layers is requested.
    """
    try:
        head = find_head(context)
    except InputError:
        name = context.network.name
        raise InputError(
            f"{name} doesn't end with means of maps and a linear layer; how=gradient works for it"
        ) from None
    if head.weight is None:
        raise InputError(f"the means of {head.layer} are the scores; how=gradient divides them among earlier channels")
    offsets = channel_offsets(context.network, head.layer)
    requested = [id for id in context.layers if id in offsets]
    if requested:
        with torch.no_grad(), full_precision(context.device):
            forward = PartialForward(context.model, [*requested, head.layer], context.arguments, context.positions)
            maps = forward(context.arguments).maps
    pooled = maps[head.layer][0] if requested else torch.zeros(0)
    shares: dict[str, ScoreShare] = {}
    for id in requested:
        own = pooled[offsets[id] :][: len(maps[id][0])]
        if any(torch.allclose(activation(maps[id][0]), own, atol=1e-6) for activation in ACTIVATIONS):
            weight = head.weight[index, offsets[id] :][: len(own)].to(own)
            shares[id] = ScoreShare(to_numpy(weight * own.mean((1, 2))), to_numpy(weight[:, None, None] * own))
    if not shares:
        panels = [id for id in offsets if context.network.layer(id).role != "joint"]
        raise InputError(f"the weights are those of {panels[-1]}; request that layer, or use how=gradient")
    return shares


def channel_offsets(network: Network, layer: str) -> dict[str, int]:
    """Returns the layers whose channels seem to become those of `layer` one by one, by id.

    The value is the channel of `layer` that the first channel becomes; it is above 0 behind concatenations.
    """
    offsets, waiting = {}, [(layer, 0)]
    while waiting:
        id, offset = waiting.pop()
        offsets[id] = offset
        reader = network.layer(id)
        sources = [network.layer(edge.source) for edge in network.edges if edge.target == id]
        if reader.role in ("edge", "joint") and _keeps_channels(sources, reader):
            for source in sources:
                waiting.append((source.id, offset))
                offset += source.map_shape[0]
    return offsets


def _keeps_channels(sources: list[Layer], reader: Layer) -> bool:
    shapes = [source.map_shape for source in sources]
    same_size = all(shape[1:] == reader.map_shape[1:] for shape in shapes)
    return same_size and sum(shape[0] for shape in shapes) == reader.map_shape[0]
