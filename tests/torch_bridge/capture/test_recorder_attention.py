"""Attention maps, recomputed beside the run, against the weights that torch itself gives; and convolution kernels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.attention.bias import causal_lower_right  # noqa: E402
from torch.nn.attention.flex_attention import create_block_mask, flex_attention  # noqa: E402

from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.capture.trace.provenance import AttentionCall, TraceStep  # noqa: E402
from innerwalk.torch_bridge.capture.trace.run import BatchSample  # noqa: E402
from innerwalk.torch_bridge.capture.values.attention import ATTENTION, attention_maps  # noqa: E402

torch.set_num_threads(1)


class Attends(nn.Module):
    """One attention layer with whatever else it is called with."""

    def __init__(self, attend: nn.MultiheadAttention, **options: Any) -> None:
        super().__init__()
        self.attend, self.options = attend, options

    def forward(self, query, memory):
        return self.attend(query, memory, memory, **self.options)[0]


BLOCK = torch.rand(10, 13, generator=torch.Generator().manual_seed(3)) > 0.7
MODULES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "batch second": ({"batch_first": False}, {}),
    "no bias": ({"bias": False}, {}),
    "other sizes": ({"kdim": 8, "vdim": 8}, {}),
    "extra keys": ({"add_bias_kv": True, "add_zero_attn": True}, {}),
    "bool mask": ({}, {"attn_mask": BLOCK}),
    "float mask": ({}, {"attn_mask": torch.rand(10, 13)}),
    "mask of each head": ({}, {"attn_mask": torch.rand(2 * 4, 10, 13)}),
    "padding": ({}, {"key_padding_mask": torch.arange(13).repeat(2, 1) > torch.tensor([[9], [7]])}),
}


@pytest.mark.parametrize("name", MODULES)
def test_multihead_attention(name: str) -> None:
    build, options = MODULES[name]
    build = {"batch_first": True, **build}
    torch.manual_seed(0)
    model = Attends(nn.MultiheadAttention(8, 4, **build), **options).eval()
    query, memory = torch.rand(2, 10, 8), torch.rand(2, 13, 8)
    if not build["batch_first"]:
        query, memory = query.transpose(0, 1), memory.transpose(0, 1)
    maps = record(model, (query, memory), index=1, token=6).maps("attend", "attention")
    with torch.no_grad():
        _, truth = model.attend(query, memory, memory, need_weights=True, average_attn_weights=False, **options)
    truth = truth[1, :, 6]
    assert maps.shape == (4, 1, truth.shape[-1]) and maps.labels == ("head 0", "head 1", "head 2", "head 3")
    np.testing.assert_allclose(maps.data[:, 0], truth.numpy(), atol=1e-6)


class Scaled(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.q, self.k, self.options = nn.Linear(6, 8), nn.Linear(6, 8), options

    def forward(self, x):
        q, k = (layer(x).unflatten(-1, (2, 4)).transpose(1, 2) for layer in (self.q, self.k))
        return F.scaled_dot_product_attention(q, k, k, **self.options).transpose(1, 2).flatten(2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"is_causal": True},
        {"scale": 0.3},
        {"attn_mask": torch.rand(17, 17)},
        {"attn_mask": torch.rand(17, 17) > 0.4},
    ],
)
def test_scaled_dot_product_attention(options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model, x, token = Scaled(**options), torch.rand(2, 17, 6), 9
    recording = record(model, x, index=1, token=token, grid=(4, 4))
    layer = recording.network.layer(":scaled_dot_product_attention")
    assert layer.role == "panel" and layer.shape == (2, 17, 4) and layer.map_shape == (8, 4, 4)
    with torch.no_grad():
        q, k = (layer(x)[1].unflatten(-1, (2, 4)).transpose(0, 1) for layer in (model.q, model.k))
        scores = q @ k.mT * options.get("scale", 1 / math.sqrt(4))
        mask = (
            torch.ones(17, 17).tril().bool()
            if options.get("is_causal")
            else options.get("attn_mask", torch.zeros(17, 17))
        )
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
        truth = scores.softmax(-1)[:, token]
    maps = recording.maps(layer.id, "attention")
    assert maps.shape == (2, 4, 4)  # the class token among the keys is left out
    np.testing.assert_allclose(maps.data.reshape(2, 16), truth[:, 1:].numpy(), atol=1e-6)


SPD = ":scaled_dot_product_attention"
QUERY, KEY, NARROW = torch.rand(3, 3, 4, 7, 5, generator=torch.Generator().manual_seed(5)).unbind()
NARROW = NARROW[:, :2]
SCALED: dict[str, tuple[torch.Tensor, torch.Tensor, dict[str, Any]]] = {
    "dropout": (QUERY, KEY, {"dropout_p": 0.5}),
    "a mask for each head": (QUERY, KEY, {"attn_mask": torch.rand(4, 7, 7) > 0.4}),
    "a mask for each input": (QUERY, KEY, {"attn_mask": torch.rand(3, 1, 7, 7)}),
    "a mask that excludes all keys": (QUERY, KEY, {"attn_mask": torch.arange(7)[:, None].expand(7, 7) < 3}),
    "shared keys": (QUERY, NARROW, {"enable_gqa": True}),
    "shared keys, causal": (QUERY, NARROW, {"enable_gqa": True, "is_causal": True}),
    "one query for all inputs": (QUERY[:1], KEY, {}),
    "more queries than keys, causal": (QUERY, KEY[:, :, :4], {"is_causal": True}),
    "causal bias": (QUERY[:, :, 2:], KEY, {"attn_mask": causal_lower_right(5, 7)}),
    "windows": (QUERY.unflatten(2, (7, 1)).transpose(1, 2), KEY.unflatten(2, (7, 1)).transpose(1, 2), {}),
}


class Attention(nn.Module):
    """Attention between modules, so that it is a layer of its own; the value is one-hot: the output is the weights."""

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        super().__init__()
        self.child, self.function, self.options = nn.Identity(), function, options

    def forward(self, batch, query, key):
        value = torch.eye(key.shape[-2]).expand(*key.shape[:-1], key.shape[-2]) + 0 * batch.sum()
        return self.function(query * 1, key, value, **self.options)


@pytest.mark.parametrize("name", SCALED)
def test_scaled_dot_product_attention_in_its_variants(name: str) -> None:
    """Attention to a one-hot value gives the weights themselves."""
    query, key, options = SCALED[name]
    model = Attention(F.scaled_dot_product_attention, options).eval()
    maps = record(model, (torch.ones(3, 1), query, key), index=1, token=0 if name == "windows" else 4).maps(
        SPD, ATTENTION
    )
    with torch.no_grad():
        plain = {**options, "dropout_p": 0.0}
        truth = model.function(query, key, torch.eye(key.shape[-2]).expand(*key.shape[:-1], key.shape[-2]), **plain)
    truth = truth[1, 0, :, 0] if name == "windows" else truth[min(1, len(truth) - 1), :, 4]
    np.testing.assert_allclose(maps.data.reshape(len(truth), -1), truth.numpy(), atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*flex_attention called without:UserWarning")
def test_flex_attention() -> None:
    def nearer(score, batch, head, query, key):
        return score - (query - key).abs() * (head + 1) * (batch + 1) / 4

    mask = create_block_mask(lambda b, h, query, key: query >= key, None, None, 7, 7, device="cpu", BLOCK_SIZE=8)
    options = {"score_mod": nearer, "block_mask": mask, "scale": 0.7, "enable_gqa": True}
    model, id = Attention(flex_attention, options), ":flex_attention"
    recording = record(model, (torch.ones(3, 1), QUERY, NARROW), index=2, token=4)
    layer = recording.network.layer(id)
    assert layer.role == "panel" and "unknown origin" not in layer.note
    assert [edge.source for edge in recording.network.edges if edge.target == id] == [":mul@2", "input@3", ":add"]
    query, key = QUERY[2], NARROW[2].repeat_interleave(2, 0)
    distance = (torch.arange(7)[:, None] - torch.arange(7)).abs()
    scores = query @ key.mT * 0.7 - distance * torch.arange(1, 5)[:, None, None] * 3 / 4
    truth = scores.masked_fill(~torch.ones(7, 7).tril().bool(), -math.inf).softmax(-1)[:, 4]
    np.testing.assert_allclose(recording.maps(id, ATTENTION).data[:, 0], truth.numpy(), atol=1e-6)


class PoolsByAttention(nn.Module):
    """Calls the function with the weights of its own projections, as CLIP's ResNet and WavLM do."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("q", "k", "v", "out"):
            self.add_module(name, nn.Linear(8, 8))
        self.padding = torch.arange(13).repeat(2, 1) > torch.tensor([[11], [7]])
        self.bias = torch.rand(2 * 4, 1, 13)

    def forward(self, x):
        biases = torch.cat([self.q.bias, self.k.bias, self.v.bias])
        return F.multi_head_attention_forward(
            x[:1], x, x, 8, 4, in_proj_weight=torch.empty(0), in_proj_bias=biases, bias_k=None, bias_v=None,
            add_zero_attn=False, dropout_p=0.0, out_proj_weight=self.out.weight, out_proj_bias=self.out.bias,
            training=False, key_padding_mask=self.padding, attn_mask=self.bias, use_separate_proj_weight=True,
            q_proj_weight=self.q.weight, k_proj_weight=self.k.weight, v_proj_weight=self.v.weight,
            average_attn_weights=False,
        )  # fmt: skip


