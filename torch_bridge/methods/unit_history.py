"""The picture that a channel looks for, with each checkpoint of a training run: activation maximisation side by side.

All begin with the same noise, so that they differ by the weights alone. Erhan et al. 2009, "Visualizing Higher-Layer
Features of a Deep Network"; a channel at several times of training as in figure 4 of Zeiler and Fergus 2014.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from torch import nn

from ..attribution.heat_sheet import HeatTile, arrange_tiles, draw_sheet, sheet_maps, to_tile
from ..method_support.maximisation_parameters import MaximisationParameters
from ..method_support.maximisation_run import MaximisationRun
from ..method_support.method import Method, MethodContext, Step, parameter
from ..models.checkpoint_files import Checkpoint, find_checkpoints
from ..models.weights import load_weights
from ..recording import Maps
from ..recording.charts import fitted_chart, spread_places
from ..recording.errors import InputError, ModelError
from ..recording.files import user_path

MOST_UNITS, TEXT = 12, 20
"""Channels of a sheet; size of its text in pixels, which can be read in a hall from a panel's reading place."""


@dataclass(frozen=True)
class UnitHistoryParameters:
    """The run, and how pictures are synthesised."""

    checkpoints: str = parameter("", "Folder with the checkpoints of the training run, by the epochs in their names")
    most: int = parameter(12, "Checkpoints that are shown, spread evenly over the run", 2, 64)
    objective: Literal["channel", "neuron", "class"] = parameter(
        "channel", "What grows: the mean of a channel, its central position, or a class's score"
    )
    steps: int = parameter(0, "Steps of each picture; 0: as many as maximisation takes", 0, 100_000)
    seed: int = parameter(0, "Random seed", 0, 2**31 - 1)


@dataclass
class _History:
    """The pictures so far."""

    labels: list[str] = field(default_factory=list)
    """Of the checkpoints."""
    tiles: dict[int, list[HeatTile]] = field(default_factory=dict)
    """By channel, one for each checkpoint."""
    values: list[list[float]] = field(default_factory=list)
    """By checkpoint, what each channel reaches."""
    left_out: list[str] = field(default_factory=list)

    def add(self, label: str, run: MaximisationRun) -> None:
        """Adds the pictures of a checkpoint."""
        self.labels.append(label)
        self.values.append(run.values.tolist())
        several = len(run.shown) > 1
        for channel, value in zip(run.shown, run.values.tolist(), strict=True):
            caption = label, f"{channel}: {value:.3g}" if several else f"reaches {value:.3g}"
            self.tiles.setdefault(channel, []).append(HeatTile(to_tile(run.pictures[channel]), caption))


def unit_history(context: MethodContext, parameters: UnitHistoryParameters) -> Iterator[Step]:
    """Synthesises pictures with checkpoint after checkpoint, for each layer.

    Maps: one colour map (1, H, W, 3) sRGB 0..1 of a layer: for each selected channel its pictures from the first
    checkpoint to the last, with what they reach. Chart: these values as lines. Raises InputError without a run or with
    too many channels, and ModelError if no checkpoint can be shown.
    """
    if not parameters.checkpoints:
        raise InputError("unit_history needs a training run; checkpoints=FOLDER names it")
    if not 0 < len(context.channels) <= MOST_UNITS:
        raise InputError(f"unit_history shows 1 to {MOST_UNITS} channels; choose some, such as channels 0,3")
    checkpoints = find_checkpoints(user_path(parameters.checkpoints)).checkpoints
    checkpoints = tuple(checkpoints[place] for place in spread_places(len(checkpoints), parameters.most))
    try:
        model = copy.deepcopy(context.model)  # whose weights change, while the network itself goes on working
    except Exception as error:  # whatever the modules of others raise
        raise ModelError(f"{context.network.name} can't be copied: {type(error).__name__}") from error
    histories = {layer: _History() for layer in context.layers}
    for number, checkpoint in enumerate(checkpoints):
        for step in _steps_of(replace(context, model=model), parameters, checkpoint, model, histories):
            yield replace(step, share=(number + step.share) / len(checkpoints))
        maps = [_maps(context, layer, history) for layer, history in histories.items() if history.labels]
        yield Step((number + 1) / len(checkpoints), checkpoint.label, maps)
    if not any(history.labels for history in histories.values()):
        why = next(iter(histories.values())).left_out[0]
        raise ModelError(f"none of {len(checkpoints)} checkpoints can be shown: {why}")


def _steps_of(
    context: MethodContext,
    parameters: UnitHistoryParameters,
    checkpoint: Checkpoint,
    model: nn.Module,
    histories: dict[str, _History],
) -> Iterator[Step]:
    """Loads a checkpoint into a copy of the network, and adds its pictures to each layer's, or why there are none."""
    wanted = MaximisationParameters(parameters.objective, steps=parameters.steps, seed=parameters.seed)
    try:
        load_weights(model, checkpoint.path)
        for place, (layer, history) in enumerate(histories.items()):
            run = MaximisationRun(context, wanted, layer)
            for step in run.steps():
                yield Step((place + step.share) / len(histories), f"{checkpoint.label}: {step.message}")
            history.add(checkpoint.label, run)
    except ModelError as error:  # of another network, or of a run that has diverged
        for history in histories.values():
            if checkpoint.label not in history.labels:
                history.left_out.append(f"{checkpoint.label}; {str(error).partition(' (')[0].replace(': ', '; ')}")


def _maps(context: MethodContext, layer: str, history: _History) -> Maps:
    groups = list(history.tiles.values())
    rows = arrange_tiles([[tile] for tile in groups[0]]) if len(groups) == 1 else arrange_tiles(groups)
    channels = list(history.tiles)
    named = f"channel{'s' * (len(channels) > 1)} {', '.join(map(str, channels))}"
    label = f"{named}, {history.labels[0]} to {history.labels[-1]}"
    note = "; ".join(f"left out {line}" for line in history.left_out)
    chart = fitted_chart(
        "lines",
        f"what pictures for {layer} reach",
        history.labels,
        [f"channel {channel}" for channel in channels],
        np.array(history.values),
        row_axis="checkpoint",
        value_axis="value of the channel" if len(channels) == 1 else "values of the channels",
    )
    maps = sheet_maps(layer, UNIT_HISTORY.name, draw_sheet(rows, TEXT), label, {}, note)
    return replace(maps, charts=(chart,))


UNIT_HISTORY = Method(
    "unit_history",
    "Unit through training",
    "The pictures that make chosen channels fire most, with each checkpoint of a training run.",
    unit_history,
    UnitHistoryParameters,
    needs="network",
)
