"""Ablation: by how much a class's score falls without a channel, for each channel of some layers.

Several ablated copies of the input run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..capture.ablation import values_by_channel
from ..capture.call_arguments import repeat_arguments
from ..data import random_indices
from ..predictions.classes import class_scores
from ..probing.partial_forward import ChannelFill
from ..recording import Maps
from ..recording.errors import InputError, ModelError
from .method import MethodContext, Step
from .run_limits import copies_per_run, full_precision
from .score_paths import ScorePaths, ScoreShare, to_numpy

MEAN_PICTURES = 32
"""Pictures of the data set that a channel's mean is taken over."""


def ablate_channels(
    context: MethodContext,
    paths: ScorePaths,
    layers: Sequence[str],
    to_mean: bool,
    to_maps: Callable[[str, ScoreShare], Maps],
) -> Iterator[Step]:
    """Ablates the selected channels layer by layer; `to_maps` turns each layer's result into maps.

    Channels that the ablation would not change are not run. Raises InputError for `to_mean` without a data set.
    """
    fills = (yield from _channel_means(context, paths)) if to_mean else {}
    counts = [len(context.selected_channels(id)) for id in layers]
    copies = copies_per_run(context.network, [layer.id for layer in context.network.layers], context.device)
    for number, id in enumerate(layers):
        tensor, layout = paths.result.tensors[id].detach(), paths.result.layouts[id]
        values, fill = values_by_channel(tensor, layout), fills.get(id, torch.zeros(layout.map_shape[0]))
        changed = (values != fill.to(values)[:, None]).any(1).tolist()
        left = [channel for channel in context.selected_channels(id) if changed[channel]]
        losses, before = np.zeros(len(values), np.float32), sum(counts[:number])
        while left:
            try:
                losses[left[:copies]] = _score_losses(context, paths, id, left[:copies], fill)
                left = left[copies:]
            except (RuntimeError, ModelError):  # out of memory, or the network can't take so many
                if copies == 1:
                    raise
                copies //= 2
            done = counts[number] - len(left)
            yield Step((before + done) / sum(counts), f"{id}: {done} of {counts[number]} channels ablated")
        maps = to_maps(id, ScoreShare(losses, _distribute(losses, to_numpy(paths.result.maps[id][0]))))
        yield Step((before + counts[number]) / sum(counts), f"{id}: loss without each channel", (maps,))


def _score_losses(
    context: MethodContext, paths: ScorePaths, id: str, channels: Sequence[int], fill: Tensor
) -> np.ndarray:
    """(n,) float32: score without ablation minus the score without each channel.

    If there are several, the reference is an unchanged copy in the same run, which rounds in the same way.
    """
    rows = [*([-1] if len(channels) > 1 else []), *channels]
    arguments = repeat_arguments(context.arguments, len(rows))
    change = ChannelFill(rows, [float(fill[row]) for row in rows])
    with torch.no_grad(), full_precision(context.device):
        output = paths.forward(arguments, {id: change}, to_output=True).output
        scores = class_scores(output)[:, paths.target_class.index]
    return to_numpy(scores[0] - scores[1:] if len(channels) > 1 else paths.score.detach() - scores)


def _distribute(losses: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(C,) losses, (C, H, W) maps -> (C, H, W) float32: each loss distributed in proportion to absolute values."""
    sizes = np.abs(maps)
    shares: np.ndarray = losses[:, None, None] * sizes / np.maximum(sizes.sum((1, 2), keepdims=True), 1e-30)
    return shares


def _channel_means(context: MethodContext, paths: ScorePaths) -> Generator[Step, None, dict[str, Tensor]]:
    """By layer: (C,) float32, the mean of each channel over pictures of the data set."""
    if context.data is None:
        raise InputError("the mean of a channel needs a data set; choose one, or fill with zero")
    indices = random_indices(context.data, min(MEAN_PICTURES, len(context.data)), 0)
    sums = dict[str, Tensor]()
    for done, index in enumerate(indices, 1):
        with torch.no_grad():
            result = paths.forward(context.arguments_from_picture(context.data.picture(index)))
        for id, tensor in result.tensors.items():
            mean = values_by_channel(tensor, result.layouts[id]).double().mean(1)
            sums[id] = sums[id] + mean if id in sums else mean
        yield Step(0.0, f"means over {done} of {len(indices)} pictures of {context.data.name}")
    return {id: (total / len(indices)).float() for id, total in sums.items()}
