"""Interprets the output of a network as classes, an image, a mask, boxes, or numbers."""

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
"""Classes that are listed."""
MAX_BOXES = 20
MIN_SCORE = 0.3
"""Lowest score of a box that is listed."""
MAX_CLASSES = 256
"""Planes up to which an output is taken for a mask."""
MAX_STRIDE = 32
"""Pixels of the image, along each side, that a pixel of a mask may stand for."""
MAIN_PARTS = ("out", "logits", "scores", "prediction", "output", "sample", "reconstruction", "x")
"""Usual names of the main part of an output with several parts."""


def interpret_output(output: Any, picture: np.ndarray, names: ClassNames | None = None, index: int = 0) -> Prediction:
    """Interpret a network's output for sample `index`; `picture` is its input, (H, W, 3) uint8 sRGB.

    Raises InputError if the user's class names don't have the right number.
    """
    names = names or ClassNames()
    detections = _detections(output, index)
    if detections is not None:
        return _boxes(detections, picture, names)
    tensor = main_tensor(output)
    if tensor is None or tensor.numel() == 0 or tensor.is_complex():
        return Prediction()
    values = tensor.detach().cpu().double().numpy()
    sample = values[min(index, len(values) - 1)] if values.ndim else values
    return interpret_sample(sample, picture, names)


def interpret_sample(sample: np.ndarray, picture: np.ndarray, names: ClassNames) -> Prediction:
    """Interpret the values of one sample, of any shape, without the batch axis.

    picture: its input, (H, W, 3) uint8 sRGB. Raises InputError if the user's class names don't have the right number.
    """
    if sample.ndim == 3 and sample.shape[1:] == (1, 1):
        sample = sample[:, 0, 0]
    if sample.ndim == 1 and sample.size > 1:
        return _classes(sample, names)
    if sample.ndim == 3:
        return _interpret_planes(sample, picture, names)
    if sample.ndim < 2:
        return Prediction("numbers", numbers=tuple(float(value) for value in sample.reshape(-1)))
    return Prediction()


def _detections(output: Any, index: int) -> Mapping[str, Any] | None:
    """The boxes, labels and scores of one image in torchvision's detection output; None for any other output."""
    if isinstance(output, Sequence) and not isinstance(output, str) and len(output) and isinstance(output[0], Mapping):
        output = output[min(index, len(output) - 1)]
    if not isinstance(output, Mapping) or not {"boxes", "labels", "scores"} <= set(output):
        return None
    shapes = [tuple(getattr(output[name], "shape", ())) for name in ("boxes", "labels", "scores")]
    count = shapes[0][:1]
    return output if shapes == [(*count, 4), count, count] else None


def main_tensor(output: Any) -> torch.Tensor | None:
    """The main tensor of an output, of any shape: the output itself, its main part by name, or its first tensor.

    It is dense and not quantised. None if there is none, or only nested ones.
    """
    import torch

    if isinstance(output, torch.Tensor):
        return _plain(output)
    if isinstance(output, tuple) and hasattr(output, "_asdict"):
        output = output._asdict()
    elif dataclasses.is_dataclass(output) and not isinstance(output, Mapping | type):
        output = {part.name: getattr(output, part.name) for part in dataclasses.fields(output)}
    if isinstance(output, Mapping):
        first = [output[name] for name in MAIN_PARTS if name in output]
        output = [*first, *output.values()]
    if not isinstance(output, list | tuple):
        return None
    return next((tensor for part in output if (tensor := main_tensor(part)) is not None), None)


