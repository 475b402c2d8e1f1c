"""The kinds of a network's inputs, from their names, shapes and dtypes, and what their boards show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from ..recording.endpoints import InputKind
from .content import NOTHING, Content, make_table
from .pictures import BINS, make_flow, make_masks, make_picture, make_spectrogram, make_volume
from .tokens import make_tokens
from .waveform import make_waveform

SPECTRA = ("spec", "mel", "fbank", "input_features")
SOUNDS = ("wav", "audio", "sound", "speech", "signal", "input_values")
"""Parts of the names of arguments that take spectrograms, and sounds."""
MIN_SAMPLES = 256
"""Shortest sound."""
PICTURE_CHANNELS = (1, 3, 4)
NO_WORDS = ("type", "position")
"""Parts of the names of arguments whose whole numbers are no words."""


@dataclass(frozen=True)
class InputFacts:
    """What is known of an input from where it was read."""

    source: str = ""
    """Where the values come from, such as the name of a file."""
    note: str = ""
    """What was done to the values."""
    kind: InputKind | None = None
    """None if it isn't known."""
    picture: np.ndarray | None = None
    """(H, W, 3) uint8 sRGB: the input as the network sees it, for pictures."""


@dataclass(frozen=True)
class EndpointSample:
    """One input or output of a run, without the batch."""

    name: str
    values: torch.Tensor
    """Of any shape; plain and with at least one number, else the board is empty."""
    facts: InputFacts = field(default_factory=InputFacts)
    is_graph: bool = False
    """Whether the network works on a graph."""

    @property
    def can_be_drawn(self) -> bool:
        """Whether the values are plain ones in memory, and real numbers."""
        values = self.values
        is_plain = values.layout is torch.strided and not (values.is_nested or values.is_quantized or values.is_meta)
        return is_plain and values.numel() > 0 and not values.is_complex()

    def array(self) -> np.ndarray:
        """Returns the values as an array of the same shape: float32, bool or whole numbers."""
        values = self.values.detach().cpu()
        return (values.float() if values.is_floating_point() else values).numpy()


def make_input(sample: EndpointSample, words: Mapping[int, str]) -> Content:
    """Makes the content of the board of an input. words: of tokens, as far as they are known."""
    if not sample.can_be_drawn:
        return NOTHING
    kind = sample.facts.kind or guess_input_kind(sample)
    values = sample.array()
    if kind == "picture" and sample.facts.picture is not None:
        return Content("picture", pixels=sample.facts.picture[None])
    if kind == "tokens":
        return make_tokens(values.reshape(-1), {} if _has(sample.name, NO_WORDS) else words)
    makers = {
        "picture": make_picture,
        "mask": make_masks,
        "flow": make_flow,
        "volume": make_volume,
        "spectrogram": make_spectrogram,
        "waveform": make_waveform,
    }
    return makers[kind](values) if kind in makers else make_table(kind, values)


def guess_input_kind(sample: EndpointSample) -> InputKind:
    """Returns what an input is, from the name of its argument, its shape and its dtype."""
    name, shape, rank = sample.name.lower(), sample.values.shape, sample.values.dim()
    if sample.values.dtype == torch.bool or "mask" in name:
        return "mask" if rank in (1, 2, 3) else "numbers"
    if sample.is_graph and rank == 2:
        return "graph"
    if not sample.values.is_floating_point() and rank <= 2:
        return "tokens" if rank == 1 and not sample.is_graph else "numbers"
    has_bins = rank == 2 and shape[1] in BINS and shape[0] >= MIN_SAMPLES and _has(name, SOUNDS)
    if has_bins or (rank in (2, 3) and _has(name, SPECTRA)):
        return "spectrogram"
    if rank >= 3:
        return _kind_of_planes(name, shape)
    is_sound = rank and shape[-1] >= MIN_SAMPLES and (rank == 1 or shape[0] <= 2)
    return "waveform" if is_sound and (rank == 2 or _has(name, SOUNDS)) else "numbers"


def _kind_of_planes(name: str, shape: torch.Size) -> InputKind:
    """Returns the kind of an input of three or more axes."""
    if len(shape) > 4 or min(shape[-2:]) == 1:
        return "numbers"
    if len(shape) == 4:
        return "volume"
    if shape[0] == 2 and "flow" in name:
        return "flow"
    return "picture" if shape[0] in PICTURE_CHANNELS else "volume"


def _has(name: str, parts: tuple[str, ...]) -> bool:
    return any(part in name.lower() for part in parts)
