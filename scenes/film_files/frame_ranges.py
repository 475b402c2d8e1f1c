"""Which frames of a film are wanted, as people write them: 3,5-10,20-40:2."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...torch_bridge.recording.errors import InputError

PART = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7})(?::([0-9]{1,7}))?)?")
MAX_LENGTH = 10_000
"""Characters of a list of frames."""


def parse_frames(text: str) -> tuple[range, ...]:
    """Parses "3,5-10,20-40:2" into ranges of frame numbers, counted from 1. Raises InputError."""
    parts = [PART.fullmatch(part.strip()) for part in text.split(",")] if len(text) <= MAX_LENGTH else []
    if not parts or not all(parts):
        raise InputError(f"{text[:60]!r} names no frames; write them like 1-30, 3,5-10 or 7-20:2, up to 9999999")
    ranges = tuple(
        range(int(found[1]), int(found[2] or found[1]) + 1, int(found[3] or 1) or -1) for found in parts if found
    )
    if wrong := next((found[0] for found, frames in zip(parts, ranges, strict=True) if found and not frames), None):
        raise InputError(f"frames {wrong}: nothing is in that range; write the smaller number first, and a step from 1")
    return ranges


def choose_frames(ranges: Sequence[range], count: int) -> list[int]:
    """Returns the frames of a film of `count` frames that are named, in order, each once; all where nothing is named.

    Raises InputError for a frame that the film doesn't have.
    """
    outside = [frame for frames in ranges for frame in (frames[0], frames[-1]) if not 1 <= frame <= count]
    if outside:
        raise InputError(f"there is no frame {outside[0]}; the film has frames 1 to {count}")
    return sorted({frame for frames in ranges for frame in frames}) if ranges else list(range(1, count + 1))


def as_text(frames: Sequence[int], most: int = 0) -> str:
    """Writes frames, in order, as people do: 1-3, 7. most: ranges that are written, 0 for all."""
    parts: list[list[int]] = []
    for frame in frames:
        if parts and frame == parts[-1][-1] + 1:
            parts[-1][1:] = [frame]
        else:
            parts.append([frame])
    shown = parts[: most or None]
    rest = len(frames) - sum(part[-1] - part[0] + 1 for part in shown)
    return ", ".join("-".join(map(str, part)) for part in shown) + (f" and {rest:,} more" if rest else "")
