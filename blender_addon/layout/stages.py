"""Stages: parts of a hall with one map size, which its largest labels name ("27 × 27, 12 layers")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .hall_model import Stage

LEAST = 6
"""Least number of panels of a stage; a shorter one joins the next and is named with it."""
VECTOR = (1, 1)
"""Map size of a layer without spatial axes."""


def group_stages(sizes: Sequence[tuple[int, int]]) -> list[Stage]:
    """Groups consecutive layers by their map sizes (H, W); short groups join the next."""
    merged: list[Stage] = []
    for run in _settled(_runs(_surrounded(sizes))):
        if merged and merged[-1].count < LEAST and run.sizes != [VECTOR]:
            before = merged.pop()
            run = Stage(before.parts + run.parts, before.first, run.last)
        merged.append(run)
    return merged


def _surrounded(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Gives vectors between maps (squeeze and excite) the size of the maps before them or, at the start, after them.

    Vectors at the end stay vectors.
    """
    end = max((k + 1 for k, size in enumerate(sizes) if size != VECTOR), default=0)
    found: list[tuple[int, int]] = []
    for k, size in enumerate(sizes):
        near = found[-1] if found else next((s for s in sizes if s != VECTOR), VECTOR)
        found.append(near if size == VECTOR and k < end else size)
    return found


def _runs(sizes: Iterable[tuple[int, int]]) -> list[Stage]:
    runs: list[Stage] = []
    for k, size in enumerate(sizes):
        if runs and runs[-1].sizes[-1] == size:
            runs[-1].last = k
        else:
            runs.append(Stage([(size, k)], k, k))
    return runs


def _settled(runs: list[Stage]) -> list[Stage]:
    """Joins groups between which the size changes back and forth, as for attention in windows."""
    found: list[Stage] = []
    k = 0
    while k < len(runs):
        returns = [k]
        while (after := _return(runs, returns[-1])) is not None:
            returns.append(after)
        last = returns[-1] if len(returns) > 2 else k
        found.append(Stage(runs[k].parts, runs[k].first, runs[last].last))
        k = last + 1
    return found


def _return(runs: list[Stage], k: int) -> int | None:
    """Returns the next group with the size of group `k`, if few panels lie between."""
    for later in range(k + 2, min(k + 6, len(runs))):
        if runs[later].sizes == runs[k].sizes:
            return later if runs[later].first - runs[k].last - 1 < 2 * LEAST else None
    return None


def cut_stages(stages: Iterable[Stage], cuts: Iterable[int]) -> list[Stage]:
    """Splits the stages that go on where a wing begins, before one of the positions in `cuts`."""
    pieces: list[Stage] = []
    begins = sorted(set(cuts))
    for stage in stages:
        starts = [stage.first, *(k for k in begins if stage.first < k <= stage.last)]
        for first, after in zip(starts, [*starts[1:], stage.last + 1], strict=True):
            before = [part for part in stage.parts if part[1] <= first]
            inside = [part for part in stage.parts if first < part[1] < after]
            pieces.append(Stage([before[-1], *inside], first, after - 1, continued=first > stage.first))
    return pieces


def stage_title(stage: Stage) -> str:
    """Returns the map sizes as text: "27 × 27", "149 × 149 to 35 × 35", "vectors"; with the narrowest one between."""
    first, last = stage.sizes[0], stage.sizes[-1]
    turn = min(stage.sizes, key=lambda size: size[0] * size[1])
    shown = [first, last] if first != last else [first]
    if turn[0] * turn[1] < min(size[0] * size[1] for size in shown):
        shown = [first, turn, last]
    text = " to ".join("vectors" if size == VECTOR else f"{size[0]} × {size[1]}" for size in shown)
    return text + (", continued" if stage.continued else "")
