"""Networks that defeat tracers, each with its true data flow, written by hand.

A truth lists, per layer id, the ids that it reads: `"relu": "conv input"`. Operations between layers are left out of it
(edges pass through them) unless a truth names them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Case(NamedTuple):
    name: str
    build: Callable[[], nn.Module]
    inputs: Any
    truth: dict[str, str]


def picture(batch: int = 1, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(batch, 3, 8, 8, generator=torch.Generator().manual_seed(1)).to(dtype)


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class DataDependent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.yes, self.no = conv(3, 4), conv(4, 4), conv(4, 4)

    def forward(self, x):
        y = self.a(x)
        return self.yes(y) if float(y.abs().sum()) >= 0 else self.no(y)


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), conv(8, 4)

    def forward(self, x):
        y = self.a(x)
        return self.b(torch.cat([F.relu(y), torch.sigmoid(y)], 1))


class Reused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = conv(3, 3)

    def forward(self, x):
        return self.a(self.a(self.a(x)))


class InPlace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c, self.r = conv(3, 4), conv(4, 4), conv(4, 4), nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.r(self.a(x))
        z = self.b(y)
        y += 1
        z.relu_()
        z.add_(y)
        z[:, 0] = y[:, 1]
        return self.c(self.r(z))


class StaleViews(nn.Module):
    """Views taken before the tensor behind them, or all of it through another view, is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(3, 4), conv(2, 2), conv(2, 2)

    def forward(self, x):
        y = self.a(x)
        low, high = y.chunk(2, 1)
        y.relu_()
        p = self.b(low)
        y.view(-1).sigmoid_()
        low.tanh_()
        return p, self.c(high)


class ThroughViews(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(3, 4), conv(3, 2), conv(4, 4)

    def forward(self, x):
        canvas = x.new_zeros(1, 4, 8, 8)
        canvas[:, :4].copy_(self.a(x))
        canvas.view(-1)[:128].add_(self.b(x).flatten())
        return self.c(canvas)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.lstm, self.head = nn.GRUCell(5, 6), nn.LSTM(6, 7, batch_first=True), nn.Linear(7, 2)

    def forward(self, x):
        h = torch.zeros(x.shape[0], 6)
        steps = []
        for t in range(3):
            h = self.cell(x[:, t], h)
            steps.append(h)
        y, (last, _) = self.lstm(torch.stack(steps, 1))
        return self.head(last[-1])


class TwoInTwoOut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.p, self.q = conv(3, 4), conv(3, 4), conv(4, 2), conv(4, 2)

    def forward(self, left, right):
        both = self.a(left) * self.b(right)
        return self.p(both), self.q(both + 1)


class DictOutput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.heads = conv(3, 4), nn.ModuleDict({"mask": conv(4, 1), "edge": conv(4, 1)})

    def forward(self, x):
        y = self.a(x)
        return {"out": {name: head(y) for name, head in self.heads.items()}, "features": [y]}


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            [nn.ModuleList([conv(3, 3), nn.ReLU()]), nn.ModuleDict({"left": conv(3, 3), "right": nn.Identity()})]
        )

    def forward(self, x):
        for layer in self.blocks[0]:
            x = layer(x)
        return self.blocks[1]["left"](x) + self.blocks[1]["right"](x)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.mix = nn.Embedding(11, 6), nn.Linear(6, 6)
        self.out = nn.Linear(6, 11, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, tokens):
        y = self.mix(self.embed(tokens))
        return self.out(y) + F.linear(y, self.embed.weight)


@dataclass
class Answer:
    logits: torch.Tensor
    extra: torch.Tensor | None = None
    name: str = "answer"
    shape: tuple[int, ...] = field(default_factory=tuple)


class DataclassOutput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), Packs()

    def forward(self, x):
        inner = self.b(self.a(x))
        return Answer(inner.logits.mean((2, 3)), None, "answer", tuple(x.shape))


class Packs(nn.Module):
    def forward(self, x):
        return Answer(x * 2, None)


class Hooked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), conv(4, 4)
        self.a.register_forward_hook(lambda module, args, output: output * 2)
        self.b.register_forward_pre_hook(lambda module, args: (args[0] + 1,))

    def forward(self, x):
        return self.b(self.a(x))


class InlineNumpy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 3), conv(3, 3)

    def forward(self, x):
        return self.b(torch.from_numpy(np.sqrt(np.abs(self.a(x).numpy()))))


