"""Concept vectors: which units of a layer cover a concept together, and how much better than the best one alone.

The mask of a concept is where up(sum_k w_k [A_k > T_k]) is above 0, with T_k the value that unit k exceeds at .5 % of
all positions; a single unit is the vector with one weight. IoU is summed over pictures that show the concept. Sums and
differences of concepts are those of their vectors, of length 1.
Fong and Vedaldi 2018, "Net2Vec: Quantifying and Explaining how Concepts are Encoded by Filters in Deep Neural
Networks".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch

from ..attribution.heat_sheet import draw_sheet, drawn_picture, sheet_maps
from ..attribution.scaled_steps import scaled_steps
from ..data import random_indices
from ..data.labelled import LabelledData
from ..directions.concept_vectors import ConceptVectors
from ..directions.vector_charts import vector_charts
from ..directions.vector_run import VectorParameters, find_vectors
from ..directions.vector_sheet import MaskedPicture, lit_tile
from ..dissection.passes import read_labels
from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.picture_maps import picture_maps
from ..probing.partial_forward import PartialForward
from ..recording import CATEGORY, Maps
from ..recording.errors import InputError

LEARNT = 0.95
"""Share of the whole work after the vectors are learnt."""
EXAMPLES, CANDIDATES = 3, 300
"""Pictures of the data set beside the current one, and pictures among which they are looked for."""
LEAST_NAMED = 0.1
"""Weight of a unit with a label, as a share of the largest."""
TEXT = 14
"""Size of the sheet's text, pixels."""


@dataclass(frozen=True)
class ConceptVectorsParameters(VectorParameters):
    """The concept, and what panels show of it."""

    concept: str = parameter(
        "", "A concept, or a sum such as: triangle + blue - red; empty: the one that gains most over its best unit"
    )
    show: Literal["units", "masks"] = parameter(
        "units", "What panels show: units, lit by their weights; or the masks of the best unit and of all, side by side"
    )


class _Chosen(NamedTuple):
    """What is shown of a layer."""

    vectors: ConceptVectors
    terms: list[tuple[int, int]]
    """Sign and place of each concept."""
    name: str
    weights: np.ndarray
    """(U,) float32."""
    best: int
    """The best unit alone; of a sum of concepts the one with the largest weight."""


def concept_vectors(context: MethodContext, parameters: ConceptVectorsParameters) -> Iterator[Step]:
    """Learns vectors, or reads them, and shows one of them on the current picture.

    Maps: colours, sRGB 0..1. units: (C, H, W, 3), the picture under the unit's mask and light beside it, as bright as
    the unit's weight is large, warm above 0 and cold below; labels "+0.42". masks: (1, H, W, 3), the masks of the best
    unit, of a few and of all, on this picture and on others that show the concept. Extras of units: "values" (C,)
    float32, the weights; "category" (C,) int32, 1 for weights below 0, 2 for those above. Charts: the largest weights,
    IoU of one unit, a few and all, cosines between concepts, and of a sum of concepts those to all others. Raises
    ModelError or InputError.
    """
    found = yield from scaled_steps(find_vectors(context, parameters), 0.0, LEARNT, "concepts")
    current = _current_masks(context, found)
    for number, layer in enumerate(context.layers):
        chosen = _choose(found[layer], parameters.concept)
        if parameters.show == "units":
            maps = _unit_maps(context, chosen, current[layer])
        else:
            maps = _sheet(context, chosen, [current[layer], *_examples(context, chosen, parameters.seed)])
        charts = vector_charts(chosen.vectors, chosen.terms, chosen.name, parameters.top)
        share = LEARNT + (1 - LEARNT) * (number + 1) / len(context.layers)
        yield Step(share, f"{layer}: {chosen.name}", (replace(maps, charts=charts),))


def _choose(vectors: ConceptVectors, text: str) -> _Chosen:
    if not text.strip():
        gains = [
            vectors.score(place, "combination val") - vectors.score(place, "single val")
            for place in range(len(vectors.concepts))
        ]
        text = vectors.concepts[int(np.argmax(gains))].name
    terms = vectors.parse(text)
    weights = vectors.combine(terms)
    best = int(vectors.best_units[terms[0][1]]) if len(terms) == 1 else int(np.abs(weights).argmax())
    return _Chosen(vectors, terms, " ".join(text.split()), weights, best)


def _current_masks(context: MethodContext, found: dict[str, ConceptVectors]) -> dict[str, MaskedPicture]:
    picture = drawn_picture(context)
    with torch.no_grad():
        maps = PartialForward(context.model, context.layers, context.arguments)(context.arguments).maps
    return {
        layer: MaskedPicture(picture, _above(maps[layer][0], own.thresholds), None, "this picture")
        for layer, own in found.items()
    }


