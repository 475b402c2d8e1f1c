"""What an attribution explains: the score of a class, or the mean or maximum of each selected channel of a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from ..capture.call_arguments import first_argument
from ..method_support.method import MethodContext
from ..method_support.run_limits import copies_per_run, full_precision
from ..predictions.classes import ScoredClass, class_layer, class_scores, find_class, probabilities
from ..probing.partial_forward import PartialForward, PartialResult
from ..recording.errors import InputError, ModelError

Explained = Literal["class", "mean", "maximum"]
EXPLAINED_HELP = "What is explained: the score of of_class (on the layer of classes), or a channel's mean or maximum"


class ExplainedValues:
    """The explained values of one layer, for any pictures: those of its selected channels, or one of a class."""

    def __init__(self, context: MethodContext, layer: str, of: Explained, target: ScoredClass | None = None) -> None:
        """Runs the network once. target: the class, if its score is explained. Raises InputError and ModelError."""
        self.context, self.layer, self.of, self.target = context, layer, of, target
        self.forward = PartialForward(context.model, [layer], context.arguments, context.positions)
        self.channels = [target.index] if target is not None else list(context.selected_channels(layer))
        self.picture = context.picture.detach()[:1]
        # A network that takes a list of pictures may choose among them, so it gets one at a time.
        takes_list = isinstance(first_argument(context.arguments), list)
        self.copies = 1 if takes_list else copies_per_run(context.network, [layer], context.device)
        """Pictures to run at once."""

    def __call__(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W) pictures, normalised -> (N, K) values of the K channels, with their autograd history."""
        with full_precision(self.context.device):
            if self.target is not None:
                values = class_scores(self._run(pictures).output)
            else:
                arguments = self.context.arguments_with(pictures)
                maps = self.forward(arguments).maps[self.layer].flatten(2)
                values = maps.mean(2) if self.of == "mean" else maps.amax(2)
        if len(values) != len(pictures):
            raise ModelError(f"the network gives {len(values)} maps of {self.layer} for {len(pictures)} pictures")
        return values[:, self.channels]

    def measure(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W) pictures -> (N, K): the values without gradients; of a class its probability, 0..1."""
        with torch.no_grad():
            if self.target is None:
                return self(pictures)
            with full_precision(self.context.device):
                result = self._run(pictures)
            scores = class_scores(result.output)
            return probabilities(scores, independent=result.independent)[:, self.channels]

    def _run(self, pictures: Tensor) -> PartialResult:
        return self.forward(self.context.arguments_with(pictures), to_output=True)


def explained_layers(context: MethodContext, of: Explained, of_class: int) -> Iterator[ExplainedValues]:
    """Yields what is explained on each layer; a class only on the layer of the classes. Raises InputError."""
    if of == "class":
        yield explained_class(context, of_class)
        return
    for id in context.layers:
        yield ExplainedValues(context, id, of)


def explained_class(context: MethodContext, of_class: int) -> ExplainedValues:
    """Returns the score of a class, drawn on the layer of the classes. Raises InputError if that isn't requested."""
    forward = PartialForward(context.model, context.layers[:1], context.arguments)
    with torch.no_grad(), full_precision(context.device):
        result = forward(context.arguments, to_output=True)
    scores = class_scores(result.output)
    target = find_class(scores, of_class, context.class_names, independent=result.independent)
    layer = class_layer(context.network, scores.shape[1])
    if layer not in context.layers:
        raise InputError(f"the score of {target.name} is drawn on the layer of the classes, {layer}; ask for that")
    return ExplainedValues(context, layer, "class", target)