class NumpyModule(nn.Module):
    def forward(self, x):
        return torch.from_numpy(x.numpy() * 2)


class WithNumpyModule(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.n, self.b = conv(3, 3), NumpyModule(), conv(3, 3)

    def forward(self, x):
        return self.b(self.n(self.a(x)))


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


class AutogradFunction(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 3), conv(3, 3)

    def forward(self, x):
        return self.b(Double.apply(self.a(x)))


class Scripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.s, self.b = conv(3, 4), torch.jit.script(nn.Sequential(conv(4, 4), nn.ReLU())), conv(4, 4)

    def forward(self, x):
        return self.b(self.s(self.a(x)))


class Keywords(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), conv(4, 4)

    def forward(self, *, image, scale=2.0):
        return self.b(input=self.a(input=image) * scale)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.encoder(x)[:, 0])


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.n, self.r, self.d = conv(3, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout()
        self.b = conv(4, 4)

    def forward(self, x):
        return self.b(self.d(self.r(self.n(self.a(x)))))


class Compiled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), torch.compile(nn.Sequential(conv(4, 4), nn.ReLU()), backend="eager")

    def forward(self, x):
        return self.b(self.a(x))


class Catches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.broken, self.b = conv(3, 4), conv(5, 4), conv(4, 4)

    def forward(self, x):
        y = self.a(x)
        try:
            y = self.broken(y)
        except RuntimeError:
            y = F.relu(y)
        return self.b(y)


class InferenceMode(nn.Module):
    """Its tensors have no version counters."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), conv(4, 4)

    @torch.inference_mode()
    def forward(self, x):
        y = self.a(x)
        F.relu(y, inplace=True)
        return self.b(y)


class Templates(nn.Module):
    """Reads only the shapes and the dtype of one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(3, 4), conv(3, 4), conv(4, 4)

    def forward(self, x):
        y, like = self.a(x), self.b(x)
        y = y.flatten().view_as(like).reshape_as(like).type_as(like).to(like)
        y = y + torch.zeros_like(like) + like.new_ones(1) + torch.empty_like(input=like).fill_(0)
        return self.c(y[:, :, :1].expand_as(like))


class Pairs(nn.Module):
    """Makes an output of each input with one operation."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c, self.d = conv(3, 4), conv(3, 4), conv(4, 4), conv(4, 4)

    def forward(self, x):
        left, right = torch.broadcast_tensors(self.a(x), self.b(x)[:, :1])
        return self.c(left), self.d(right)


class Complex(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c, self.d = conv(3, 4), conv(4, 4), conv(4, 4), conv(8, 4)

    def forward(self, x):
        y = torch.fft.fft2(self.a(x))
        pairs = torch.view_as_real(y * 2).movedim(-1, 2).flatten(1, 2)
        return self.b(y.real), self.c(torch.imag(y) + y.imag), self.d(pairs)


class EntersByName(nn.Module):
    """Its modules have the names of the recorder's ids for inputs and outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.input, self.output = conv(3, 4), conv(4, 4)

    def forward(self, x):
        return self.output(self.input(x))


