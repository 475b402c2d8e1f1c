"""Lists of channels as people write them, and the check that a layer has them."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    from .data_model import Network

DIGITS = 6
"""Most digits of a channel's number; no layer has so many channels."""


def parse_channels(text: str) -> tuple[int, ...]:
    """Parses a list of channels such as "0,3,8-11", spaces allowed, into (0, 3, 8, 9, 10, 11).

    An empty text gives (). Raises InputError, which quotes the part that is wrong.
    """
    channels: list[int] = []
    for part in text.split(",") if text.strip() else ():
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal()):
            raise InputError(f"{text[:40]!r} is not a list of channels; write it like 0,3,8-11")
        if max(len(first), len(last)) > DIGITS:
            raise InputError(f"{part.strip()[:40]!r}: no layer has a channel above {10**DIGITS - 1:,}")
        if int(first) > int(last):
            raise InputError(f"{part.strip()!r} runs backwards; write {last}-{first}")
        channels += range(int(first), int(last) + 1)
    return tuple(channels)


def read_channels(channels: str | Iterable[int]) -> tuple[int, ...]:
    """Reads channels as a script passes them: a text as in `parse_channels`, or whole numbers. Raises InputError."""
    if isinstance(channels, str):
        return parse_channels(channels)
    listed = list(channels) if isinstance(channels, Iterable) else [None]
    if any(isinstance(channel, bool) or not hasattr(channel, "__index__") for channel in listed):
        raise InputError(f'channels: {str(channels)[:40]} is not a list of whole numbers; write [0, 3] or "0,3,8-11"')
    return tuple(map(operator.index, listed))


def format_channels(channels: Sequence[int]) -> str:
    """Writes channels the way `parse_channels` reads them, in their order; runs of three or more become ranges."""
    runs: list[list[int]] = []
    for channel in channels:
        if runs and channel == runs[-1][-1] + 1:
            runs[-1].append(channel)
        else:
            runs.append([channel])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


def check_channels(network: Network, layer: str, channels: Sequence[int]) -> None:
    """Raises UnknownName when the network has no such layer, InputError when the layer lacks one of the channels."""
    count = network.layer(layer).map_shape[0]
    wrong = next((channel for channel in channels if not 0 <= channel < count), None)
    if wrong is not None:
        raise InputError(f"layer {layer} has channels 0 to {count - 1}; there is no channel {wrong}")
