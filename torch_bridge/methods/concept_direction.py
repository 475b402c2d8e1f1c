"""Concept direction: the direction in a layer's values that tells a concept, and which classes depend on it (TCAV).

A linear probe tells pictures of the concept from others by their channels' means over positions; its weights, with
length 1, are the direction v. The sensitivity of class k is the share of its pictures x whose score rises along v,
TCAV_k = mean_x [sum_p dS_k/dA_p(x) v > 0] over positions p. Random splits of the same pictures have directions too: the
share of them along which the mean score changes as much tells whether a class depends on the concept or by chance.
Kim et al. 2018, "Interpretability Beyond Feature Attribution: Quantitative Testing with Concept Activation Vectors";
the test is a permutation test instead of theirs, since in a linear head each direction gives a share of 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from ..attribution.heat_sheet import drawn_picture, sheet_maps
from ..attribution.scaled_steps import scaled_steps
from ..data import DataSet, random_indices
from ..directions.class_sensitivity import (
    LEAST_OF_CLASS,
    SIGNIFICANT,
    ClassGradients,
    ClassSensitivity,
    class_sensitivities,
    measure_gradients,
)
from ..directions.concept_pictures import ConceptPictures, check_count, find_concept_pictures
from ..directions.direction_sheet import COLUMNS, DrawnPicture, draw_data, draw_direction, make_picture, project
from ..directions.linear_probe import LinearProbe, ProbeFit, chance_probability
from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import Method, MethodContext, Step, parameter
from ..probing.partial_forward import PartialForward
from ..recording import Maps
from ..recording.errors import InnerwalkError, InputError, ModelError

MOST_CLASSES = 32
"""Classes whose numbers are kept."""
SPLITS_PER_STEP = 8


@dataclass(frozen=True)
class Parameters:
    """The pictures of the concept and the others, and how chance is estimated."""

    concept: str = parameter(
        "",
        "Pictures of the concept: a folder or .zip, a class of the data set, or a label of concepts, such as stripes",
    )
    others: str = parameter("", "Pictures without it, named in the same way; empty: the data set's other pictures")
    count: int = parameter(100, "Pictures of the concept, and as many others", 10, 2000)
    tested: int = parameter(240, "Pictures of the data set whose classes' sensitivity is measured", 1, 100_000)
    splits: int = parameter(400, "Random splits of the same pictures, for comparison", 20, 100_000)
    steps: int = parameter(128, "Steps of the picture that is made for the direction; 0: none", 0, 100_000)
    seed: int = parameter(0, "Seed that chooses pictures and splits", 0, 2**31 - 1)


class _Measured(NamedTuple):
    """What is measured of the pictures, for all layers."""

    concept: str
    values: dict[str, np.ndarray]
    """By layer (2 n, C) float64: means over positions of n pictures of the concept, then of n others."""
    tested: DataSet
    gradients: ClassGradients | None
    note: str
    """Why there are no gradients."""


class _Probed(NamedTuple):
    """The probe of a layer."""

    probe: LinearProbe
    correct: int
    """Held-out pictures that are classified correctly."""
    pictures: int
    classes: list[ClassSensitivity]
    splits: int
    """Random splits that the classes were compared with."""


def concept_direction(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Probes layer after layer, in the space of its selected channels.

    Maps: one colour map (1, H, W, 3) sRGB 0..1: the current picture with the projection of each position, the picture
    made for the direction, the classes, and those of the tested pictures that lie furthest along it (most) and against
    it (least), with their classes. Extras:
    "direction" (C,) float32; "projection" (h, w) float32, in units of the layer, 0 where the probe's kinds meet;
    "accuracy:probe" (2,) float32, share of held-out pictures classified correctly, and how probable that is by chance;
    "sensitivity:CLASS" (3,) float32, the class's share, that along random splits, and how probable it is by chance.
    Raises InputError or ModelError.
    """
    yield Step(0.0, "looking for pictures")
    for id in context.layers:
        context.selected_channels(id)
    current, results = _current_maps(context), len(context.layers)
    measured = yield from _measure(context, parameters)
    for number, layer in enumerate(context.layers):
        start, share = 0.5 + 0.5 * number / results, 0.5 / results
        probed = yield from scaled_steps(_probe(context, parameters, measured, layer), start, share / 2, layer)
        preferred, unmade = None, ""
        if parameters.steps:
            run = make_picture(context, layer, probed.probe, parameters.steps, parameters.seed)
            try:
                preferred = yield from scaled_steps(run, start + share / 2, share / 2, layer)
            except InnerwalkError as error:
                unmade = f"no made picture: {error}"
        shown = DrawnPicture(drawn_picture(context), project(current[layer], probed.probe))
        maps = _maps(context, layer, measured, probed, shown, preferred)
        maps = replace(maps, note="; ".join(filter(None, [maps.note, unmade])))
        yield Step(start + share, f"{layer}: {maps.labels[0]}", (maps,))


