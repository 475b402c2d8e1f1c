"""Attention rollout: by how much the class token depends on each token of the input, through all layers up to one.

R_l = (r I + (1 - r) A_l) R_{l-1}, rows normalised, R_0 = I; A_l is the attention of layer l, fused over its heads, and
r the share of the residual connection.
Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..attribution.attention_rollout import AttentionRollout, HeadFusion, RolledLayer
from ..attribution.explained_maps import enlarge
from ..method_support.method import ZERO, Method, MethodContext, Step, parameter
from ..recording import MapFrame, Maps, pack
from ..recording.errors import InputError

AUTOMATIC = -1
"""Stands for the class token, or the mean over all tokens where there is none."""
NO_ATTENTION = (
    "the network has no attention layers (MultiheadAttention, scaled_dot_product_attention, flex_attention); "
    "attention_rollout needs a transformer"
)


@dataclass(frozen=True)
class Parameters:
    """How attention is followed, and how its maps are drawn."""

    heads: HeadFusion = parameter("mean", "How the heads of a layer are fused: mean, maximum, or one of them")
    head: int = parameter(0, "For heads=one: its number", 0, 4096)
    residual: float = parameter(0.5, "Share of the residual connection in each layer", 0.0, 1.0)
    token: int = parameter(AUTOMATIC, "Token that looks; -1: the class token, else the mean of all", AUTOMATIC, 4096)
    smooth: bool = parameter(True, "Interpolate maps to the picture's size; off: a pixel for each token")


def attention_rollout(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Runs the network once; the map of a layer is the rollout up to it, so the layers choose how far.

    Maps: (1, H, W) shares 0..1 over the input if its tokens have rows and columns, else (1, 1, tokens). The last one
    notes which layers rollout doesn't get to. Raises InputError if it gets to none: the network has no attention, or
    none among the same tokens.
    """
    yield Step(0.0, "running the network")
    rollout = AttentionRollout(context.layers, parameters.heads, parameters.head, parameters.residual)
    rollout.run(context)
    if not rollout.found:
        raise InputError(NO_ATTENTION)
    if rollout.missing and not rollout.rolled:
        raise InputError(rollout.problem)
    if not rollout.rolled:
        raise InputError(
            f"{', '.join(context.layers[:3])}: no attention layers; ask for one, such as {rollout.found[-1]}"
        )
    for number, rolled in enumerate(rollout.rolled.values(), 1):
        maps = _maps(context, rolled, parameters)
        if rollout.missing and number == len(rollout.rolled):
            left_out = f"left out: {', '.join(rollout.missing)} ({rollout.problem})"
            maps = replace(maps, note="; ".join(filter(None, (maps.note, left_out))))
        yield Step(number / len(rollout.rolled), f"{rolled.layer}: {maps.labels[0]}", (maps,))


def _maps(context: MethodContext, rolled: RolledLayer, parameters: Parameters) -> Maps:
    tokens, grid, token = len(rolled.matrix), rolled.grid, parameters.token
    if token >= tokens:
        raise InputError(f"no token {token}: {rolled.layer} has {tokens}, counted from 0")
    height, width = grid or (1, tokens)
    special = tokens - height * width
    token = 0 if token == AUTOMATIC and special else token
    row = rolled.matrix.mean(0) if token == AUTOMATIC else rolled.matrix[token]
    plane = row[special:].reshape(height, width)
    size = _picture_size(context) if grid is not None and parameters.smooth else None
    if size is not None:
        plane = enlarge(plane, size)
    depth = f"{rolled.depth} layer{'s' * (rolled.depth > 1)}"
    label = f"{'all tokens' if token == AUTOMATIC else f'token {token}'}, {depth}"
    frame: MapFrame = "layer" if grid is None else "input"
    note = "" if plane.any() else f"{ZERO}: token {token} depends on no token of the picture"
    return Maps(
        rolled.layer, ATTENTION_ROLLOUT.name, pack(plane[None].numpy()), 1, frame=frame, labels=(label,), note=note
    )


def _picture_size(context: MethodContext) -> tuple[int, ...] | None:
    """Returns height and width of the input in pixels; None if it is no picture."""
    try:
        return tuple(context.picture.shape[2:])
    except InputError:
        return None


ATTENTION_ROLLOUT = Method(
    "attention_rollout",
    "Attention rollout",
    "By how much the class token depends on each token, through all layers of a transformer up to one.",
    attention_rollout,
    Parameters,
)
