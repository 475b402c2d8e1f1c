"""What the layers of a network give for some pictures: their features, their dead units, and their kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional as F

from ..capture.layer_paths import modules_by_path
from ..method_support.channel_health import activation_limits, dead_channels
from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import MethodContext
from ..recording.errors import InputError
from ..server.loaded_model import LoadedModel

GRID = 4
"""Cells along each side of a map whose means are its features."""
MAX_VALUES = 1 << 26
"""Numbers of all features of a network: 256 MB."""


@dataclass
class LayerFeatures:
    """What pictures give in the layers of a network."""

    rows: dict[str, np.ndarray] = field(default_factory=dict)
    """By layer (pictures * GRID * GRID, C) float32: means over the cells of each map."""
    dead: dict[str, np.ndarray] = field(default_factory=dict)
    """By layer (C,) bool: units that give the same for all pictures, or nothing that passes the activation."""
    share: float = 0.0
    """Share of the pictures that is done, 0..1."""


def collect_features(context: MethodContext, indices: Sequence[int]) -> Iterator[LayerFeatures]:
    """Runs the network on pictures; yields after each batch, at last with the features of all layers.

    Raises InputError for features of more than MAX_VALUES, and if no picture can be read; ModelError.
    """
    channels = {id: context.network.layer(id).map_shape[0] for id in context.layers}
    most = MAX_VALUES // (GRID * GRID * max(sum(channels.values()), 1))
    if len(indices) > most:
        raise InputError(
            f"{len(indices)} pictures: --probe {most} is the most for so many layers; --layers chooses some"
        )
    found, parts = LayerFeatures(), {id: list[np.ndarray]() for id in channels}
    low, high = ({id: np.full(count, end, np.float32) for id, count in channels.items()} for end in (np.inf, -np.inf))
    for batch in DataSetPass(context, context.layers, "comparison").batches(indices):
        for id, maps in batch.maps.items():
            cells = F.adaptive_avg_pool2d(maps, GRID).permute(0, 2, 3, 1)
            parts[id].append(cells.reshape(-1, maps.shape[1]).cpu().numpy())
            low[id] = np.minimum(low[id], maps.amin((0, 2, 3)).cpu().numpy())
            high[id] = np.maximum(high[id], maps.amax((0, 2, 3)).cpu().numpy())
        found.share = batch.done / len(indices)
        yield found
    for id in channels:
        found.rows[id] = np.concatenate(parts.pop(id))
        limits = activation_limits(context.network, id)
        found.dead[id] = dead_channels(low[id], high[id], limits.silent_below)
    yield found


def unit_kernels(live: LoadedModel, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns by layer the weights that lead to each of its units: (n, C) float32, a column for each unit.

    Of a panel that shows the norm after a convolution they are the convolution's. Layers without weights have none.
    """
    network, modules = live.run_context.network, modules_by_path(live.model)
    panels = {layer.shows: layer.id for layer in network.layers if layer.role == "panel"}
    found = {}
    for id in ids:
        module = modules.get(panels.get(id, id).partition("@")[0])
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor) and weight.dim() > 1 and not weight.is_complex():
            values = weight.detach().transpose(0, int(bool(getattr(module, "transposed", False)))).float().cpu()
            if len(values) == network.layer(id).map_shape[0]:
                found[id] = values.flatten(1).T.numpy()
    return found
