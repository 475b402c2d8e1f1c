"""Attribution methods on pictures of `concepts`, where it is known which pixels the class is in.

    python -m innerwalk.bench.attribution_truth [number of pictures]

For the class of the main object, the mean over the pictures that the network names right of: the share of a map's
positive sum inside the object's pixels (energy; Wang et al. 2020, Score-CAM), how often its hottest pixel is inside
(pointing; Zhang et al. 2016), and insertion minus deletion (Petsiuk et al. 2018, as `attribution_scores`). "chance" is
the object's share of the picture; a random map is among the methods. "error of": standard error of the mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from ..torch_bridge import concepts, record
from ..torch_bridge.attribution.baselines import baseline_picture
from ..torch_bridge.attribution.class_heat import HeatSource
from ..torch_bridge.attribution.explained_values import explained_class
from ..torch_bridge.attribution.pixel_curves import measure_curves, region_ranks
from ..torch_bridge.concepts.dataset import Sample, sample
from ..torch_bridge.concepts.vocabulary import SPLITS
from ..torch_bridge.inputs.preprocess import Preprocessing
from ..torch_bridge.methods import MethodContext, Step
from ..torch_bridge.methods.attribution_scores import RANDOM, SOURCES
from ..torch_bridge.predictions.class_names import ClassNames
from ..torch_bridge.recording.errors import InnerwalkError

PICTURES, STEPS, CELLS, SEED = 200, 32, 14, 0
OBJECT = 1
"""Number of the category of objects among a sample's maps."""
LEFT_OUT = ("rise",)
"""Methods that take minutes for 200 pictures."""


class HeatScores(NamedTuple):
    """Scores of one heat map."""

    energy: float
    """Share 0..1 of its positive sum that is inside the object's pixels."""
    pointing: float
    """1 where its hottest pixel is inside, else 0."""
    score: float
    """Insertion minus deletion, -1..1."""


def measure() -> dict[str, Any]:
    """Returns means and errors by method, best score first, and what chance gives."""
    return main()


def main(count: int = PICTURES) -> dict[str, Any]:
    """Prints and returns the table of so many pictures."""
    scored = list(score_pictures(count))
    rows = {name: [heats[name] for _, heats in scored if name in heats] for name in (*_sources(), RANDOM)}
    found: dict[str, Any] = {name: _summarise(row) for name, row in rows.items() if row}
    table = dict(sorted(found.items(), key=lambda item: -item[1]["insertion − deletion"]))
    table |= {"chance": float(np.mean([chance for chance, _ in scored])), "pictures": len(scored)}
    for name, row in table.items():
        print(name, row, flush=True)
    return table


def score_pictures(count: int) -> Iterator[tuple[float, dict[str, HeatScores]]]:
    """Yields the object's share 0..1 of each picture that is named right, out of `count`, and the scores by method."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    model, names = concepts.load("object")
    for index in range(count):
        shown = sample(SEED, SPLITS["validation"], index, task="object")
        context = _context(model, shown, ClassNames(tuple(names)))
        explained = explained_class(context, shown.label)
        if int(model(context.picture).argmax()) != shown.label:
            continue
        inside = shown.maps[OBJECT] == shown.boxes[0].concept
        ends = baseline_picture(context, "blur"), baseline_picture(context, "grey")
        scores = {}
        for name, source in {**_sources(), RANDOM: None}.items():
            heat = _heat(source, context, explained, index)
            if heat is not None:
                ranks = region_ranks(heat, CELLS, SEED)
                score = _last(measure_curves(explained, ranks, ends, STEPS)).score
                scores[name] = HeatScores(_energy(heat, inside), float(inside.flat[heat.argmax()]), score)
        yield float(inside.mean()), scores


def _sources() -> dict[str, HeatSource]:
    return {name: source for name, source in SOURCES.items() if name not in LEFT_OUT}


def _context(model: torch.nn.Module, shown: Sample, names: ClassNames) -> MethodContext:
    picture = (torch.from_numpy(shown.image.copy()).permute(2, 0, 1)[None].float() / 255 - 0.5) / 0.5
    return MethodContext(
        model=model,
        arguments=(picture,),
        network=record(model, picture, layers=()).network,
        layers=("fc",),
        channels=(),
        record=lambda arguments, layers: record(model, arguments, layers=list(layers)),
        arguments_from_picture=lambda picture: (picture,),
        data=None,
        device=torch.device("cpu"),
        preprocessing=Preprocessing(size=(shown.image.shape[0], shown.image.shape[1]), mean=(0.5,) * 3, std=(0.5,) * 3),
        class_names=names,
    )


def _heat(source: HeatSource | None, context: MethodContext, explained: Any, index: int) -> np.ndarray | None:
    """Returns a method's map (H, W); None where the network doesn't allow it, or the map is 0 everywhere."""
    if source is None:
        return np.random.default_rng(index).random(explained.picture.shape[2:], np.float32)
    try:
        heat = _last(source.compute(context, explained))
    except InnerwalkError:
        return None
    return heat if heat.any() else None


def _last(steps: Iterator[Step]) -> Any:
    """Runs a generator to its end and returns its value."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _energy(heat: np.ndarray, inside: np.ndarray) -> float:
    positive = np.maximum(heat, 0)
    return float(positive[inside].sum() / max(float(positive.sum()), 1e-12))


def _summarise(rows: list[HeatScores]) -> dict[str, float]:
    """Returns means, their standard errors, and the number of maps."""
    found: dict[str, float] = {}
    for name, column in zip(("energy inside", "pointing", "insertion − deletion"), np.transpose(rows), strict=True):
        found[name] = float(column.mean())
        found[f"error of {name}"] = float(column.std(ddof=1) / len(column) ** 0.5)
    return found | {"maps": float(len(rows))}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
