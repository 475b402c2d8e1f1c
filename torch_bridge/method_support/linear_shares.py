"""Exact shares in a class's score: weights x means of maps, in networks that end with these and a linear layer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..probing.partial_forward import PartialForward
from ..recording import Layer, Network
from ..recording.errors import InputError
from .cam_head import find_head
from .input_gradients import full_precision
from .method import MethodContext
from .score_paths import ScoreShare, to_numpy

ACTIVATIONS: tuple[Callable[[Tensor], Tensor], ...] = (torch.clone, F.relu, F.relu6, F.silu, F.gelu, F.hardswish)
"""What may stand between a panel and the means."""


def compute_linear_shares(work: MethodContext, index: int) -> dict[str, ScoreShare]:
    """By layer, of those asked about whose channels are the ones averaged, or become them by an activation.

    All of them together give the score without its bias. Raises InputError where the network has no such end, or
    none of these layers is there.
    """
    try:
        head = find_head(work)
    except InputError:
        name = work.network.name
        raise InputError(
            f"{name} doesn't end with means of maps and a linear layer; how=gradient does for it"
        ) from None
    if head.weight is None:
        raise InputError(f"the means of {head.layer} are the scores; how=gradient divides them among earlier channels")
    first = channel_offsets(work.network, head.layer)
    asked = [id for id in work.layers if id in first]
    if asked:
        with torch.no_grad(), full_precision(work.device):
            maps = PartialForward(work.model, [*asked, head.layer], work.arguments)(work.arguments).maps
    pooled = maps[head.layer][0] if asked else torch.zeros(0)
    found: dict[str, ScoreShare] = {}
    for id in asked:
        own = pooled[first[id] :][: len(maps[id][0])]
        if any(torch.allclose(one(maps[id][0]), own, atol=1e-6) for one in ACTIVATIONS):
            weight = head.weight[index, first[id] :][: len(own)].to(own)
            found[id] = ScoreShare(to_numpy(weight * own.mean((1, 2))), to_numpy(weight[:, None, None] * own))
    if not found:
        panels = [id for id in first if work.network.layer(id).role != "joint"]
        raise InputError(f"the weights are those of {panels[-1]}; ask about that layer, or with how=gradient")
    return found


def channel_offsets(network: Network, layer: str) -> dict[str, int]:
    """By id: layers whose channels, one by one, seem to become those of a layer, and which one the first becomes."""
    found, waiting = {}, [(layer, 0)]
    while waiting:
        id, first = waiting.pop()
        found[id] = first
        one = network.layer(id)
        before = [network.layer(edge.source) for edge in network.edges if edge.target == id]
        if one.role in ("edge", "joint") and _are_joined(before, one):
            for source in before:
                waiting.append((source.id, first))
                first += source.map_shape[0]
    return found


def _are_joined(before: list[Layer], one: Layer) -> bool:
    shapes = [source.map_shape for source in before]
    same = all(shape[1:] == one.map_shape[1:] for shape in shapes)
    return same and sum(shape[0] for shape in shapes) == one.map_shape[0]
