"""The greatest peak of each channel over a series, by which colours of all its entries are scaled alike.

peaks-<hash>.safetensors    tensor `<method>|<layer>`: (channels,) float32, by the channel's number in its layer
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import safetensors
from .data_model import Maps
from .errors import RecordingError

PEAKS = "peaks"
"""How the file's name begins."""
SeriesPeaks = dict[tuple[str, str], np.ndarray]
"""(channels,) float32 for each layer and method."""


def raise_peaks(peaks: SeriesPeaks, all_maps: Iterable[Maps]) -> None:
    """Raises the peaks, in place, to those of an entry's maps where these are greater."""
    for maps in all_maps:
        numbers = np.array(maps.numbers, np.int64)
        known = peaks.get((maps.layer, maps.method), np.zeros(0, np.float32))
        grown = np.zeros(max(len(known), int(numbers.max(initial=-1)) + 1), np.float32)
        grown[: len(known)] = known
        grown[numbers] = np.fmax(grown[numbers], maps.peak)
        peaks[maps.layer, maps.method] = grown


def scale_alike(maps: Maps, peaks: Mapping[tuple[str, str], np.ndarray], where: str) -> Maps:
    """Returns maps with the peaks of their series, (channels,) float32, in place of their own.

    Raises RecordingError for peaks of others.
    """
    known = peaks.get((maps.layer, maps.method), np.zeros(0, np.float32))
    numbers = list(maps.numbers)
    if max(numbers, default=-1) >= len(known):
        raise RecordingError(f"{where}: the peaks of {maps.layer!r} are missing; record the series again")
    return replace(maps, extras={**maps.extras, "peak": known[numbers]})


def encode_peaks(peaks: SeriesPeaks) -> dict[str, np.ndarray]:
    """Returns peaks, (channels,) float32 each, as the tensors of their file."""
    return {f"{method}|{layer}": values for (layer, method), values in peaks.items()}


def read_peaks(path: Path) -> SeriesPeaks:
    """Reads a file of peaks. Raises RecordingError for one that is missing or damaged."""
    peaks: SeriesPeaks = {}
    for name, values in safetensors.open_arrays(path)[0].items():
        method, _, layer = name.partition("|")
        if values.ndim != 1 or values.dtype != np.float32 or not np.isfinite(values).all():
            raise RecordingError(f"{path}: peaks of {layer!r} must be finite (channels,) float32")
        peaks[layer, method] = np.array(values)
    return peaks
