"""Tokens of inputs and outputs as words and probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from .content import MAX_LABEL, Content

MAX_TOKENS = 512
"""Places of a sequence that are shown."""
ALTERNATIVES = 3
"""Tokens that are shown at each place of a network's output."""


def make_tokens(ids: np.ndarray, words: Mapping[int, str]) -> Content:
    """Makes a strip of tokens (L,). words: by token, as far as they are known; others are shown as numbers."""
    shown = ids[:MAX_TOKENS].astype(np.int64)
    values = np.stack([np.arange(len(shown)), shown, np.ones(len(shown))], 1).astype(np.float32)
    return Content("tokens", values, labels=_labels(shown, words), note=_cut_note(len(ids)))


def make_token_scores(scores: torch.Tensor, words: Mapping[int, str]) -> Content:
    """Makes a strip of the most probable tokens at each place, best first, from scores (L, V) before a softmax."""
    shown = scores[:MAX_TOKENS].float()
    probabilities, ids = shown.softmax(1).nan_to_num(0.0).topk(min(ALTERNATIVES, shown.shape[1]))
    places = torch.arange(len(shown))[:, None].expand_as(ids)
    values = torch.stack([places, ids.cpu(), probabilities.cpu()], 2).reshape(-1, 3).numpy()
    labels = _labels(values[:, 1].astype(np.int64), words)
    return Content("tokens", values.astype(np.float32), labels=labels, note=_cut_note(len(scores)))


def _labels(ids: np.ndarray, words: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(words.get(id, str(id))[:MAX_LABEL] for id in ids.tolist())


def _cut_note(length: int) -> str:
    return f"first {MAX_TOKENS} of {length:,} tokens" if length > MAX_TOKENS else ""
