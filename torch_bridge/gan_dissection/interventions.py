"""Changes units of a generator's layer, and measures what that does to a concept in the pictures.

Ablation sets units to 0, insertion to the activation k that they have on average where the concept is shown. The effect
of a set U on concept c is E[s_c(inserted)] - E[s_c(ablated)] at random places, s_c the segmenter's share; the set is
found by a continuous share alpha of each unit (Bau et al. 2019, section 3.2 and `aceoptimize.py` of the authors).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..recording.errors import InputError
from .generator_layer import BATCH, GeneratorLayer
from .segmenters import NetworkSegmenter

PATCH = 0.4
"""Side of the places at which units are inserted, as a share of the picture's side."""
STEPS, PAIRS, RATE, PENALTY = 40, 8, 0.06, 0.005
"""Steps of the search, pictures in each, size of a step, and weight of the squared shares."""
START = 0.3
"""Share of each unit at the start."""
SHOWN_SHARE = 0.04
"""Share of a picture's pixels from which on it shows a concept."""
MIN_SHOWN = 4
"""Pictures that must show a concept."""


def ablation(units: Sequence[int], region: Tensor | None = None) -> Callable[[Tensor], None]:
    """Returns a change that sets units of maps (N, U, h, w) to 0; region: (h, w) bool, None for everywhere."""
    return insertion(units, torch.zeros(len(units)), region)


def insertion(units: Sequence[int], levels: Tensor, region: Tensor | None = None) -> Callable[[Tensor], None]:
    """Returns a change that sets units of maps (N, U, h, w) to their levels (n,); region: (h, w) or (N, h, w) bool."""

    def change(maps: Tensor) -> None:
        own = torch.ones(maps.shape[2:], dtype=torch.bool) if region is None else region
        for unit, level in zip(units, levels.tolist(), strict=True):
            maps[:, unit] = torch.where(own, torch.as_tensor(level, dtype=maps.dtype), maps[:, unit])

    return change


@dataclass(frozen=True)
class CausalEffect:
    """What a set of units does to a concept."""

    concept: str
    units: tuple[int, ...]
    """The most important one first."""
    effect: float
    """E[s(inserted)] - E[s(ablated)] at random places, in -1..1."""
    removed: float
    """Share of the concept's pixels that are gone after the units are 0 everywhere."""
    inserted: float
    """Share of the pixels of random places that show the concept after insertion there."""


class ConceptCodes:
    """Codes of a generator by whether their pictures show a concept; those that show most of it first."""

    def __init__(self, generator: GeneratorLayer, segmenter: NetworkSegmenter, concept: str, codes: Tensor) -> None:
        """Raises InputError for a concept that the segmenter doesn't know, or that hardly a picture shows."""
        names = [own.name for own in segmenter.concepts]
        if concept not in names:
            raise InputError(f"the segmenter knows no concept {concept!r}; it knows {', '.join(names[:12])}")
        self.number = names.index(concept)
        shown = segmenter.shown(generator.maps_and_pictures(codes)[1], codes)[:, self.number]
        share = shown.float().mean((1, 2))
        most = share.argsort(descending=True, stable=True)
        self.having, self.lacking = codes[most[share[most] > SHOWN_SHARE]], codes[share == 0]
        if len(self.having) < MIN_SHOWN:
            raise InputError(
                f"{concept} is shown in {len(self.having)} of {len(codes)} pictures; {MIN_SHOWN} are needed: more "
                "pictures, or another concept"
            )
        self.lacking = self.lacking if len(self.lacking) >= MIN_SHOWN else codes


def random_patches(count: int, size: tuple[int, int], random: torch.Generator) -> Tensor:
    """Returns (count, h, w) bool: a rectangle of PATCH of each side at a random place."""
    patches = torch.zeros(count, *size, dtype=torch.bool)
    height, width = (max(1, round(PATCH * side)) for side in size)
    for own in patches:
        top, left = (
            int(torch.randint(side - length + 1, (), generator=random))
            for side, length in zip(size, (height, width), strict=True)
        )
        own[top : top + height, left : left + width] = True
    return patches