CHAIN = {"a": "input", "b": "a", "output": "b"}
CASES = [
    Case("data-dependent branch", DataDependent, picture(), {
        "a": "input", ":abs": "a", ":sum": ":abs", "yes": "a", "output": "yes"}),
    Case("functional relu and cat", Functional, picture(), {
        "a": "input", ":relu": "a", ":sigmoid": "a", ":cat": ":relu :sigmoid", "b": ":cat", "output": "b"}),
    Case("one module three times", Reused, picture(), {"a": "input", "a@2": "a", "a@3": "a@2", "output": "a@3"}),
    Case("in-place mix", InPlace, picture(), {
        "a": "input", "r": "a", "b": "r", ":add": "r", ":relu": "b", ":add@2": ":relu :add",
        ":setitem": ":add@2 :add", "r@2": ":setitem", "c": "r@2", "output": "c"}),
    Case("in-place through views", ThroughViews, picture(), {
        "a": "input", "b": "input", ":add": "a b", "c": "a :add", "output": "c"}),
    Case("recurrent", Recurrent, torch.rand(1, 3, 5), {
        "cell": "input", "cell@2": "input cell", "cell@3": "input cell@2", ":stack": "cell cell@2 cell@3",
        "lstm": ":stack", "head": "lstm", "output": "head"}),
    Case("two inputs, two outputs", TwoInTwoOut, (picture(), picture()), {
        "a": "input", "b": "input@2", ":mul": "a b", ":add": ":mul", "p": ":mul", "q": ":add", "output": "p",
        "output@2": "q"}),
    Case("dict output", DictOutput, picture(), {
        "a": "input", "heads.mask": "a", "heads.edge": "a", "output": "heads.mask", "output@2": "heads.edge",
        "output@3": "a"}),
    Case("nested containers", Nested, picture(), {
        "blocks.0.0": "input", "blocks.0.1": "blocks.0.0", "blocks.1.left": "blocks.0.1",
        ":add": "blocks.1.left blocks.0.1", "output": ":add"}),
    Case("tied weights", Tied, torch.tensor([[1, 4, 2]]), {
        "embed": "input", "mix": "embed", "out": "mix", ":linear": "mix", ":add": "out :linear", "output": ":add"}),
    Case("dataclass output", DataclassOutput, picture(), {"a": "input", "b": "a", ":mean": "b", "output": ":mean"}),
    Case("user hooks", Hooked, picture(), {"a": "input", ":mul": "a", "b": ":mul", "output": "b"}),
    Case("numpy inline", InlineNumpy, picture(), {"a": "input", "b": "", "output": "b"}),
    Case("numpy in a module", WithNumpyModule, picture(), {"a": "input", "n": "a", "b": "n", "output": "b"}),
    Case("autograd.Function", AutogradFunction, picture(), {"a": "input", ":mul": "a", "b": ":mul", "output": "b"}),
    Case("scripted module", Scripted, picture(), {"a": "input", "s": "a", "b": "s", "output": "b"}),
    Case("keyword arguments", Keywords, {"image": picture()}, {"a": "input", ":mul": "a", "b": ":mul", "output": "b"}),
    Case("transformer encoder", Encoder, torch.rand(1, 5, 8), {
        "encoder.layers.0.self_attn": "input", "encoder.layers.0:add": "input encoder.layers.0.self_attn",
        "encoder.layers.0.norm1": "encoder.layers.0:add", "encoder.layers.0.linear1": "encoder.layers.0.norm1",
        "encoder.layers.0:relu": "encoder.layers.0.linear1", "encoder.layers.0.linear2": "encoder.layers.0:relu",
        "encoder.layers.0:add@2": "encoder.layers.0.norm1 encoder.layers.0.linear2",
        "encoder.layers.0.norm2": "encoder.layers.0:add@2", "head": "encoder.layers.0.norm2", "output": "head"}),
    Case("float16", lambda: Plain().half(), picture(dtype=torch.float16), {
        "a": "input", "n": "a", "r": "n", "b": "r", "output": "b"}),
    Case("bfloat16", lambda: Plain().bfloat16(), picture(dtype=torch.bfloat16), {
        "a": "input", "n": "a", "r": "n", "b": "r", "output": "b"}),
    Case("train mode", lambda: Plain().train(), picture(2), {
        "a": "input", "n": "a", "r": "n", "b": "r", "output": "b"}),
    Case("torch.compile inside", Compiled, picture(), {
        "a": "input", "b._orig_mod.0": "a", "b._orig_mod.1": "b._orig_mod.0", "output": "b._orig_mod.1"}),
    Case("caught exception", Catches, picture(), {"a": "input", ":relu": "a", "b": ":relu", "output": "b"}),
    Case("stale views", StaleViews, picture(), {
        "a": "input", ":relu": "a", "b": ":relu", ":sigmoid": ":relu", ":tanh": ":sigmoid", "c": ":sigmoid",
        "output": "b", "output@2": "c"}),
    Case("templates", Templates, picture(), {
        "a": "input", "b": "input", ":add": "a", ":add@2": ":add", ":add@3": ":add@2", "c": ":add@3", "output": "c"}),
    Case("an output of each input", Pairs, picture(), {
        "a": "input", "b": "input", "c": "a", "d": "b", "output": "c", "output@2": "d"}),
    Case("complex numbers", Complex, picture(), {
        "a": "input", "b": "a", ":add": "a", "c": ":add", "d": "a", "output": "b", "output@2": "c",
        "output@3": "d"}),
    Case("inference mode inside", InferenceMode, picture(), {"a": "input", ":relu": "a", "b": ":relu", "output": "b"}),
    Case("modules called input and output", EntersByName, picture(), {
        "input": ":input", "output": "input", ":output": "output"}),
]  # fmt: skip
