"""What a network answered, whatever its output looks like: classes, a picture, a mask, boxes, or numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..recording import Prediction
from .class_names import ClassNames
from .masks import blend_mask, class_shares

if TYPE_CHECKING:
    import torch

TOP = 10
MOST_BOXES = 20
LEAST_SCORE = 0.3
MOST_MASKS = 256
COARSEST = 32
"""A mask has at least a pixel for so many of the picture's, along each side."""
MAIN = ("out", "logits", "scores", "prediction", "output", "sample", "reconstruction", "x")
"""What the main part of an output with several parts is called."""


def interpret_output(output: Any, picture: np.ndarray, names: ClassNames | None = None, index: int = 0) -> Prediction:
    """The prediction in a network's output for sample `index`; `picture` (H, W, 3) uint8 sRGB is what it saw.

    Raises InputError where a person's class names are not as many as the classes.
    """
    names = names or ClassNames()
    found = _detections(output, index)
    if found is not None:
        return _boxes(found, picture, names)
    tensor = main_tensor(output)
    if tensor is None or tensor.numel() == 0 or tensor.is_complex():
        return Prediction()
    values = tensor.detach().cpu().double().numpy()
    sample = values[min(index, len(values) - 1)] if values.ndim else values
    return _of_sample(sample, picture, names)


def _of_sample(sample: np.ndarray, picture: np.ndarray, names: ClassNames) -> Prediction:
    """The prediction in one sample's values, without the batch."""
    if sample.ndim == 3 and sample.shape[1:] == (1, 1):
        sample = sample[:, 0, 0]
    if sample.ndim == 1 and sample.size > 1:
        return _classes(sample, names)
    if sample.ndim == 3:
        return _of_planes(sample, picture, names)
    if sample.ndim < 2:
        return Prediction("numbers", numbers=tuple(float(value) for value in sample.reshape(-1)))
    return Prediction()


def _detections(output: Any, index: int) -> Mapping[str, Any] | None:
    """torchvision's detection output for one picture: boxes, labels, scores."""
    if isinstance(output, Sequence) and not isinstance(output, str) and len(output) and isinstance(output[0], Mapping):
        output = output[min(index, len(output) - 1)]
    wanted = {"boxes", "labels", "scores"}
    return output if isinstance(output, Mapping) and wanted <= set(output) else None


def main_tensor(output: Any) -> torch.Tensor | None:
    """The tensor that is the answer: the output itself, its main part by name, or the first tensor in it."""
    import torch

    if isinstance(output, torch.Tensor):
        return output
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        output = {part.name: getattr(output, part.name) for part in dataclasses.fields(output)}
    elif hasattr(output, "_asdict"):
        output = output._asdict()
    if isinstance(output, Mapping):
        first = [output[name] for name in MAIN if name in output]
        output = [*first, *output.values()]
    if not isinstance(output, list | tuple):
        return None
    return next((found for part in output if (found := main_tensor(part)) is not None), None)


def _classes(values: np.ndarray, names: ClassNames) -> Prediction:
    """(K,) logits, log probabilities or probabilities -> the best ten; not a number counts as impossible."""
    finite = np.isfinite(values)
    if not finite.any():
        return Prediction("numbers", numbers=tuple(float(value) for value in values[:TOP]))
    values = np.where(finite, values, -np.inf)
    known = names.of(values.size)
    chances = values if _is_distribution(values) else _softmax(values)
    order = np.argsort(-chances, kind="stable")[:TOP]
    return Prediction("classes", tuple((int(k), known[k], float(chances[k])) for k in order))


def _is_distribution(values: np.ndarray) -> bool:
    return bool(values.min() >= 0 and abs(values.sum() - 1) < 1e-3)


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def _of_planes(planes: np.ndarray, picture: np.ndarray, names: ClassNames) -> Prediction:
    """(K, H, W): a picture where the range is one of pictures, else a mask, else nothing."""
    count, height, width = planes.shape
    span = _picture_range(planes)
    if count in (1, 3) and span and min(height, width) > 1 and len(names.names) != count:
        return Prediction("picture", picture=_as_picture(planes, *span))
    fine = height * COARSEST >= picture.shape[0] and width * COARSEST >= picture.shape[1]
    if count > MOST_MASKS or not (fine or len(names.names) == count):
        return Prediction()
    return _mask(planes, picture, names)


def _picture_range(planes: np.ndarray) -> tuple[float, float] | None:
    """Black and white of a picture with these values: -1..1, 0..1 or 0..255; None for anything else."""
    if not np.isfinite(planes).all():
        return None
    low, high = float(planes.min()), float(planes.max())
    for black, white in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        slack = 0.05 * (white - black)
        if low >= black - slack and high <= white + slack:
            return (black, white) if high > white / 4 or white == 1 else None
    return None


def _as_picture(planes: np.ndarray, black: float, white: float) -> np.ndarray:
    """(1|3, H, W) -> (H, W, 3) uint8."""
    shown = np.clip((planes - black) / (white - black), 0, 1).transpose(1, 2, 0)
    return np.repeat((shown * 255 + 0.5).astype(np.uint8), 3 // planes.shape[0], 2)


def _mask(planes: np.ndarray, picture: np.ndarray, names: ClassNames) -> Prediction:
    """(K, H, W) logits -> classes by pixel over the picture; one plane is foreground where above 0."""
    scores = np.nan_to_num(_enlarged(planes, picture.shape[:2]), nan=-np.inf)
    classes = scores.argmax(0) if len(planes) > 1 else (scores[0] > 0).astype(np.int64)
    known = names.of(len(planes)) if len(planes) > 1 else ("background", "foreground")
    return Prediction("mask", class_shares(classes, known, TOP), picture=blend_mask(picture, classes, known))


def _enlarged(planes: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    import torch

    if planes.shape[1:] == size:
        return planes
    scaled = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], size, mode="bilinear", align_corners=False)
    return scaled[0].numpy()


def _boxes(found: Mapping[str, Any], picture: np.ndarray, names: ClassNames) -> Prediction:
    """The best boxes, corners as shares of the picture."""
    height, width = picture.shape[:2]
    corners = found["boxes"].detach().cpu().double().numpy() / (width, height, width, height)
    scores = found["scores"].detach().cpu().double().numpy()
    labels = found["labels"].detach().cpu().numpy()
    order = [k for k in np.argsort(-scores, kind="stable")[:MOST_BOXES] if scores[k] >= LEAST_SCORE]
    known = names.at_least(int(labels.max(initial=-1)) + 1)
    rows = [(known[labels[k]], float(scores[k]), *np.clip(corners[k], 0, 1).tolist()) for k in order]
    return Prediction("boxes", boxes=tuple(rows))
