"""The kinds of a network's outputs, from their names, shapes and dtypes, and what their boards show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..predictions.class_names import ClassNames
from ..predictions.outputs import interpret_sample
from ..recording import Endpoint, Prediction
from .boxes import make_boxes
from .content import NOTHING, Content, make_table
from .inputs import SOUNDS, SPECTRA, EndpointSample
from .pictures import make_class_volume, make_flow, make_masks, make_picture, make_spectrogram, make_volume
from .tokens import make_token_scores, make_tokens
from .waveform import make_waveform

SCORES = ("logit", "score", "prob", "class")
EMBEDDINGS = ("embed", "pool", "hidden", "feature", "latent", "state", "code")
TOKENS = ("ids", "tokens", "sequences")
"""Parts of the names of outputs of these kinds."""
FEW = 8
"""Numbers up to which a vector without a name is shown as numbers rather than as bars."""


@dataclass(frozen=True)
class OutputContext:
    """What the kind of an output depends on, beside the output itself."""

    samples: Mapping[str, EndpointSample]
    """All outputs by name."""
    main: str
    """Name of the output that the network is for."""
    prediction: Prediction
    """What that output means, if it is known."""
    inputs: tuple[Endpoint, ...]
    picture: np.ndarray
    """(H, W, 3) uint8 sRGB: the first input."""
    names: ClassNames | None = None
    """Names of classes; None if the network isn't known to tell classes."""
    words: Mapping[int, str] | None = None
    """Words of tokens; None if they aren't known."""

    @property
    def pictures(self) -> list[Endpoint]:
        """The inputs that are pictures."""
        return [own for own in self.inputs if own.kind == "picture"]

    @property
    def over(self) -> str:
        """Id of the layer of the first input if it is a picture, else ""."""
        return self.inputs[0].layer if self.inputs and self.inputs[0].kind == "picture" else ""

    def has_input(self, *kinds: str) -> bool:
        """Whether an input is of one of these kinds."""
        return any(own.kind in kinds for own in self.inputs)


def make_output(sample: EndpointSample, context: OutputContext) -> Content:
    """Makes the content of the board of an output."""
    if not sample.can_be_drawn:
        return NOTHING
    name, values = sample.name.rpartition(".")[2].lower(), sample.array()
    rank = values.ndim
    if values.dtype == bool or ("mask" in name and rank > 1):
        return make_masks(values)
    if "box" in name and rank == 2 and values.shape[1] == 4:
        found = make_boxes(values, _beside(sample, context), _names(context), context.picture.shape)
        return found._replace(over=context.over)
    if sample.values.numel() == 1:
        return make_table("numbers", values.reshape(1, 1))
    if not sample.values.is_floating_point():
        is_tokens = rank == 1 and (_has(name, TOKENS) or context.words is not None)
        return make_tokens(values, context.words or {}) if is_tokens else make_table("numbers", values)
    makers = {1: _make_vector, 2: _make_rows, 3: _make_planes, 4: _make_volume}
    return makers[rank](name, sample, values, context) if rank in makers else make_table("numbers", values)


def _beside(sample: EndpointSample, context: OutputContext) -> dict[str, np.ndarray]:
    """The outputs in the same part of the network's output, by the last part of their names; (…) of any shape."""
    part, parts = sample.name.rpartition(".")[0], {name: name.rpartition(".") for name in context.samples}
    return {parts[name][2]: other.array() for name, other in context.samples.items() if parts[name][0] == part}


def _names(context: OutputContext, count: int = 0) -> ClassNames:
    """Names of classes, if there are as many; names that a user has given for one output are no error for others.

    Scores of as many classes as an input has tokens are about these.
    """
    names = context.names or ClassNames()
    if not count or len(names.names) == count:
        return names
    tokens = (own.labels for own in context.inputs if own.kind == "tokens")
    return next((ClassNames(labels) for labels in tokens if len(labels) == count), ClassNames())


def _make_vector(name: str, sample: EndpointSample, values: np.ndarray, context: OutputContext) -> Content:
    """The content of (n,) values."""
    is_main = sample.name == context.main and context.names is not None and not _has(name, EMBEDDINGS)
    if is_main or _has(name, SCORES):
        return _from_prediction(sample, values, context)
    if _has(name, SOUNDS):
        return make_waveform(values)
    return make_table("embedding" if len(values) > FEW or _has(name, EMBEDDINGS) else "numbers", values)


def _make_rows(name: str, sample: EndpointSample, values: np.ndarray, context: OutputContext) -> Content:
    """The content of (rows, columns) values."""
    if sample.is_graph:
        return make_table("numbers", values, tuple(f"node {k}" for k in range(len(values))))
    is_language = context.has_input("tokens") and (_has(name, SCORES) or len(context.samples) == 1)
    if is_language and (_has(name, SCORES) or context.words is not None):
        return make_token_scores(sample.values.detach(), context.words or {})
    if _has(name, SPECTRA):
        return make_spectrogram(values)
    if "depth" in name:
        return make_picture(values)
    if _has(name, SCORES):
        return make_table("numbers", values)
    return make_table("embedding" if _has(name, ("embed", "pool")) else "sequence", values)


def _make_planes(name: str, sample: EndpointSample, values: np.ndarray, context: OutputContext) -> Content:
    """The content of (C, H, W) values."""
    if len(values) == 2 and ("flow" in name or len(context.pictures) > 1):
        return make_flow(values)
    if values.shape[1:] == (1, 1):
        return _make_vector(name, sample, values[:, 0, 0], context)
    if context.over:
        found = _from_prediction(sample, values, context)
        return make_volume(values) if found.kind == "none" else found
    if sample.name == context.main and all(own.kind == "numbers" for own in context.inputs):  # a generator's codes
        generated = interpret_sample(values.astype(np.float64), context.picture, ClassNames())
        if generated.kind == "picture" and generated.picture is not None:
            return Content("picture", pixels=generated.picture[None])
    return make_volume(values)


def _make_volume(name: str, sample: EndpointSample, values: np.ndarray, context: OutputContext) -> Content:
    """The content of (C, D, H, W) values; several channels of a network that takes a volume are scores of classes."""
    del name, sample
    return make_class_volume(values) if len(values) > 1 and context.has_input("volume") else make_volume(values)


def _from_prediction(sample: EndpointSample, values: np.ndarray, context: OutputContext) -> Content:
    """The content of values (n,) or (C, H, W) that are interpreted as the prediction of the network is."""
    found = context.prediction
    if sample.name != context.main or found.kind not in ("classes", "picture", "mask"):
        found = interpret_sample(values.astype(np.float64), context.picture, _names(context, len(values)))
    if found.kind == "numbers":
        return make_table("numbers", np.array(found.numbers))
    if found.kind == "none":
        return NOTHING
    top = np.array([(index, share) for index, _, share in found.top], np.float32) if found.top else None
    labels = tuple(name for _, name, _ in found.top)
    pixels = None if found.picture is None else found.picture[None]
    over = context.over if found.kind == "mask" else ""
    return Content(found.kind, top, pixels, labels, over=over)  # type: ignore[arg-type]


def _has(name: str, parts: tuple[str, ...]) -> bool:
    return any(part in name for part in parts)
