"""Attention maps, recomputed beside the run from the query and the key that an attention layer was given.

One query token at a time: (heads, keys) values instead of (heads, queries, keys). The values are softmax weights that
sum to 1 over all keys; class and register tokens are left out of the map, so what is drawn may sum to less.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from ...recording import Maps
from ..trace.provenance import TraceStep
from ..trace.run import BatchSample
from .map_layout import to_texels, token_grid

ATTENTION = "attention"


def attention_maps(
    step: TraceStep, args: tuple[Any, ...], kwargs: dict[str, Any], sample: BatchSample, token: int | None
) -> Maps | None:
    """Returns the attention of one query token as maps (heads, h, w), or (heads, 1, keys) without a grid, float32.

    token: index of the query token; None chooses the class token if there is one, else the middle of a grid or the last
    token of a sequence. Returns None if the arguments aren't understood.
    """
    with torch.no_grad():
        if isinstance(step.module, nn.MultiheadAttention):
            query, key, mask = _module_inputs(step.module, args, kwargs, sample)
        elif step.module is None:
            query, key, mask = _function_inputs(args, kwargs, sample)
        else:
            return None
        keys = key.shape[-2]
        grid = token_grid(keys, step.grid, sample.grid)
        chosen = _chosen_token(query.shape[-2], keys, grid) if token is None else token
        if not 0 <= chosen < query.shape[-2]:
            step.notes[f"no query token {chosen}"] = None
            return None
        row = attention_row(query, key, mask, chosen)
    step.notes[f"attention of token {chosen}"] = None
    height, width = grid or (1, keys)
    texels = to_texels(row[:, keys - height * width :].reshape(-1, height, width))
    return Maps(step.id, ATTENTION, texels, len(row), labels=tuple(f"head {k}" for k in range(len(row))))


def _chosen_token(queries: int, keys: int, grid: tuple[int, int] | None) -> int:
    if grid is None:
        return queries - 1
    if keys > grid[0] * grid[1]:
        return 0
    return min(grid[0] // 2 * grid[1] + grid[1] // 2, queries - 1)


def attention_row(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None, token: int) -> torch.Tensor:
    """Returns the softmax weights of one query token: (heads, keys) float32.

    query: (heads, queries, d), scaled already. key: (heads, keys, d). mask: (heads or 1, queries, keys) to be added.
    """
    scores = torch.einsum("hd,hkd->hk", query[:, token].float(), key.float())
    if mask is not None:
        scores = scores + mask[:, token]
    return scores.softmax(-1)


def _additive(mask: torch.Tensor, blocked: bool) -> torch.Tensor:
    """Returns a mask to be added to scores, float32; `blocked` is the bool value that excludes keys."""
    if mask.dtype != torch.bool:
        return mask.float()
    return torch.zeros(mask.shape).masked_fill(mask == blocked, float("-inf"))


def _function_inputs(
    args: tuple[Any, ...], kwargs: dict[str, Any], sample: BatchSample
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Returns (heads, tokens, d) query and key, and the mask, of a call of F.scaled_dot_product_attention."""
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
    bound = {**dict(zip(names, args, strict=False)), **kwargs}
    query, key = _select_sample(bound["query"], sample), _select_sample(bound["key"], sample)
    if bound.get("enable_gqa"):
        key = key.repeat_interleave(len(query) // len(key), 0)
    scale = bound.get("scale")
    query = query * (query.shape[-1] ** -0.5 if scale is None else scale)
    size = (*bound["query"].shape[:-1], key.shape[-2])
    mask = None
    if bound.get("attn_mask") is not None:
        mask = _select_sample(_additive(bound["attn_mask"].cpu(), blocked=False).broadcast_to(size), sample)
    elif bound.get("is_causal"):
        mask = _additive(torch.ones(size[-2:], dtype=torch.bool).tril(), blocked=False)[None]
    return query.cpu(), key.cpu(), mask


def _select_sample(tensor: torch.Tensor, sample: BatchSample) -> torch.Tensor:
    """Selects (heads, tokens, d) from (batch, heads, tokens, d), (batch · heads, tokens, d) or (tokens, d)."""
    if tensor.dim() > 4:
        tensor = tensor.flatten(0, -4)
    per_input = max(len(tensor) // sample.batch_size, 1)
    if tensor.dim() == 4:
        return tensor[sample.sample_index * per_input]
    return (
        tensor[None]
        if tensor.dim() == 2
        else tensor[sample.sample_index * per_input : (sample.sample_index + 1) * per_input]
    )


def _module_inputs(
    module: nn.MultiheadAttention, args: tuple[Any, ...], kwargs: dict[str, Any], sample: BatchSample
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Returns (heads, tokens, d) query and key, and the mask, inside a call of nn.MultiheadAttention."""
    bound = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    axis = 0 if module.batch_first else 1
    inputs = [t if t.dim() == 2 else t.select(axis, sample.sample_index) for t in (bound["query"], bound["key"])]
    weights = _projection_weights(module)
    biases = [None, None] if module.in_proj_bias is None else module.in_proj_bias.chunk(3)[:2]
    query, key = (nn.functional.linear(*arguments) for arguments in zip(inputs, weights, biases, strict=True))
    if module.bias_k is not None:
        key = torch.cat([key, module.bias_k[0]])
    if module.add_zero_attn:
        key = torch.cat([key, torch.zeros_like(key[:1])])
    heads = module.num_heads
    query, key = (t.unflatten(-1, (heads, -1)).transpose(0, 1).cpu() for t in (query, key))
    mask = _module_mask(bound, (heads, query.shape[1], len(inputs[1])), sample)
    if mask is not None:  # keys that the module adds by itself are never masked
        mask = nn.functional.pad(mask, (0, key.shape[1] - mask.shape[-1]))
    return query * module.head_dim**-0.5, key, mask


def _projection_weights(module: nn.MultiheadAttention) -> list[torch.Tensor]:
    if module.in_proj_weight is not None:
        return list(module.in_proj_weight.chunk(3)[:2])
    return [module.q_proj_weight, module.k_proj_weight]


def _module_mask(bound: dict[str, Any], size: tuple[int, int, int], sample: BatchSample) -> torch.Tensor | None:
    """Returns attn_mask and key_padding_mask as one mask (heads, queries, keys) to be added, float32; None without."""
    masks = []
    if bound.get("attn_mask") is not None:
        mask = _additive(bound["attn_mask"].cpu(), blocked=True)
        masks.append(
            mask if mask.dim() == 2 else mask[sample.sample_index * size[0] : (sample.sample_index + 1) * size[0]]
        )
    if bound.get("key_padding_mask") is not None:
        padding = _additive(bound["key_padding_mask"].cpu(), blocked=True)
        masks.append(padding if padding.dim() == 1 else padding[sample.sample_index])
    return sum(masks, torch.zeros(size)) if masks else None