def _current_maps(context: MethodContext) -> dict[str, np.ndarray]:
    """By layer (C, h, w) float32: the values for the current picture."""
    with torch.no_grad():
        context.picture  # noqa: B018 - raises InputError unless there is one
        result = PartialForward(context.model, context.layers, context.arguments)(context.arguments)
    return {id: maps[0].float().cpu().numpy() for id, maps in result.maps.items()}


def _measure(context: MethodContext, parameters: Parameters) -> Generator[Step, None, _Measured]:
    finding = find_concept_pictures(
        context.data, parameters.concept, parameters.others, parameters.count, parameters.seed
    )
    sides = yield from scaled_steps(finding, 0.0, 0.1, "concept")
    parts = []
    for number, side in enumerate(sides):
        run = _channel_means(context, side)
        parts.append((yield from scaled_steps(run, 0.1 + 0.1 * number, 0.1, side.name)))
    values = {}
    for id in context.layers:
        fewest = min(len(part[id]) for part in parts)
        values[id] = np.concatenate([part[id][:fewest] for part in parts])
        if not np.isfinite(values[id]).all():
            raise ModelError(f"layer {id} has values that are NaN or infinite, which no probe can tell apart")
        if not np.ptp(values[id], 0).any():
            raise InputError(f"layer {id} has the same values for all pictures, so that it has no direction")
    tested = context.data or sides[1].data
    indices = random_indices(tested, min(parameters.tested, len(tested)), parameters.seed + 2)
    try:
        gradients = yield from scaled_steps(measure_gradients(context, tested, indices), 0.3, 0.2, "classes")
    except InnerwalkError as error:  # the probe tells something without classes or gradients
        return _Measured(sides[0].name, values, tested, None, f"no classes: {error}")
    return _Measured(sides[0].name, values, tested, gradients, "")


def _channel_means(context: MethodContext, side: ConceptPictures) -> Generator[Step, None, dict[str, np.ndarray]]:
    """By layer (n, C) float64: means over positions of the selected channels; 0 for the others."""
    parts: dict[str, list[np.ndarray]] = {id: [] for id in context.layers}
    data_set_pass = DataSetPass(replace(context, data=side.data), context.layers, CONCEPT_DIRECTION.name)
    for batch in data_set_pass.batches(side.indices):
        for id, maps in batch.maps.items():
            parts[id].append(maps.mean((2, 3)).cpu().numpy().astype(np.float64))
        yield Step(batch.done / len(side.indices), f"{batch.done} of {len(side.indices)} pictures")
    means = {}
    for id, rows in parts.items():
        joined = np.concatenate(rows)
        check_count(len(joined), side.name)
        means[id], chosen = np.zeros_like(joined), list(context.selected_channels(id))
        means[id][:, chosen] = joined[:, chosen]
    return means