def _plain(tensor: torch.Tensor) -> torch.Tensor | None:
    """The tensor without sparsity and quantisation; None for a nested one."""
    import torch

    if tensor.is_nested:
        return None
    if tensor.is_quantized:
        return tensor.dequantize()
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def _classes(values: np.ndarray, names: ClassNames) -> Prediction:
    """(K,) logits, log probabilities or probabilities -> the best ten.

    NaN counts as impossible; infinite logits share all probability, which is the limit of the softmax. Both are named.
    """
    infinite = values == np.inf
    if not np.isfinite(values).any():
        return Prediction("numbers", numbers=tuple(float(value) for value in values[:TOP]))
    known = np.where(np.isnan(values), -np.inf, values)
    if infinite.any():
        probabilities = infinite / infinite.sum()
    else:
        probabilities = known if _is_distribution(known) else _softmax(known)
    order = np.argsort(-probabilities, kind="stable")[:TOP]
    labels = [f"{name}{_remark(value)}" for name, value in zip(names.of(values.size), values, strict=True)]
    return Prediction("classes", tuple((int(k), labels[k], float(probabilities[k])) for k in order))


def _remark(value: float) -> str:
    return " (NaN)" if np.isnan(value) else " (infinite)" if value == np.inf else ""


def _is_distribution(values: np.ndarray) -> bool:
    return bool(values.min() >= 0 and abs(values.sum() - 1) < 1e-3)


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def _interpret_planes(planes: np.ndarray, picture: np.ndarray, names: ClassNames) -> Prediction:
    """Interpret (K, H, W) values: an image if their range is that of images, else a mask, else nothing."""
    count, height, width = planes.shape
    value_range = _picture_range(planes)
    if count in (1, 3) and value_range and min(height, width) > 1 and len(names.names) != count:
        return Prediction("picture", picture=_as_picture(planes, *value_range))
    is_fine = height * MAX_STRIDE >= picture.shape[0] and width * MAX_STRIDE >= picture.shape[1]
    if count > MAX_CLASSES or not (is_fine or len(names.names) == count):
        return Prediction()
    return _mask(planes, picture, names)


def _picture_range(planes: np.ndarray) -> tuple[float, float] | None:
    """The values of black and white if the range is that of an image: 0..1, -1..1 or 0..255; else None."""
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
    picture = np.clip((planes - black) / (white - black), 0, 1).transpose(1, 2, 0)
    return np.repeat((picture * 255 + 0.5).astype(np.uint8), 3 // planes.shape[0], 2)


def _mask(planes: np.ndarray, picture: np.ndarray, names: ClassNames) -> Prediction:
    """(K, H, W) logits -> the class of each pixel, over the image; a single plane is foreground where it is above 0.

    Pixels that are NaN in all planes become a class of that name, after the others.
    """
    resized = _resize(planes, picture.shape[:2])
    unknown = np.isnan(resized).all(0)
    scores = np.nan_to_num(resized, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    classes = scores.argmax(0) if len(planes) > 1 else (scores[0] > 0).astype(np.int64)
    class_names = names.of(len(planes)) if len(planes) > 1 else ("background", "foreground")
    if unknown.any():
        classes, class_names = np.where(unknown, len(class_names), classes), (*class_names, "NaN")
    blended = blend_mask(picture, classes, class_names)
    return Prediction("mask", class_shares(classes, class_names, TOP), picture=blended)


def _resize(planes: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    import torch

    if planes.shape[1:] == size:
        return planes
    scaled = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], size, mode="bilinear", align_corners=False)
    return scaled[0].numpy()


def _boxes(detections: Mapping[str, Any], picture: np.ndarray, names: ClassNames) -> Prediction:
    """The boxes with the highest scores, corners as shares of the image."""
    height, width = picture.shape[:2]
    corners = detections["boxes"].detach().cpu().double().numpy() / (width, height, width, height)
    scores = detections["scores"].detach().cpu().double().numpy()
    labels = detections["labels"].detach().cpu().numpy()
    order = [k for k in np.argsort(-scores, kind="stable")[:MAX_BOXES] if scores[k] >= MIN_SCORE]
    class_names = names.at_least(int(labels.max(initial=-1)) + 1)
    rows = [(class_names[labels[k]], float(scores[k]), *np.clip(corners[k], 0, 1).tolist()) for k in order]
    return Prediction("boxes", boxes=tuple(rows))