def rank_units(
    generator: GeneratorLayer, segmenter: NetworkSegmenter, known: ConceptCodes, levels: Tensor, seed: int = 0
) -> Iterator[float | Tensor]:
    """Yields the share of the search that is done, and at last the share alpha (U,) of each unit, 0..1.

    levels: (U,) activation of each unit where the concept is shown.
    """
    random = torch.Generator().manual_seed(seed)
    alpha = torch.full((generator.units,), START, requires_grad=True)
    optimiser = torch.optim.Adam([alpha], RATE)
    before = _shown_share(generator, segmenter, known)
    for step in range(STEPS):
        having = known.having[torch.randint(len(known.having), (PAIRS,), generator=random)]
        lacking = known.lacking[torch.randint(len(known.lacking), (PAIRS,), generator=random)]
        patches = random_patches(PAIRS, generator.size, random)
        with torch.enable_grad():
            left = segmenter.shares(generator.changed(having, _partly_ablated(alpha)))[:, known.number]
            insert = _partly_inserted(alpha, levels, patches)
            painted = segmenter.shares(generator.changed(lacking, insert))[:, known.number]
            places = _enlarged(patches, painted.shape[1:])
            gain = (painted * places).sum() / places.sum()
            loss = left.mean() / before - gain + PENALTY * alpha.square().sum()
            (alpha.grad,) = torch.autograd.grad(loss, [alpha])  # not those of the weights
        optimiser.step()
        alpha.data.clamp_(0, 1)
        yield (step + 1) / STEPS
    yield alpha.detach()


def _shown_share(generator: GeneratorLayer, segmenter: NetworkSegmenter, known: ConceptCodes) -> float:
    """Returns the mean probability of the concept in pictures that show it."""
    with torch.no_grad():
        pictures = generator.maps_and_pictures(known.having[:BATCH])[1]
        return max(float(segmenter.shares(pictures)[:, known.number].mean()), 1e-3)


def _partly_ablated(alpha: Tensor) -> Callable[[Tensor], None]:
    """Returns a change that takes a share alpha (U,) off each unit of maps (N, U, h, w)."""
    return lambda maps: _assign(maps, maps.detach().clone() * (1 - alpha[:, None, None]))


def _partly_inserted(alpha: Tensor, levels: Tensor, patches: Tensor) -> Callable[[Tensor], None]:
    """Returns a change that moves units by shares alpha (U,) to their levels (U,) where patches (N, h, w) are."""
    share = patches[:, None] * alpha[:, None, None]
    return lambda maps: _assign(maps, (1 - share) * maps.detach().clone() + share * levels[:, None, None])


def _assign(maps: Tensor, values: Tensor) -> None:
    maps[:] = values


def measure_effect(
    generator: GeneratorLayer,
    segmenter: NetworkSegmenter,
    known: ConceptCodes,
    concept: str,
    units: Sequence[int],
    levels: Tensor,
    seed: int = 1,
) -> CausalEffect:
    """Returns what a set of units does to a concept; levels: (U,) as in `rank_units`."""
    random, own = torch.Generator().manual_seed(seed), levels[list(units)]
    before = after = painted = places = 0.0
    shares = {"inserted": 0.0, "ablated": 0.0}
    with torch.no_grad():
        for codes in known.having[: 4 * BATCH].split(BATCH):
            whole = generator.maps_and_pictures(codes)[1]
            before += float(segmenter.shown(whole, codes)[:, known.number].sum())
            changed = generator.changed(codes, ablation(units))
            after += float(segmenter.shown(changed, codes)[:, known.number].sum())
        for codes in known.lacking[: 4 * BATCH].split(BATCH):
            patches = random_patches(len(codes), generator.size, random)
            for name, values in (("inserted", own), ("ablated", torch.zeros_like(own))):
                found = segmenter.shares(generator.changed(codes, insertion(units, values, patches)))
                inside = _enlarged(patches, found.shape[2:])
                shares[name] += float((found[:, known.number] * inside).sum())
                if name == "inserted":
                    painted += float(((found.argmax(1) == known.number) & inside.bool()).sum())
                    places += float(inside.sum())
    effect = (shares["inserted"] - shares["ablated"]) / max(places, 1)
    return CausalEffect(concept, tuple(units), effect, 1 - after / max(before, 1), painted / max(places, 1))


def _enlarged(patches: Tensor, size: Sequence[int]) -> Tensor:
    """Returns patches (N, h, w) bool as (N, H, W) float32."""
    return F.interpolate(patches[:, None].float(), tuple(size), mode="nearest")[:, 0]
