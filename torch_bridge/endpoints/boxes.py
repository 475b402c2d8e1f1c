"""Boxes of detectors: with labels and scores beside them, with class scores beside them, or alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..predictions.class_names import ClassNames
from .content import Content

MAX_BOXES = 20
"""Boxes with the highest scores that are kept."""
CORNERS = "x0, y0, x1, y1"
CENTRES = "centre and size"


def make_boxes(
    boxes: np.ndarray, beside: Mapping[str, np.ndarray], names: ClassNames, size: tuple[int, ...]
) -> Content:
    """Makes a list of boxes (n, 4), best first, with corners as shares of the picture.

    size: of the picture, (H, W, …) pixels. beside: further outputs by name. `scores` and `labels`, (n,), beside corners
    in pixels are torchvision's form; logits (n, K + 1), whose last class is none, beside centre and size as shares are
    DETR's (Carion et al. 2020). Boxes in shares are taken for corners if they can be.
    """
    scores, labels = _scores(boxes, beside, names)
    corners, form = _corners(np.nan_to_num(boxes.astype(np.float64)), size, is_detr=_logits(boxes, beside) is not None)
    order = np.argsort(-scores, kind="stable")[:MAX_BOXES]
    rows = np.concatenate([scores[order, None], np.clip(corners[order], 0, 1)], 1).astype(np.float32)
    cut = f"best {MAX_BOXES} of {len(boxes):,}" if len(boxes) > MAX_BOXES else ""
    note = ", ".join(filter(None, [cut, f"taken for {form}"]))
    return Content("boxes", rows if len(rows) else None, labels=tuple(labels[k] for k in order), note=note)


def _logits(boxes: np.ndarray, beside: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The class scores (n, K + 1) of the boxes, if there are any beside them."""
    found = (values for name, values in beside.items() if "logits" in name.lower() or "scores" in name.lower())
    return next((values for values in found if values.ndim == 2 and len(values) == len(boxes)), None)


def _scores(boxes: np.ndarray, beside: Mapping[str, np.ndarray], names: ClassNames) -> tuple[np.ndarray, Sequence[str]]:
    """(n,) scores 0..1 of the boxes, and the names of their classes."""
    logits = _logits(boxes, beside)
    if logits is not None and logits.shape[1] > 1:
        powers = np.exp(logits - logits.max(1, keepdims=True))
        shares = (powers / powers.sum(1, keepdims=True))[:, :-1]
        found, scores = shares.argmax(1), shares.max(1)
    else:
        scores, found = (beside.get(name, np.zeros(0)).astype(np.float64) for name in ("scores", "labels"))
        scores = scores if scores.shape == (len(boxes),) else np.ones(len(boxes))
        found = found.astype(np.int64) if found.shape == (len(boxes),) else np.full(len(boxes), -1)
    known = names.names
    labels = [known[k] if 0 <= k < len(known) else f"class {k}" if k >= 0 else "" for k in found.tolist()]
    return np.nan_to_num(scores), labels


def _corners(boxes: np.ndarray, size: tuple[int, ...], is_detr: bool) -> tuple[np.ndarray, str]:
    """Boxes (n, 4) as corners in shares, and how they were read."""
    in_shares = bool(len(boxes)) and bool((np.abs(boxes) <= 1).all())
    if not in_shares:
        height, width = size[:2]
        return boxes / (width, height, width, height), f"{CORNERS} in pixels"
    if not is_detr and bool((boxes[:, 2:] >= boxes[:, :2]).all()):
        return boxes, f"{CORNERS} as shares"
    centre, extent = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([centre - extent / 2, centre + extent / 2], 1), f"{CENTRES} as shares"
