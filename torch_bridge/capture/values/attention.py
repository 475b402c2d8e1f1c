"""Attention maps, recomputed beside the run from the query and the key that an attention layer was given.

One query token at a time: (heads, keys) values instead of (heads, queries, keys). The values are softmax weights that
sum to 1 over all keys; class and register tokens are left out of the map, so what is drawn may sum to less.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from ...recording import Maps
from ..trace.provenance import TraceStep
from ..trace.run import BatchSample
from .map_layout import to_texels, token_grid

ATTENTION = "attention"
SCALED_NAMES = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
FLEX_NAMES = ("query", "key", "value", "score_mod", "block_mask", "scale")


class AttentionInputs(NamedTuple):
    """What the attention of one input of the batch is computed from."""

    query: torch.Tensor
    """(heads, queries, d), scaled already."""
    key: torch.Tensor
    """(heads, keys, d)."""
    mask: torch.Tensor | None = None
    """(heads or 1, queries, keys), to be added to the scores."""
    change: Callable[[torch.Tensor, int], torch.Tensor] | None = None
    """Changes the scores (heads, keys) of a query token, given its index."""


def attention_maps(step: TraceStep, sample: BatchSample, token: int | None) -> Maps | None:
    """Returns the attention of one query token as maps (heads, h, w), or (heads, 1, keys) without a grid, float32.

    token: index of the query token; None chooses the class token if there is one, else the middle of a grid or the last
    token of a sequence. Returns None where it can't be recomputed; the layer's note then says why.
    """
    try:
        with torch.no_grad():
            return _attention_maps(step, sample, token)
    except Exception as error:  # noqa: BLE001  the arguments are the network's own; its run goes on
        step.notes[f"no attention map ({type(error).__name__})"] = None
        return None


def _attention_maps(step: TraceStep, sample: BatchSample, token: int | None) -> Maps | None:
    assert step.attention is not None
    sample = _shown_item(step, sample)
    inputs = READERS[step.attention.function](step.attention.args, step.attention.kwargs, sample)
    queries, keys = inputs.query.shape[-2], inputs.key.shape[-2]
    grid = token_grid(keys, step.grid, sample.grid)
    chosen = _chosen_token(queries, keys, grid) if token is None else token
    if not 0 <= chosen < queries:
        step.notes[f"no query token {chosen}"] = None
        return None
    row = attention_row(inputs, chosen)
    height, width = grid or (1, keys)
    texels = to_texels(row[:, keys - height * width :].reshape(-1, height, width))
    step.notes[f"attention of token {chosen}"] = None
    labels, place = tuple(f"head {k}" for k in range(len(row))), step.layout.place() if step.layout else {}
    return Maps(step.id, ATTENTION, texels, len(row), labels=labels, **place)


def _shown_item(step: TraceStep, sample: BatchSample) -> BatchSample:
    """Returns the sample among all windows or frames, where the layer attends within each of them."""
    layout = step.layout
    if layout is None or layout.positions == 1:
        return sample
    return sample._replace(batch_size=sample.batch_size * layout.positions, sample_index=layout.batch_index)


def _chosen_token(queries: int, keys: int, grid: tuple[int, int] | None) -> int:
    if grid is None:
        return queries - 1
    if keys > grid[0] * grid[1]:
        return 0
    return min(grid[0] // 2 * grid[1] + grid[1] // 2, queries - 1)


def attention_row(inputs: AttentionInputs, token: int) -> torch.Tensor:
    """Returns the softmax weights of one query token: (heads, keys) float32; 0 where a mask excludes all keys."""
    scores = torch.einsum("hd,hkd->hk", inputs.query[:, token].float(), inputs.key.float())
    if inputs.mask is not None:
        scores = scores + inputs.mask[:, token]
    if inputs.change is not None:
        scores = inputs.change(scores, token)
    return scores.softmax(-1).masked_fill(scores.isneginf().all(-1, keepdim=True), 0.0).cpu()


def _additive(mask: torch.Tensor, blocked: bool) -> torch.Tensor:
    """Returns a mask to be added to scores, float32; `blocked` is the bool value that excludes keys."""
    if mask.dtype != torch.bool:
        return mask.float()
    return torch.zeros(mask.shape, device=mask.device).masked_fill(mask == blocked, float("-inf"))


def _scaled_inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any], sample: BatchSample) -> AttentionInputs:
    """Reads a call of F.scaled_dot_product_attention."""
    bound = {**dict(zip(SCALED_NAMES, args, strict=False)), **kwargs}
    query, key = _same_batch(bound["query"], bound["key"])
    scale, mask = bound.get("scale"), bound.get("attn_mask")
    size = (*query.shape[:-1], key.shape[-2])
    if bound.get("is_causal"):
        mask = torch.ones(size[-2:], dtype=torch.bool, device=query.device).tril()
    elif mask is not None and hasattr(mask, "_materialize"):  # a causal bias of torch, which holds no values
        mask = mask._materialize(query.device)
    if mask is not None:
        mask = _select_sample(_additive(mask, blocked=False).broadcast_to(size), sample)
    query = query * (query.shape[-1] ** -0.5 if scale is None else scale)
    return AttentionInputs(_select_sample(query, sample), _select_sample(key, sample), mask)


def _same_batch(query: torch.Tensor, key: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns (..., queries, d) and (..., keys, d) with the same leading axes; several heads may share a key's."""
    if query.dim() > 2 and key.dim() > 2 and 1 < key.shape[-3] < query.shape[-3]:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    lead = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    return query.expand(*lead, *query.shape[-2:]), key.expand(*lead, *key.shape[-2:])