def _above(maps: torch.Tensor, thresholds: np.ndarray) -> np.ndarray:
    """(U, h, w) values -> (U, h, w) float32, 1 above thresholds (U,)."""
    found: np.ndarray = (maps.float().cpu().numpy() > thresholds[:, None, None]).astype(np.float32)
    return found


def _unit_maps(context: MethodContext, chosen: _Chosen, current: MaskedPicture) -> Maps:
    layer, numbers = chosen.vectors.layer, context.selected_channels(chosen.vectors.layer)
    most = float(np.abs(chosen.weights).max()) or 1.0
    tiles = {unit: lit_tile(current, unit, float(chosen.weights[unit]) / most) for unit in numbers}
    labels, categories = [], []
    for unit in numbers:
        weight, is_alone = float(chosen.weights[unit]), unit == chosen.best and len(chosen.terms) == 1
        is_named = abs(weight) >= LEAST_NAMED * most or is_alone
        labels.append(f"{weight:+.2f}{' best alone' * is_alone}" if is_named else "")
        categories.append((2 if weight >= 0 else 1) if is_named else 0)
    extras = {"values": chosen.weights[list(numbers)], CATEGORY: np.array(categories, np.int32)}
    maps = picture_maps(layer, CONCEPT_VECTORS.name, tiles, len(chosen.weights), context.channels, labels, extras)
    return replace(maps, note=_describe(chosen))


def _sheet(context: MethodContext, chosen: _Chosen, pictures: Sequence[MaskedPicture]) -> Maps:
    combinations = {f"unit {chosen.best} alone": np.zeros_like(chosen.weights)}
    combinations[f"unit {chosen.best} alone"][chosen.best] = 1.0
    if len(chosen.terms) == 1:
        few = chosen.vectors.few[chosen.terms[0][1]]
        combinations[f"{np.count_nonzero(few)} units"] = few
    combinations["all units"] = chosen.weights
    sheet = draw_sheet([shown.tiles(combinations) for shown in pictures], TEXT)
    return sheet_maps(chosen.vectors.layer, CONCEPT_VECTORS.name, sheet, chosen.name, {}, _describe(chosen))


def _describe(chosen: _Chosen) -> str:
    """Returns "ring: IoU .42 by 72 units, .20 by unit 9 alone"; of a sum the most similar concepts."""
    vectors = chosen.vectors
    if len(chosen.terms) > 1:
        near = vectors.nearest_concepts(chosen.weights, [place for _, place in chosen.terms])[:3]
        names = ", ".join(f"{vectors.concepts[place].name} {cosine:.2f}" for place, cosine in near)
        return f"{chosen.name}: nearest {names or 'to nothing'}"
    place = chosen.terms[0][1]
    together, alone = (vectors.score(place, f"{kind} val") for kind in ("combination", "single"))
    return f"{chosen.name}: IoU {together:.2f} by all units, {alone:.2f} by unit {chosen.best} alone (validation)"


def _examples(context: MethodContext, chosen: _Chosen, seed: int) -> list[MaskedPicture]:
    """Returns a few pictures of the data set that show the concept; none of a sum, or without labels."""
    data = context.data
    if not isinstance(data, LabelledData) or len(chosen.terms) > 1:
        return []
    concept = chosen.vectors.concepts[chosen.terms[0][1]]
    if concept not in data.concept_table:
        return []
    number, layer = data.concept_table.index(concept) + 1, chosen.vectors.layer
    wanted = [
        index for index in random_indices(data, min(CANDIDATES, len(data)), seed + 1) if _shows(data, index, number)
    ]
    found: list[MaskedPicture] = []
    passing = DataSetPass(context, [layer], CONCEPT_VECTORS.name)
    for batch in passing.batches(wanted[:EXAMPLES]) if wanted else ():
        kept, labels = read_labels(context, data, batch)
        for row, place in enumerate(kept):
            inside = (labels.maps[row] == number).any(0) | bool((labels.whole[row] == number).any())
            picture = batch.pictures[place].astype(np.float32) / 255
            label = _resized(inside, picture.shape[:2])
            masks = _above(batch.maps[layer][place], chosen.vectors.thresholds)
            found.append(MaskedPicture(picture, masks, label, data.title(int(batch.indices[place]))))
    return found


def _shows(data: LabelledData, index: int, number: int) -> bool:
    try:
        labels = data.pixel_labels(index)
    except InputError:
        return False
    return bool((labels.maps == number).any() or (labels.whole == number).any())


def _resized(inside: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Resizes a mask (h, w) bool to a size by its nearest pixels."""
    rows, columns = (np.arange(length) * own // length for length, own in zip(size, inside.shape, strict=True))
    found: np.ndarray = inside[np.ix_(rows, columns)]
    return found


CONCEPT_VECTORS = Method(
    "concept_vectors",
    "Concept vectors",
    "Which units of a layer cover a concept together, and how much better than the best one alone.",
    concept_vectors,
    ConceptVectorsParameters,
    needs="input and data",
)
