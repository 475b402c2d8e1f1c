"""What a class's score loses without a channel, for every channel of some layers: many ablated copies in one run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..capture.ablation import values_by_channel
from ..data import random_indices
from ..predictions.classes import class_scores
from ..probing.partial_forward import ChannelFill
from ..recording import Maps
from ..recording.errors import InputError, ModelError
from .input_gradients import copies_per_run, full_precision
from .method import MethodContext, Step
from .score_paths import ScorePaths, ScoreShare, to_numpy

PICTURES = 32
"""Of the data set, that a channel's mean is taken over."""


def ablate_channels(
    work: MethodContext, paths: ScorePaths, layers: Sequence[str], to_mean: bool, keep: Callable[[str, ScoreShare], Maps]
) -> Iterator[Step]:
    """Layer after layer, each shown by `keep` when it is done. A channel that is what it would become is not run.

    Raises InputError for means without a data set.
    """
    fills = (yield from _means(work, paths)) if to_mean else {}
    counts, every = [len(work.chosen(id)) for id in layers], [one.id for one in work.network.layers]
    copies = copies_per_run(work.network, every, work.device)
    for number, id in enumerate(layers):
        tensor, made = paths.reached.tensors[id].detach(), paths.reached.spreads[id]
        held, fill = values_by_channel(tensor, made), fills.get(id, torch.zeros(made.map_shape[0]))
        changed = (held != fill.to(held)[:, None]).any(1).tolist()
        left, lost = [one for one in work.chosen(id) if changed[one]], np.zeros(len(held), np.float32)
        done = sum(counts[:number])
        while left:
            try:
                lost[left[:copies]] = _lost(work, paths, id, left[:copies], fill)
                left = left[copies:]
            except (RuntimeError, ModelError):  # too little memory, or a network that can't take so many
                if copies == 1:
                    raise
                copies //= 2
            share = (done + counts[number] - len(left)) / sum(counts)
            yield Step(share, f"{id}: {counts[number] - len(left)} of {counts[number]} channels taken away")
        shown = keep(id, ScoreShare(lost, _spread(lost, to_numpy(paths.reached.maps[id][0]))))
        yield Step((done + counts[number]) / sum(counts), f"{id}: what is lost without each channel", (shown,))


def _lost(work: MethodContext, paths: ScorePaths, id: str, channels: Sequence[int], fill: Tensor) -> np.ndarray:
    """(n,) how far the score falls; of several, from that of a copy in the same run that is left as it is."""
    changed = [*([-1] if len(channels) > 1 else []), *channels]
    arguments = tuple(
        one[:1] * len(changed) if isinstance(one, list) else one[:1].expand(len(changed), *one.shape[1:])
        for one in work.arguments
    )
    change = ChannelFill(changed, [float(fill[one]) for one in changed])
    with torch.no_grad(), full_precision(work.device):
        scores = class_scores(paths.reach(arguments, {id: change}, whole=True).output)[:, paths.of.index]
    return to_numpy(scores[0] - scores[1:] if len(channels) > 1 else paths.score.detach() - scores)


def _spread(lost: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(C, H, W): what a channel loses, spread over its places as its sizes are."""
    sizes = np.abs(maps)
    found: np.ndarray = lost[:, None, None] * sizes / np.maximum(sizes.sum((1, 2), keepdims=True), 1e-30)
    return found


def _means(work: MethodContext, paths: ScorePaths) -> Generator[Step, None, dict[str, Tensor]]:
    """By layer: (C,) the mean of each channel over pictures of the data set."""
    if work.data is None:
        raise InputError("the mean of a channel needs a data set; choose one, or fill with zero")
    indices, sums = random_indices(work.data, min(PICTURES, len(work.data)), 0), dict[str, Tensor]()
    for done, index in enumerate(indices, 1):
        with torch.no_grad():
            reached = paths.reach(work.feed(work.data.picture(index)))
        for id, tensor in reached.tensors.items():
            mean = values_by_channel(tensor, reached.spreads[id]).double().mean(1)
            sums[id] = sums[id] + mean if id in sums else mean
        yield Step(0.0, f"means over {done} of {len(indices)} pictures of {work.data.name}")
    return {id: (total / len(indices)).float() for id, total in sums.items()}