def _select_sample(tensor: torch.Tensor, sample: BatchSample) -> torch.Tensor:
    """Selects (heads, tokens, d) from (batch, heads, tokens, d), (batch · heads, tokens, d) or (tokens, d)."""
    if tensor.dim() > 4:
        tensor = tensor.flatten(0, -4)
    if tensor.dim() == 2:
        return tensor[None]
    first = _sample_position(len(tensor), sample)
    return tensor[first] if tensor.dim() == 4 else tensor[first : first + max(len(tensor) // sample.batch_size, 1)]


def _sample_position(size: int, sample: BatchSample) -> int:
    """Returns where the values of the recorded input begin along a batch axis of `size`, which may hold windows."""
    return min(sample.sample_index * max(size // sample.batch_size, 1), size - 1)


def _flex_inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any], sample: BatchSample) -> AttentionInputs:
    """Reads a call of torch.nn.attention.flex_attention, as it reaches torch's operators."""
    bound = {**dict(zip(FLEX_NAMES, args, strict=False)), **kwargs}
    query, key = _same_batch(bound["query"], bound["key"])
    index = _sample_position(len(query), sample)
    score_mod, mask_mod = bound["score_mod"], bound["block_mask"][-1]

    def change(scores: torch.Tensor, token: int) -> torch.Tensor:
        batch, position = (torch.tensor(k, device=scores.device) for k in (index, token))
        heads, keys = (torch.arange(size, device=scores.device) for size in scores.shape)
        over_keys = torch.vmap(score_mod, in_dims=(0, None, None, None, 0))
        scores = torch.vmap(over_keys, in_dims=(0, None, 0, None, None))(scores, batch, heads, position, keys)
        over_keys = torch.vmap(mask_mod, in_dims=(None, None, None, 0))
        seen = torch.vmap(over_keys, in_dims=(None, 0, None, None))(batch, heads, position, keys)
        return scores.masked_fill(~seen, float("-inf"))

    return AttentionInputs(query[index] * bound["scale"], key[index], change=change)


def _module_inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any], sample: BatchSample) -> AttentionInputs:
    """Reads a call of nn.MultiheadAttention, which is the first of `args`."""
    module = args[0]
    bound = dict(inspect.signature(nn.MultiheadAttention.forward).bind(*args, **kwargs).arguments)
    if module.batch_first and bound["query"].dim() == 3:
        bound |= {name: bound[name].transpose(0, 1) for name in ("query", "key")}
    names = "num_heads in_proj_weight in_proj_bias bias_k add_zero_attn q_proj_weight k_proj_weight".split()
    bound |= {name: getattr(module, name) for name in names}
    return _projected(bound | {"use_separate_proj_weight": module.in_proj_weight is None}, sample)


def _multi_head_inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any], sample: BatchSample) -> AttentionInputs:
    """Reads a call of F.multi_head_attention_forward."""
    return _projected(inspect.signature(F.multi_head_attention_forward).bind(*args, **kwargs).arguments, sample)


def _projected(bound: Mapping[str, Any], sample: BatchSample) -> AttentionInputs:
    """Projects the query and the key, (tokens, batch, d) or (tokens, d), as F.multi_head_attention_forward does."""
    tokens = [t if t.dim() == 2 else t[:, _sample_position(t.shape[1], sample)] for t in (bound["query"], bound["key"])]
    if bound.get("use_separate_proj_weight"):
        weights = (bound["q_proj_weight"], bound["k_proj_weight"])
    else:
        weights = bound["in_proj_weight"].chunk(3)[:2]
    bias = bound.get("in_proj_bias")
    biases = (None, None) if bias is None else bias.chunk(3)[:2]
    query, key = (F.linear(*each) for each in zip(tokens, weights, biases, strict=True))
    if bound.get("bias_k") is not None:
        key = torch.cat([key, bound["bias_k"][0]])
    if bound.get("add_zero_attn"):
        key = torch.cat([key, torch.zeros_like(key[:1])])
    heads = bound["num_heads"]
    query, key = (t.unflatten(-1, (heads, -1)).transpose(0, 1) for t in (query, key))
    if bound.get("static_k") is not None:
        key = _select_sample(bound["static_k"], sample)
    mask = _projected_mask(bound, (heads, query.shape[1], len(tokens[1])), sample)
    if mask is not None:  # keys that are added are never masked
        mask = F.pad(mask, (0, key.shape[1] - mask.shape[-1]))
    return AttentionInputs(query * query.shape[-1] ** -0.5, key, mask)


def _projected_mask(bound: Mapping[str, Any], size: tuple[int, int, int], sample: BatchSample) -> torch.Tensor | None:
    """Returns attn_mask and key_padding_mask as one mask (heads, queries, keys) to be added, float32; None without."""
    masks = []
    if bound.get("attn_mask") is not None:
        mask = _additive(bound["attn_mask"], blocked=True)
        masks.append(mask if mask.dim() == 2 else _select_sample(mask, sample))
    if bound.get("key_padding_mask") is not None:
        padding = _additive(bound["key_padding_mask"], blocked=True)
        masks.append(padding if padding.dim() == 1 else padding[_sample_position(len(padding), sample)])
    return sum(masks[1:], masks[0].expand(size)) if masks else None


Reader = Callable[[tuple[Any, ...], Mapping[str, Any], BatchSample], AttentionInputs]
READERS: Mapping[str, Reader] = {
    "scaled_dot_product_attention": _scaled_inputs,
    "flex_attention": _flex_inputs,
    "multi_head_attention_forward": _multi_head_inputs,
    "MultiheadAttention": _module_inputs,
}
"""How the calls of each kind of attention are read."""
