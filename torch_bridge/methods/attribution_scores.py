"""Attribution scores: how well the heat maps of all attribution methods tell which pixels a class depends on, ranked.

Regions are inserted into the blurred picture, and deleted to grey, hottest first; the score is the area under the
probability's curve for insertion minus that for deletion, -1..1. A random map is among them: what isn't better tells
nothing about the picture.
Petsiuk, Das and Saenko 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models", section 4; in
regions as in Samek et al. 2017, "Evaluating the Visualization of What a Deep Neural Network Has Learned".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..attribution.baselines import baseline_picture
from ..attribution.class_heat import HeatSource
from ..attribution.explained_values import ExplainedValues, explained_class
from ..attribution.heat_sheet import (
    HeatTile,
    arrange_tiles,
    draw_curves,
    draw_heat,
    draw_sheet,
    drawn_picture,
    sheet_maps,
)
from ..attribution.pixel_curves import PixelCurves, measure_curves, region_ranks
from ..attribution.scaled_steps import scaled_steps
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import ZERO, Method, MethodContext, Step, parameter
from ..predictions.classes import PREDICTED
from ..recording import Maps
from ..recording.errors import InnerwalkError, InputError, UnknownName
from .attention_rollout import ATTENTION_ROLLOUT
from .cam import CAM
from .grad_cam import GRAD_CAM
from .gradient_x_input import GRADIENT_X_INPUT
from .integrated_gradients import INTEGRATED_GRADIENTS
from .layer_cam import LAYER_CAM
from .occlusion import OCCLUSION
from .rise import RISE
from .smooth_grad import SMOOTH_GRAD

RANDOM = "random"
"""Name of the map of random numbers."""
CLEARLY = 0.05
"""Difference of scores below which a map isn't clearly better than the random one."""
NOTHING_BETTER = "no heat map is clearly better than the random one: none tells which pixels the class depends on"
SOURCES = {
    source.name: source
    for source in (
        HeatSource("saliency"),
        HeatSource("guided_backprop", rule="guided"),
        HeatSource("deconvnet", rule="deconvnet"),
        HeatSource("smooth_grad", SMOOTH_GRAD),
        HeatSource("gradient_x_input", GRADIENT_X_INPUT),
        HeatSource("integrated_gradients", INTEGRATED_GRADIENTS),
        HeatSource("cam", CAM),
        HeatSource("grad_cam", GRAD_CAM, "maps"),
        HeatSource("layer_cam", LAYER_CAM, "maps"),
        HeatSource("occlusion", OCCLUSION, parameters={"of": "class"}),
        HeatSource("rise", RISE),
        HeatSource("attention_rollout", ATTENTION_ROLLOUT, "attention"),
    )
}
"""The attribution methods, by name."""


@dataclass(frozen=True)
class Parameters:
    """The class, the methods, and the steps."""

    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    methods: str = parameter("", f"Methods to compare, separated by commas; empty: all of {', '.join(SOURCES)}")
    steps: int = parameter(32, "Steps from no pixel to all", 2, 1000)
    cells: int = parameter(
        14, "Regions along each side; 0: single pixels, as Petsiuk et al., which favours noise", 0, 256
    )
    seed: int = parameter(0, "Seed of the random map, and of the order of equal regions", 0, 2**31 - 1)


class ScoredHeat(NamedTuple):
    """A heat map with its curves."""

    name: str
    heat: np.ndarray
    """(H, W) float32."""
    curves: PixelCurves


def attribution_scores(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Scores method after method, drawn on the layer of the classes. What the network doesn't allow is left out.

    Maps: one colour map (1, H, W, 3) sRGB 0..1: the heat maps side by side with their curves, best first. Extras
    "curves:METHOD" (2, steps + 1) float32, probabilities by insertion and deletion; "scores:METHOD" (3,) float32,
    area of insertion, area of deletion, and the first minus the second. Raises InputError, ModelError or UnknownName.
    """
    sources = chosen_sources(parameters.methods)
    yield Step(0.0, "running the network")
    explained, scored, left_out = explained_class(context, parameters.of_class), list[ScoredHeat](), list[str]()
    ends = baseline_picture(context, "blur"), baseline_picture(context, "grey")
    share = 1 / (len(sources) + 1)
    for number, name in enumerate([*sources, RANDOM]):
        start = number * share
        try:
            if name == RANDOM:
                heat = np.random.default_rng(parameters.seed).random(explained.picture.shape[2:], np.float32)
            else:
                compute = sources[name].compute(context, explained)
                heat = yield from scaled_steps(compute, start, 0.8 * share, name)
            if not heat.any():
                raise InputError(ZERO)
        except InnerwalkError as error:
            left_out.append(f"{name} ({error})")
            continue
        run = measure_curves(explained, region_ranks(heat, parameters.cells, parameters.seed), ends, parameters.steps)
        curves = yield from scaled_steps(run, start + 0.8 * share, 0.2 * share, name)
        scored.append(ScoredHeat(name, heat, curves))
        scored.sort(key=lambda each: -each.curves.score)
        yield Step(start + share, f"{name}: {curves.score:+.2f}", (_maps(context, explained, scored, left_out),))


def chosen_sources(methods: str) -> dict[str, HeatSource]:
    """Returns the attribution methods of a text such as "rise, grad_cam"; all for "". Raises UnknownName."""
    names = [name.strip() for name in methods.split(",") if name.strip()]
    for name in names:
        if name not in SOURCES:
            raise UnknownName("attribution method", name, SOURCES)
    return {name: SOURCES[name] for name in names} or dict(SOURCES)


def _maps(context: MethodContext, explained: ExplainedValues, scored: list[ScoredHeat], left_out: list[str]) -> Maps:
    picture = drawn_picture(context)
    tiles = [(_heat_tile(picture, rank, each), _curve_tile(each)) for rank, each in enumerate(scored, 1)]
    rows = arrange_tiles(tiles)
    extras = {f"curves:{each.name}": np.stack(each.curves).astype(np.float32) for each in scored}
    for each in scored:
        areas = each.curves.insertion_area, each.curves.deletion_area, each.curves.score
        extras[f"scores:{each.name}"] = np.array(areas, np.float32)
    assert explained.target is not None
    label = f"{explained.target.name}: best is {scored[0].name}, {scored[0].curves.score:+.2f}"
    random = [each.curves.score for each in scored if each.name == RANDOM]
    is_better = not random or scored[0].curves.score >= random[0] + CLEARLY
    notes = [] if is_better or len(scored) == 1 else [NOTHING_BETTER]
    notes += [f"left out: {'; '.join(left_out)}"] if left_out else []
    return sheet_maps(explained.layer, ATTRIBUTION_SCORES.name, draw_sheet(rows), label, extras, "; ".join(notes))


def _heat_tile(picture: np.ndarray, rank: int, each: ScoredHeat) -> HeatTile:
    is_random = each.name == RANDOM
    return HeatTile(draw_heat(picture, each.heat), (f"{rank}  {each.name}", f"{each.curves.score:+.2f}"), is_random)


def _curve_tile(each: ScoredHeat) -> HeatTile:
    curves = each.curves
    caption = f"insertion {curves.insertion_area:.2f}", f"deletion {curves.deletion_area:.2f}"
    return HeatTile(draw_curves(curves.insertion, curves.deletion), caption, each.name == RANDOM)


ATTRIBUTION_SCORES = Method(
    "attribution_scores",
    "Attribution scores",
    "All attribution methods side by side, ranked by how well they tell which pixels a class depends on.",
    attribution_scores,
    Parameters,
)