@pytest.mark.filterwarnings("ignore:Support for mismatched:UserWarning")
def test_multi_head_attention_as_a_function() -> None:
    torch.manual_seed(0)
    model, x = PoolsByAttention().eval(), torch.rand(13, 2, 8)
    with torch.no_grad():
        truth = model(x)[1][1, :, 0]
    recording = record(OnlyOutput(model), x.transpose(0, 1), index=1, token=0)
    id = "model:multi_head_attention_forward"
    assert recording.network.layer(id).role == "panel"
    np.testing.assert_allclose(recording.maps(id, ATTENTION).data[:, 0], truth.numpy(), atol=1e-6)


class OnlyOutput(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x.transpose(0, 1))[0].transpose(0, 1)


class OneLayer(nn.Module):
    """Its attention is inside a layer: it holds weights, but no modules."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(6, 8))

    def forward(self, x):
        q = (x @ self.weight).unflatten(-1, (2, 4)).transpose(1, 2)
        return F.scaled_dot_product_attention(q, q, q).transpose(1, 2).flatten(2)


def test_attention_inside_a_layer() -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(OneLayer()), torch.rand(2, 7, 6)
    maps = record(model, x, index=1, token=3).maps("0", ATTENTION)
    q = (x[1] @ model[0].weight.detach()).unflatten(-1, (2, 4)).transpose(0, 1)
    np.testing.assert_allclose(maps.data[:, 0], (q @ q.mT / 2).softmax(-1)[:, 3].numpy(), atol=1e-6)


def test_attention_that_is_not_understood_ends_no_run() -> None:
    step = TraceStep(SPD, "scaled_dot_product_attention", attention=AttentionCall("flex_attention", (QUERY,), {}))
    assert attention_maps(step, BatchSample(), None) is None
    assert list(step.notes) == ["no attention map (KeyError)"]


@pytest.mark.parametrize(("tokens", "chosen"), [(17, 0), (16, 10), (7, 6)])
def test_the_query_is_the_class_token_the_middle_or_the_last(tokens: int, chosen: int) -> None:
    torch.manual_seed(0)
    model, x = Scaled(), torch.rand(1, tokens, 6)
    id = ":scaled_dot_product_attention"
    grid = (4, 4) if tokens > 7 else None
    by_default, stated = record(model, x, grid=grid), record(model, x, token=chosen, grid=grid)
    assert np.array_equal(by_default.maps(id, "attention").data, stated.maps(id, "attention").data)
    assert f"attention of token {chosen}" in by_default.network.layer(id).note
    out_of_reach = record(model, x, token=99)
    assert (id, "attention") not in out_of_reach.all_maps and "no query token 99" in out_of_reach.network.layer(id).note


def test_attention_is_recorded_for_chosen_layers_only() -> None:
    assert not record(Scaled(), torch.rand(1, 17, 6), layers="q").all_maps.keys() - {("q", "activations")}
    assert (":scaled_dot_product_attention", "attention") in record(
        Scaled(), torch.rand(1, 17, 6), layers="panels"
    ).all_maps


def test_kernels_of_colour_are_colour_maps() -> None:
    model = nn.Sequential(nn.Conv2d(3, 5, (2, 4)))
    recording = record(model, torch.rand(1, 3, 8, 8), kernels=True)
    maps, weight = recording.maps("0", "weights"), model[0].weight.detach()
    assert maps.colour and maps.data.shape == (5, 2, 4, 3)
    scale = maps.extras["scale"][0]
    np.testing.assert_allclose((maps.data - 0.5) * 2 * scale, weight.permute(0, 2, 3, 1).numpy(), atol=1e-6)
    assert ("0", "weights") not in record(model, torch.rand(1, 3, 8, 8)).all_maps


@pytest.mark.parametrize(
    ("layer", "shape", "rows", "columns"),
    [
        (nn.Conv2d(7, 4, 3), (1, 7, 8, 8), 3, 3),
        (nn.Conv2d(8, 4, 1, groups=2), (1, 8, 8, 8), 2, 2),
        (nn.Conv1d(4, 2, 3), (1, 4, 9), 2, 2),
        (nn.ConvTranspose2d(4, 6, 2, groups=2), (1, 4, 5, 5), 1, 2),
    ],
)
def test_kernels_lie_side_by_side(layer: nn.Module, shape: tuple[int, ...], rows: int, columns: int) -> None:
    weight = layer.weight.detach()
    if isinstance(layer, nn.ConvTranspose2d):
        weight = torch.cat([part.transpose(0, 1) for part in weight.chunk(layer.groups)])
    weight = weight if weight.dim() == 4 else weight[:, :, None]
    height, width = weight.shape[2:]
    maps = record(nn.Sequential(layer), torch.rand(shape), layers="0", kernels=True).maps("0", "weights")
    assert maps.shape == (len(weight), rows * height, columns * width)
    for i in range(weight.shape[1]):
        y, x = i // columns * height, i % columns * width
        assert np.array_equal(maps.data[:, y : y + height, x : x + width], weight[:, i].numpy())
