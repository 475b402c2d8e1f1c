"""Stages: stretches of one map size, the far words of the hall ("27 × 27, 12 layers")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .slots import Stage

LEAST = 6
"""Panels that a stage has at least; a shorter run joins the next one and is named with it."""
VECTOR = (1, 1)


def stages(sizes: Sequence[tuple[int, int]]) -> list[Stage]:
    """Runs of one size (H, W) among the layers in order; short ones join the next."""
    merged: list[Stage] = []
    for run in _runs(_surrounded(sizes)):
        if merged and merged[-1].last - merged[-1].first + 1 < LEAST and run.size != VECTOR:
            before = merged.pop()
            run = Stage(before.sizes + run.sizes, before.first, run.last)
        merged.append(run)
    return merged


def _surrounded(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Vectors between maps (squeeze and excite) take the size of the maps before them; only those at the end stay."""
    end = max((k + 1 for k, size in enumerate(sizes) if size != VECTOR), default=0)
    found: list[tuple[int, int]] = []
    for k, size in enumerate(sizes):
        near = found[-1] if found else next((s for s in sizes if s != VECTOR), VECTOR)
        found.append(near if size == VECTOR and k < end else size)
    return found


def _runs(sizes: Iterable[tuple[int, int]]) -> list[Stage]:
    runs: list[Stage] = []
    for k, size in enumerate(sizes):
        if runs and runs[-1].size == size:
            runs[-1].last = k
        else:
            runs.append(Stage([size], k, k))
    return runs


def cut(rooms: list[Stage], cuts: Iterable[int], sizes: Sequence[tuple[int, int]]) -> list[Stage]:
    """The stages when wings begin before the layers `cuts`: a stage cut by a wing becomes two, the second continued."""
    pieces: list[Stage] = []
    begins = set(cuts)
    for room in rooms:
        starts = [room.first, *(k for k in sorted(begins) if room.first < k <= room.last)]
        for first, after in zip(starts, [*starts[1:], room.last + 1], strict=True):
            own = _runs(_surrounded(sizes[first:after])) if len(starts) > 1 and len(room.sizes) > 1 else []
            kept = [run.size for run in own] or room.sizes
            pieces.append(Stage(list(kept), first, after - 1, continued=first > room.first))
    return pieces


def title(stage: Stage) -> str:
    """Its map sizes in words: "27 × 27", "149 × 149 to 35 × 35", "vectors"; the narrowest is said where they turn."""
    first, last = stage.sizes[0], stage.sizes[-1]
    turn = min(stage.sizes, key=lambda size: size[0] * size[1])
    told = [first, last] if first != last else [first]
    if turn[0] * turn[1] < min(size[0] * size[1] for size in told):
        told = [first, turn, last]
    words = " to ".join("vectors" if size == VECTOR else f"{size[0]} × {size[1]}" for size in told)
    return words + (", continued" if stage.continued else "")
