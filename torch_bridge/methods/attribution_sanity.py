"""Attribution sanity: whether the heat map of an attribution method changes when the network's weights become random.

Weights are replaced layer by layer from the output, and each heat map is compared with that of the trained network by
the rank correlation of absolute values. A map that stays the same shows the picture, not what the network has learnt.
Adebayo et al. 2018, "Sanity Checks for Saliency Maps", cascading randomisation.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..attribution.class_heat import HeatSource
from ..attribution.explained_values import ExplainedValues, explained_class
from ..attribution.heat_sheet import HeatTile, arrange_tiles, draw_heat, draw_sheet, drawn_picture, sheet_maps
from ..attribution.random_weights import LayerWeights, RandomWeights, layers_from_output
from ..attribution.rank_correlation import rank_correlation
from ..attribution.scaled_steps import scaled_steps
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import ZERO, Method, MethodContext, Step, parameter
from ..predictions.classes import PREDICTED
from ..recording import Maps
from ..recording.errors import InnerwalkError, InputError
from .attribution_scores import chosen_sources

FAST = "saliency,guided_backprop,deconvnet,smooth_grad,gradient_x_input,integrated_gradients,grad_cam,layer_cam"
"""Methods that take few runs of the network."""
LONGEST = 18
"""Characters of a layer's id that are shown below a map."""
LATE = "changes only at the end"


@dataclass(frozen=True)
class Parameters:
    """The class, the methods, and how weights are replaced."""

    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    methods: str = parameter(FAST, "Methods to check, separated by commas; empty: all attribution methods")
    stages: int = parameter(
        6, "Parts of the network, from the output, whose weights become random one after another", 1, 64
    )
    threshold: float = parameter(0.5, "Rank correlation above which a map counts as unchanged", 0.0, 1.0)
    seed: int = parameter(0, "Seed of the random weights", 0, 2**31 - 1)


class CheckedStage(NamedTuple):
    """A heat map after weights have become random from the output to a layer."""

    layer: str
    """"" for the network's own weights."""
    heat: np.ndarray
    """(H, W) float32."""
    correlation: float
    """Rank correlation of its absolute values with those of the original map; NaN where it is zero everywhere, as that
    tells nothing: random weights may silence a class."""


class CheckedMethod(NamedTuple):
    """A method with its heat maps, the original one first."""

    name: str
    stages: tuple[CheckedStage, ...]

    @property
    def lowest(self) -> float:
        """The lowest correlation with the original map; NaN if no stage has any."""
        return min((stage.correlation for stage in self.stages[1:] if stage.heat.any()), default=math.nan)

    def changes_at(self, threshold: float) -> int:
        """Returns the first stage, from 1, whose correlation isn't above the threshold; 0 if none is."""
        changed = (k for k, stage in enumerate(self.stages) if k and stage.correlation <= threshold)
        return next(changed, 0)

    def verdict(self, threshold: float) -> str:
        """Returns "unchanged", LATE where all stages but the last keep the map, or else "changes"."""
        first, last = self.changes_at(threshold), len(self.stages) - 1
        if not first:
            return "unchanged"
        return LATE if first == last > 1 else "changes"


def attribution_sanity(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Checks method after method, drawn on the layer of the classes. What the network doesn't allow is left out.

    Between steps the network has its own weights. Maps: one colour map (1, H, W, 3) sRGB 0..1, a row for each method,
    from the original map to that of a wholly random network; methods that stay unchanged, or do until the last stage,
    are marked. Extra "correlations:METHOD" (stages,) float32, NaN for maps of zeros. Raises InputError, ModelError or
    UnknownName.
    """
    sources = list(chosen_sources(parameters.methods).values())
    yield Step(0.0, "running the network")
    explained, checked, left_out = explained_class(context, parameters.of_class), list[CheckedMethod](), list[str]()
    parts = _parts(context, parameters.stages)
    for number, source in enumerate(sources):
        try:
            method = yield from _check(
                source, explained, parts, parameters.seed, number / len(sources), 1 / len(sources)
            )
        except InnerwalkError as error:
            left_out.append(f"{source.name} ({error})")
            continue
        checked.append(method)
        maps = _maps(explained, checked, left_out, parameters.threshold)
        yield Step((number + 1) / len(sources), f"{method.name}: down to {method.lowest:.2f}", (maps,))
    if not checked:
        raise InputError(f"no heat map to check: {'; '.join(left_out)}")


def _parts(context: MethodContext, count: int) -> list[list[LayerWeights]]:
    """Returns the layers with weights in so many parts, the last layers first. Raises InputError without weights."""
    layers = layers_from_output(context.model, context.network)
    if not layers:
        raise InputError(f"{context.network.name} has no weights that could become random")
    ends = np.linspace(0, len(layers), min(count, len(layers)) + 1).round().astype(int)
    return [layers[first:last] for first, last in zip(ends[:-1], ends[1:], strict=True)]


def _check(
    source: HeatSource,
    explained: ExplainedValues,
    parts: list[list[LayerWeights]],
    seed: int,
    start: float,
    share: float,
) -> Generator[Step, None, CheckedMethod]:
    weights, stages, each = RandomWeights(seed), list[CheckedStage](), share / (len(parts) + 1)
    for number, part in enumerate([[], *parts]):
        for layer in part:
            weights.add(layer)
        name = part[-1].layer if part else ""
        run = weights.during(source.compute(explained.context, explained))
        message = f"{source.name}, {f'random from the output to {name}' if part else 'own weights'}"
        heat = yield from scaled_steps(run, start + number * each, each, message)
        if not part and not heat.any():
            raise InputError(ZERO)
        original = stages[0].heat if stages else heat
        same = rank_correlation(np.abs(original), np.abs(heat)) if heat.any() else math.nan
        stages.append(CheckedStage(name, heat, same))
    method = CheckedMethod(source.name, tuple(stages))
    if math.isnan(method.lowest):
        raise InputError(f"{ZERO} with random weights; another seed may help")
    return method


def _maps(explained: ExplainedValues, checked: list[CheckedMethod], left_out: list[str], threshold: float) -> Maps:
    picture = drawn_picture(explained.context)
    rows = arrange_tiles([[_tile(picture, method, stage, threshold) for stage in method.stages] for method in checked])
    extras = {
        f"correlations:{method.name}": np.array([stage.correlation for stage in method.stages[1:]], np.float32)
        for method in checked
    }
    assert explained.target is not None
    verdicts = {method.name: method.verdict(threshold) for method in checked}
    unchanged, late = ([name for name, verdict in verdicts.items() if verdict == kind] for kind in ("unchanged", LATE))
    label = f"{explained.target.name}: {', '.join(unchanged) or 'no map'} unchanged by random weights"
    label += f"; {', '.join(late)} only at the end" if late else ""
    note = f"left out: {'; '.join(left_out)}" if left_out else ""
    return sheet_maps(explained.layer, ATTRIBUTION_SANITY.name, draw_sheet(rows), label, extras, note)


def _tile(picture: np.ndarray, method: CheckedMethod, stage: CheckedStage, threshold: float) -> HeatTile:
    verdict = method.verdict(threshold)
    if stage.layer:
        caption = f"random to {stage.layer[-LONGEST:]}", f"{stage.correlation:.2f}" if stage.heat.any() else ZERO
    else:
        caption = method.name, verdict
    return HeatTile(draw_heat(picture, stage.heat), caption, verdict != "changes")


ATTRIBUTION_SANITY = Method(
    "attribution_sanity",
    "Attribution sanity",
    "Whether the heat maps of attribution methods change when the network's weights become random.",
    attribution_sanity,
    Parameters,
)