def _probe(
    context: MethodContext, parameters: Parameters, measured: _Measured, layer: str
) -> Generator[Step, None, _Probed]:
    values, random = measured.values[layer], np.random.default_rng(parameters.seed)
    fit, labels = ProbeFit(values), np.arange(len(values)) < len(values) // 2
    probe, correct = fit.probe(labels), fit.held_out_correct(labels, random)
    if measured.gradients is None:
        return _Probed(probe, correct, len(labels), [], 0)
    directions = np.empty((parameters.splits, values.shape[1]))
    for number in range(parameters.splits):
        directions[number] = fit.probe(random.permutation(labels)).direction
        if number % SPLITS_PER_STEP == 0:
            yield Step(number / parameters.splits, f"random split {number} of {parameters.splits}")
    classes = class_sensitivities(measured.gradients, layer, probe.direction, directions)
    return _Probed(probe, correct, len(labels), classes, parameters.splits)


def _maps(
    context: MethodContext,
    layer: str,
    measured: _Measured,
    probed: _Probed,
    current: DrawnPicture,
    preferred: np.ndarray | None,
) -> Maps:
    along, against, tested, missing = list[DrawnPicture](), list[DrawnPicture](), "", ""
    if (found := measured.gradients) is not None:
        order = np.argsort(found.means[layer] @ probed.probe.direction, kind="stable")
        for end, rows in zip((along, against), (order[::-1][:COLUMNS], order[:COLUMNS]), strict=True):
            names, numbers = [found.names[k] for k in found.classes[rows]], found.indices[rows].tolist()
            end += draw_data(context, measured.tested, layer, probed.probe, numbers, names)
        tested = f"{len(order)} of {measured.tested.name}"
        missing = _missing_note(measured, found.indices[order[::-1][:COLUMNS]].tolist())
    sheet = draw_direction(current, preferred, probed.classes, along, against, tested)
    chance = chance_probability(probed.correct, probed.pictures)
    extras = {
        "direction": probed.probe.direction.astype(np.float32),
        "projection": current.projection,
        "accuracy:probe": np.array([probed.correct / probed.pictures, chance], np.float32),
    }
    shown = sorted(probed.classes, key=lambda each: each.p_value)[:MOST_CLASSES]
    for each in shown:
        extras[f"sensitivity:{each.name}"] = np.array([each.share, each.random_share, each.p_value], np.float32)
    label = (
        f"{measured.concept}: {probed.correct / probed.pictures:.0%} classified correctly; {_describe(probed.classes)}"
    )
    note = "; ".join(filter(None, [_probe_note(probed, chance), _class_note(measured, probed), missing]))
    return sheet_maps(layer, CONCEPT_DIRECTION.name, sheet, label, extras, note)


def _describe(classes: list[ClassSensitivity]) -> str:
    """Names the classes whose sensitivity is more than chance, with their shares."""
    found = [f"{each.share:.0%} of {each.name}" for each in classes if each.is_significant(len(classes))]
    return f"score rises for {', '.join(found)}" if found else "no class depends on it more than on random splits"


def _probe_note(probed: _Probed, chance: float) -> str:
    if chance <= SIGNIFICANT:
        return ""
    count = f"{probed.correct} of {probed.pictures} pictures classified correctly"
    return f"{count} may be chance: the layer doesn't show the concept"


def _missing_note(measured: _Measured, along: list[int]) -> str:
    """Returns the note of a direction along which no picture shows the concept, though some of the data set do."""
    concept, tested = measured.concept, measured.tested
    if concept not in tested.concepts or any(tested.shows(index, concept) is not False for index in along):
        return ""
    return f"none of the {len(along)} pictures furthest along shows {concept}"


def _class_note(measured: _Measured, probed: _Probed) -> str:
    if measured.gradients is None:
        return measured.note
    if not probed.classes:
        return f"no class has {LEAST_OF_CLASS} of the {len(measured.gradients.classes)} tested pictures"
    if all(each.share == each.random_share == 0 for each in probed.classes):
        return "no class's score depends on this layer"
    needed = math.ceil(len(probed.classes) / SIGNIFICANT) - 1
    if probed.splits < needed:
        few = f"{probed.splits} random splits are too few to show that any of {len(probed.classes)} classes"
        return f"{few} is no chance; {needed} are enough"
    return ""


CONCEPT_DIRECTION = Method(
    "concept_direction",
    "Concept direction",
    "Where a concept lies in a layer, and which classes depend on it, from pictures with and without it.",
    concept_direction,
    Parameters,
    needs="input and data",
)
