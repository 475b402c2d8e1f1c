"""Assigns tracks to intervals, so that no two that overlap run on one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[float, float]
CLOSEST = 1e-3
"""Millimetres between two places that are one in print."""


def assign_tracks(spans: Sequence[Span], order: Iterable[int], apart: float) -> list[int]:
    """Returns the number of the track of each span, from 0; spans of one track are more than `apart` from each other.

    order: positions of the spans, in the order in which they choose the first track that is free.
    """
    tracks: list[list[Span]] = []
    chosen = [0] * len(spans)
    for k in order:
        low, high = spans[k]
        free = (
            number
            for number, others in enumerate(tracks)
            if all(high + apart < other[0] or other[1] + apart < low for other in others)
        )
        chosen[k] = next(free, len(tracks))
        if chosen[k] == len(tracks):
            tracks.append([])
        tracks[chosen[k]].append(spans[k])
    return chosen


def free_place(wanted: float, low: float, high: float, taken: Sequence[float], apart: float) -> float:
    """Returns the place in low..high nearest to `wanted` that is `apart` from all taken ones, or as far as possible."""
    inner = [place for place in taken if low - apart < place < high + apart]
    while apart > CLOSEST:
        ends = [wanted, *(place + side * apart * 1.001 for place in inner for side in (-1, 1))]
        fits = [
            place
            for place in (min(max(end, low), high) for end in ends)
            if all(abs(place - other) >= apart for other in inner)
        ]
        if fits:
            return min(fits, key=lambda place: abs(place - wanted))
        apart *= 0.7
    return min(max(wanted, low), high)
