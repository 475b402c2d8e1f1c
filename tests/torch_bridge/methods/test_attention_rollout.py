"""Attention rollout against torch's own attention weights, multiplied by numpy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

NAMES = {1: "1 layer", 2: "2 layers", 3: "3 layers"}
LAYERS = ["blocks.0.attention", "blocks.1.attention", "blocks.2.attention"]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(16), nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        y = self.norm(x)
        return x + self.attention(y, y, y)[0]


class Transformer(nn.Module):
    """Patches of 4 x 4 pixels, with a class token or without."""

    def __init__(self, class_token=True):
        super().__init__()
        self.patch, self.fc = nn.Conv2d(3, 16, 4, 4), nn.Linear(16, 3)
        self.token = nn.Parameter(torch.randn(1, 1, 16)) if class_token else None
        self.blocks = nn.ModuleList(Block() for _ in range(3))

    def tokens(self, x):
        y = self.patch(x).flatten(2).transpose(1, 2)
        return y if self.token is None else torch.cat([self.token.expand(len(y), -1, -1), y], 1)

    def forward(self, x):
        y = self.tokens(x)
        for block in self.blocks:
            y = block(y)
        return self.fc(y.mean(1) if self.token is None else y[:, 0])


def transformer(**options):
    torch.manual_seed(3)
    model = Transformer(**options).eval()
    with torch.no_grad():
        for block in model.blocks:
            block.attention.in_proj_weight.mul_(4)  # attention that isn't nearly equal everywhere
    return model


def picture():
    return torch.randn(1, 3, 12, 20, generator=torch.Generator().manual_seed(0))


def attention_by_torch(model):
    """By layer (heads, tokens, tokens)."""
    y, found = model.tokens(picture()), []
    with torch.no_grad():
        for block in model.blocks:
            z = block.norm(y)
            found.append(block.attention(z, z, z, average_attn_weights=False)[1][0].double().numpy())
            y = block(y)
    return found


def rolled_by_hand(model, depth, residual=0.5, fuse=lambda heads: heads.mean(0)):
    result = None
    for heads in attention_by_torch(model)[:depth]:
        matrix = residual * np.eye(heads.shape[1]) + (1 - residual) * fuse(heads)
        matrix /= matrix.sum(1, keepdims=True)
        result = matrix if result is None else matrix @ result
    return result


def run(model, layers=LAYERS, **parameters):
    return method_runs.run_method(method_runs.make_context(model, picture(), layers), "attention_rollout", **parameters)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_class_tokens_row_up_to_each_layer(depth):
    model = transformer()
    wanted = rolled_by_hand(model, depth)[0, 1:].reshape(3, 5)
    maps = run(model, smooth=False)[LAYERS[depth - 1]]
    assert maps.shape == (1, 3, 5) and maps.frame == "input" and maps.labels == (f"token 0, {NAMES[depth]}",)
    assert np.allclose(maps.data[0], wanted, atol=1e-6) and np.ptp(wanted) > 0.01
    alone = run(model, LAYERS[depth - 1 : depth], smooth=False)
    assert list(alone) == LAYERS[depth - 1 : depth]
    assert np.array_equal(alone[LAYERS[depth - 1]].texels, maps.texels)


@pytest.mark.parametrize("residual", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("parameters", "fuse"),
    [
        ({"heads": "maximum"}, lambda heads: heads.max(0)),
        ({"heads": "one", "head": 2}, lambda heads: heads[2]),
        ({"heads": "mean"}, lambda heads: heads.mean(0)),
    ],
)
def test_heads_and_residuals(parameters, fuse, residual):
    model = transformer()
    maps = run(model, LAYERS[2:], smooth=False, residual=residual, **parameters)[LAYERS[2]]
    wanted = rolled_by_hand(model, 3, residual, fuse)[0, 1:]
    assert np.allclose(maps.data.ravel(), wanted, atol=1e-6)
    none = "zero everywhere: token 0 depends on no token of the picture"
    assert maps.note == (none if residual == 1 else "")


def test_without_a_class_token_it_is_the_mean_and_any_token_may_look():
    model = transformer(class_token=False)
    wanted = rolled_by_hand(model, 3)
    maps = run(model, LAYERS[2:], smooth=False)[LAYERS[2]]
    assert np.allclose(maps.data.ravel(), wanted.mean(0), atol=1e-6) and maps.labels == ("all tokens, 3 layers",)
    assert np.allclose(run(model, LAYERS[2:], smooth=False, token=7)[LAYERS[2]].data.ravel(), wanted[7], atol=1e-6)
    smooth = run(model, LAYERS[2:])[LAYERS[2]]
    assert smooth.shape == (1, 12, 20)


def test_functional_attention_counts_the_same():
    class Functional(Block):
        def forward(self, x):
            y = self.norm(x)
            weights, bias = self.attention.in_proj_weight, self.attention.in_proj_bias
            parts = nn.functional.linear(y, weights, bias).chunk(3, -1)
            query, key, value = (part.unflatten(-1, (4, 4)).transpose(1, 2) for part in parts)
            found = nn.functional.scaled_dot_product_attention(query, key, value)
            return x + self.attention.out_proj(found.transpose(1, 2).flatten(2))

    model, plain = transformer(), transformer()
    for block in model.blocks:
        block.__class__ = Functional
    context = method_runs.make_context(model, picture(), ["blocks.2:scaled_dot_product_attention"])
    found = method_runs.run_method(context, "attention_rollout", smooth=False)
    (maps,) = found.values()
    assert np.allclose(maps.data, run(plain, smooth=False)[LAYERS[2]].data, atol=1e-6)


def test_what_can_go_wrong():
    conv = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 10 * 18, 2))
    with pytest.raises(
        InputError, match=r"the network has no attention layers \(Multi.*\); attention_rollout needs a transformer"
    ):
        run(conv, ["0"])
    model = transformer()
    with pytest.raises(InputError, match=r"fc: no attention layers; ask for one, such as blocks.2.attention"):
        run(model, ["fc"])
    with pytest.raises(InputError, match="no head 4: the layer has 4, counted from 0"):
        run(model, heads="one", head=4)
    with pytest.raises(InputError, match="no token 16: blocks.0.attention has 16, counted from 0"):
        run(model, token=16)


def test_attention_among_other_tokens_is_refused():
    class Cross(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.query = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.randn(1, 2, 16))
            self.attention, self.fc = nn.MultiheadAttention(16, 4, batch_first=True), nn.Linear(16, 3)

        def forward(self, x):
            y = self.patch(x).flatten(2).transpose(1, 2)
            return self.fc(self.attention(self.query.expand(len(y), -1, -1), y, y)[0].mean(1))

    with pytest.raises(InputError, match="attention attends from 2 to 15 tokens; rollout needs self-attention among"):
        run(Cross().eval(), ["attention"])


def test_layers_behind_other_attention_are_left_out():
    model = transformer()
    model.blocks[1].attention.add_zero_attn = True  # attends to one token more than there are
    found, alone = run(model, smooth=False), run(transformer(), LAYERS[:1], smooth=False)
    (maps,), (wanted,) = found.values(), alone.values()
    assert np.array_equal(maps.data, wanted.data)
    assert maps.note.startswith(
        "left out: blocks.1.attention, blocks.2.attention (blocks.1.attention attends from 16 to 17 tokens; rollout"
    )
    with pytest.raises(InputError, match="blocks.1.attention attends from 16 to 17 tokens"):
        run(model, LAYERS[1:])


def test_attention_within_windows_is_refused():
    class Windows(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(3, 16, 2, 2)
            self.attention, self.fc = nn.MultiheadAttention(16, 4, batch_first=True), nn.Linear(16, 3)

        def forward(self, x):
            y = self.patch(x)  # (N, 16, 6, 10): two rows and two columns of windows
            y = y.unflatten(3, (2, 5)).unflatten(2, (2, 3)).permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)
            return self.fc(self.attention(y, y, y)[0].unflatten(0, (-1, 4)).mean((1, 2)))

    with pytest.raises(InputError, match="attention attends within 4 parts; rollout needs all tokens at once"):
        run(Windows().eval(), ["attention"])
