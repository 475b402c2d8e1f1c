"""A stroke of a brush on the command line: `--stroke insert:up3.up:0-39@0.5,0.5,0.3`."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from ...torch_bridge.recording.channels import parse_channels
from ...torch_bridge.recording.errors import InputError

FORM = "ablate:LAYER:0,5@X,Y,SIZE or insert:LAYER:0,5@X,Y,SIZE, with shares of the picture such as @0.5,0.5,0.3"


class SpotStroke(NamedTuple):
    """Channels that a brush changes at a place of the picture."""

    layer: str
    channels: tuple[int, ...]
    insert: bool
    across: float
    down: float
    size: float


def stroke(text: str) -> SpotStroke:
    """Parses "insert:up3.up:0,5@0.5,0.5,0.3"."""
    what, _, place = text.rpartition("@")
    does, _, rest = what.partition(":")
    layer, _, channels = rest.rpartition(":")
    try:
        across, down, size = (float(number) for number in place.split(","))
        numbers = parse_channels(channels)
    except (ValueError, InputError):
        numbers, across, down, size = (), 0.0, 0.0, 0.0
    if does not in ("ablate", "insert") or not layer or not numbers or not 0 < size <= 2:
        raise argparse.ArgumentTypeError(f"{text!r} is no stroke; write {FORM}")
    return SpotStroke(layer, numbers, does == "insert", across, down, size)
