"""Which axis is the batch: input i of a batch is recorded as if it were alone, and positions of it are chosen."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.capture.axis_measurement import AxisMeasurement  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402
from innerwalk.torch_bridge.recording import Recording  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402

torch.set_num_threads(1)


class Net(nn.Module):
    """A network of named layers with a forward of its own."""

    def __init__(self, run: Callable[..., Any], **layers: nn.Module | nn.Parameter) -> None:
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.run = run

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.run(self, *inputs)


def conv() -> nn.Conv2d:
    return nn.Conv2d(3, 4, 3, padding=1)


def recurrent(kind: type[nn.RNNBase], batch_first: bool, state: bool) -> Net:
    def run(net, x):
        output, hidden = net.cells(x)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return net.head(hidden[-1] if state else output)

    return Net(run, cells=kind(5, 4, 2, batch_first=batch_first), head=nn.Linear(4, 2))


def attention(batch_first: bool) -> Net:
    def run(net, x):
        z = net.project(x)
        return net.head(net.attend(z, z, z)[0])

    layers = {"project": nn.Linear(5, 8), "head": nn.Linear(8, 2)}
    return Net(run, attend=nn.MultiheadAttention(8, 2, batch_first=batch_first), **layers)


def transposed_inside(layer: nn.Module) -> Net:
    def run(net, x):
        z = net.project(x).transpose(0, 1)
        z = net.layer(z, z, z)[0] if isinstance(net.layer, nn.MultiheadAttention) else net.layer(z)
        return net.head((z[0] if isinstance(z, tuple) else z).mean(0))

    return Net(run, project=nn.Linear(5, 8), layer=layer, head=nn.Linear(8, 2))


def video(order: str) -> Net:
    def run(net, v):
        n, t = (v.shape[0], v.shape[1]) if order != "channels first" else (v.shape[0], v.shape[2])
        moved = {"frames": v, "channels first": v.transpose(1, 2), "time first": v.transpose(0, 1)}[order]
        z = net.conv(moved.flatten(0, 1)).mean((2, 3))
        return net.head(z.view(t, n, 4).mean(0) if order == "time first" else z.view(n, t, 4).max(1)[0])

    return Net(run, conv=conv(), head=nn.Linear(4, 2))


def detr() -> Net:
    def run(net, x):
        z = net.patches(x)
        queries = net.mix(net.queries.unsqueeze(1).repeat(1, len(x), 1))
        return net.head(net.transformer(z.flatten(2).permute(2, 0, 1), queries).transpose(0, 1))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that batch_first=False is slower
        transformer = nn.Transformer(8, 2, 1, 1, 16, dropout=0)
    layers = {"patches": nn.Conv2d(3, 8, 4, 4), "mix": nn.Linear(8, 8), "head": nn.Linear(8, 3)}
    return Net(run, transformer=transformer, queries=nn.Parameter(torch.rand(7, 8)), **layers)


def sequencer() -> Net:
    def run(net, x):
        y = net.patches(x).permute(0, 2, 3, 1)
        n, h, w, c = y.shape
        v = net.vertical(y.permute(0, 2, 1, 3).reshape(-1, h, c))[0].reshape(n, w, h, -1).permute(0, 2, 1, 3)
        u = net.horizontal(y.reshape(-1, w, c))[0].reshape(n, h, w, -1)
        return net.head(torch.cat([v, u], -1).mean((1, 2)))

    vertical, horizontal = (nn.LSTM(6, 4, batch_first=True) for _ in range(2))
    layers = {"patches": nn.Conv2d(3, 6, 2, 2), "head": nn.Linear(8, 2)}
    return Net(run, vertical=vertical, horizontal=horizontal, **layers)


def own_heads() -> Net:
    def run(net, x):
        q, k, v = net.qkv(x).view(len(x), 6, 3, 2, 4).permute(2, 0, 3, 1, 4).reshape(3, -1, 6, 4)
        return net.head(((q @ k.transpose(1, 2)).softmax(-1) @ v).mean(1))

    return Net(run, qkv=nn.Linear(8, 24), head=nn.Linear(4, 2))


def perceiver() -> Net:
    def run(net, x):
        keys = net.project(x)
        return net.head(net.attend(net.latents.expand(len(x), -1, -1), keys, keys)[0].mean(1))

    attend = nn.MultiheadAttention(8, 2, batch_first=True)
    layers = {"project": nn.Linear(5, 8), "head": nn.Linear(8, 2), "latents": nn.Parameter(torch.rand(1, 7, 8))}
    return Net(run, attend=attend, **layers)


def swin() -> nn.Module:
    from innerwalk.torch_bridge.models.build import build_model

    return build_model("swin_t").module


def translation() -> Net:
    def run(net, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return net.head(net.transformer(net.words(source), net.words(target), tgt_mask=mask))

    transformer = nn.Transformer(8, 2, 1, 1, 16, batch_first=True, dropout=0)
    return Net(run, words=nn.Embedding(9, 8), transformer=transformer, head=nn.Linear(8, 9))


def diffusion() -> Net:
    def run(net, x, t):
        embedded = net.time(torch.stack([(t * k).sin() for k in range(1, 5)], -1))
        return net.out(net.conv(x) + embedded[:, :, None, None])

    return Net(run, time=nn.Linear(4, 4), conv=conv(), out=nn.Conv2d(4, 3, 1))


def pair(net, a, b):
    first, second = net.conv(torch.cat([a, b])).chunk(2)
    return net.head((first - second).mean((2, 3)))


def views(dim: int) -> Net:
    def run(net, x):
        z = net.conv(torch.stack([x, x * 2], dim).flatten(0, 1)).mean((2, 3))
        return z.view(2, len(x), 4).sum(0) if dim == 0 else z.view(len(x), 2, 4).sum(1)

    return Net(run, conv=conv())


def repeated(net, x):
    return net.conv(x.repeat_interleave(2, 0)).mean((2, 3)).view(len(x), 2, 4).mean(1)


def patches(net, x):
    return net.linear(nn.functional.unfold(x, 4, stride=4).transpose(1, 2)).mean(1)


SEQUENCE, PICTURE, VIDEO = (3, 6, 5), (3, 3, 8, 8), (3, 5, 3, 8, 8)
ZOO: dict[str, tuple[Callable[[], nn.Module], tuple[Any, ...], set[str]]] = {
    # network, shapes of the inputs (or the inputs), places that the maps name
    **{
        f"{kind.__name__}, {'state' if state else 'output'}": (
            lambda kind=kind, state=state: recurrent(kind, True, state), (SEQUENCE,), set(),
        )
        for kind in (nn.RNN, nn.GRU, nn.LSTM) for state in (False, True)
    },
    "attention": (lambda: attention(True), (SEQUENCE,), set()),
    "transposed for attention": (lambda: transposed_inside(nn.MultiheadAttention(8, 2)), (SEQUENCE,), set()),
    "transposed for a GRU": (lambda: transposed_inside(nn.GRU(8, 8)), (SEQUENCE,), set()),
    "transposed for an encoder": (
        lambda: transposed_inside(nn.TransformerEncoderLayer(8, 2, 16)), (SEQUENCE,), set(),
    ),
    "frames": (lambda: video("frames"), (VIDEO,), {"frame 0 of 5"}),
    "frames after channels": (lambda: video("channels first"), ((3, 3, 5, 8, 8),), {"frame 0 of 5"}),
    "frames before the batch": (lambda: video("time first"), (VIDEO,), {"frame 0 of 5"}),
    "views before the batch": (lambda: views(0), (PICTURE,), {"part 0 of 2"}),
    "views after the batch": (lambda: views(1), (PICTURE,), {"part 0 of 2"}),
    "repeated items": (lambda: Net(repeated, conv=conv()), (PICTURE,), {"copy 0 of 2"}),
    "steps folded": (
        lambda: Net(lambda net, x: net.f(x.reshape(-1, 5)).view(len(x), 6, 2).mean(1), f=nn.Linear(5, 2)),
        (SEQUENCE,), {"step 0 of 6"},
    ),
    "heads folded": (own_heads, ((3, 6, 8),), {"part 0 of 2"}),
    "a batch of pairs": (lambda: Net(pair, conv=conv(), head=nn.Linear(4, 2)), (PICTURE, PICTURE), {"part 0 of 2"}),
    "object queries": (detr, ((3, 3, 12, 20),), set()),
    "latent queries": (perceiver, (SEQUENCE,), set()),
    "rows and columns": (sequencer, ((3, 3, 8, 12),), {"row 0 of 4", "column 0 of 6"}),
    "two sentences": (translation, (torch.arange(18).view(3, 6) % 9, torch.arange(12).view(3, 4) % 9), set()),
    "a picture and a number": (diffusion, (PICTURE, (3,)), set()),
    "unfolded patches": (lambda: Net(patches, linear=nn.Linear(48, 5)), (PICTURE,), set()),
    "as many inputs as channels": (
        lambda: Net(lambda net, x: net.f(x.mean((2, 3))), f=nn.Linear(3, 3)), (PICTURE,), set(),
    ),
    "windows": (swin, ((2, 3, 64, 64),), {"window 0 of 4", "window 0 of 9"}),
}  # fmt: skip


def made_inputs(shapes: tuple[Any, ...]) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    return tuple(shape if isinstance(shape, torch.Tensor) else torch.randn(shape) for shape in shapes)


def differences(batch: Recording, alone: Recording) -> dict[str, str]:
    """What the recording of one input of a batch has in other ways than that of the input alone, by layer."""
    first, second = batch.network.layers, alone.network.layers
    assert [layer.id for layer in first] == [layer.id for layer in second]
    found = {a.id: f"{a} is not {b}" for a, b in zip(first, second, strict=True) if a != b}
    for (layer, method), maps in batch.all_maps.items():
        truth = alone.maps(layer, method)
        near = maps.shape == truth.shape and np.allclose(maps.data, truth.data, atol=1e-4 * np.abs(truth.data).max())
        if not near or maps.place != truth.place:
            found.setdefault(layer, f"{method} {maps.place} differs")
    return found


@pytest.mark.parametrize("name", ZOO)
def test_an_input_of_a_batch_is_recorded_as_if_it_were_alone(name: str) -> None:
    build, shapes, places = ZOO[name]
    torch.manual_seed(0)
    model, inputs = build().eval(), made_inputs(shapes)
    for index in (0, len(inputs[0]) - 1):
        batch = record(model, inputs, index=index)
        assert not differences(batch, record(model, tuple(own[index : index + 1] for own in inputs)))
        assert {maps.place for maps in batch.all_maps.values()} - {""} == places
        assert not [layer for layer in batch.network.layers if "assumed" in layer.note or "together" in layer.note]


@pytest.mark.parametrize("build", [lambda: attention(False), lambda: recurrent(nn.LSTM, False, False)])
def test_an_input_of_a_batch_in_axis_1_is_recorded_as_if_it_were_alone(build) -> None:
    model, x = build().eval(), torch.randn(6, 3, 5)
    for index in range(3):
        assert not differences(record(model, x, index=index), record(model, x[:, index : index + 1]))


OUTPUTS = {"", "1 of 3 outputs"}
MIXED = {
    "mean of the batch": (lambda net, a: net.f(a - a.mean(0)), {":mean", ":sub", "f", "output"}),
    "scaled by the batch": (lambda net, a: net.f(F.normalize(a, dim=0)), {":normalize", "f", "output"}),
    "softmax over the batch": (lambda net, a: net.f(a).softmax(0), {":softmax", "output"}),
    "inputs compared": (lambda net, a: net.f(a) @ a.T, {":matmul", "output"}),
    "inputs compared in pairs": (lambda net, a: net.f(a[:, None] - a[None]), {":sub", "f", "output"}),
    "a number of all": (lambda net, a: net.f(a).mean(), {":mean", "output"}),
    "another order of masked values": (
        lambda net, a: net.f(a.roll(1, 0)).masked_fill(torch.arange(4) < 1, -torch.inf),
        {":roll", "f", ":masked_fill", "output"},
    ),
    "another order": (lambda net, a: net.f(a.roll(1, 0)), {":roll", "f", "output"}),
    "repeated side by side": (lambda net, a: net.f(torch.kron(a, torch.ones(2, 1))), {":kron", "f", "output"}),
    "cut through the inputs": (lambda net, a: net.f(a.reshape(4, -1).T.reshape(-1, 4)), {"f", "output"}),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXED)
def test_layers_that_mix_the_inputs_say_so(name: str) -> None:
    run, mixing = MIXED[name]
    model, batch = Net(run, f=nn.Linear(4, 4)), torch.randn(4, 4)
    network = record(model, batch, index=1).network
    assert {layer.id for layer in network.layers if "not what this input gives alone" in layer.note} == mixing
    assert not any(layer.note for layer in record(model, batch[1:2]).network.layers)


@pytest.mark.parametrize("index", [0, 2])
def test_an_input_is_not_compared_with_earlier_ones(index: int) -> None:
    model = nn.LSTM(5, 4).eval()  # the batch is axis 1, which is found out with input 0
    PartialForward(model, ["LSTM"], (torch.randn(6, 3, 5),))
    for _ in range(2):
        assert {layer.note for layer in record(model, torch.randn(6, 3, 5), index=index).network.layers} <= OUTPUTS


def test_what_all_inputs_share_has_no_batch() -> None:
    model = Net(lambda net, x: net.f(x) + net.g(torch.ones(1, 3, 8, 8)), f=conv(), g=conv())
    batch = torch.randn(2, 3, 8, 8)
    for inputs, index in ((batch, 1), (batch[1:], 0)):
        layer = record(model, inputs, index=index).network.layer("g")
        assert (layer.shape, layer.map_shape, layer.note) == ((4, 8, 8), (4, 8, 8), "")


def test_calls_for_other_inputs_of_a_batch_say_so() -> None:
    one_by_one = Net(lambda net, a: torch.stack([net.f(own) for own in a]), f=nn.Linear(4, 4))
    network = record(one_by_one, torch.randn(3, 4), index=1).network
    noted = [layer.id for layer in network.layers if "not what this input gives alone" in layer.note]
    assert noted == ["f", "f@3"]


def test_packed_sequences_hold_all_inputs_and_say_so() -> None:
    def run(net, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, (hidden, _) = net.cells(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=6)
        return net.steps(padded), net.last(hidden[-1])

    model = Net(run, cells=nn.LSTM(5, 4, batch_first=True), steps=nn.Linear(4, 2), last=nn.Linear(4, 2)).eval()
    x, lengths = torch.randn(3, 6, 5), torch.tensor([4, 6, 2])
    for index in range(3):
        batch, alone = (
            record(model, (x, lengths), index=index),
            record(model, (x[index : index + 1], lengths[index : index + 1])),
        )
        notes = {layer.id: layer.note.rpartition(", ")[2] for layer in batch.network.layers}
        said = {
            id for id, note in notes.items() if note in ("packed: the steps of all inputs", "inputs sorted by length")
        }
        assert said == {":_pack_padded_sequence", "cells", ":_pad_packed_sequence"} >= set(differences(batch, alone))


UNBATCHED = [
    (nn.LSTM(5, 4), (7, 5), (1, 7, 4)),
    (nn.GRU(5, 4, batch_first=True), (7, 5), (1, 7, 4)),
    (nn.RNN(5, 4), (1, 7, 5), (1, 1, 4)),
    (nn.RNN(5, 4, batch_first=True), (1, 7, 5), (1, 7, 4)),
]


@pytest.mark.parametrize(("layer", "shape", "map_shape"), UNBATCHED)
def test_a_sequence_may_come_without_a_batch(layer: nn.Module, shape, map_shape) -> None:
    model, x = nn.Sequential(layer), torch.randn(shape)
    maps = record(model, x).maps("0")
    assert maps.shape == map_shape
    truth = layer(x)[0].detach()
    truth = truth if truth.dim() == 2 else truth[:, 0] if not layer.batch_first else truth[0]
    np.testing.assert_allclose(maps.data[0], truth.numpy(), atol=1e-6)


def test_attention_without_a_batch_shows_all_tokens() -> None:
    model, x = nn.MultiheadAttention(8, 2).eval(), torch.randn(5, 8)
    maps = record(model, (x, x, x)).maps("MultiheadAttention")
    np.testing.assert_allclose(maps.data[0], model(x, x, x)[0].detach().numpy(), atol=1e-6)


def test_a_position_is_chosen_by_layer() -> None:
    model, v = video("time first").eval(), torch.randn(VIDEO)
    recording = record(model, v, index=2, positions={"conv": np.int64(3)})
    maps = recording.maps("conv")
    assert (maps.position, maps.positions, maps.axis, maps.place) == (3, 5, "frame", "frame 3 of 5")
    np.testing.assert_allclose(maps.data, model.conv(v[2, 3][None])[0].detach().numpy(), atol=1e-5)
    assert recording.maps("head").place == "" and recording.provenance["positions"] == {"conv": 3}
    assert recording.network.digest == record(model, v).network.digest


def test_a_batch_norm_in_a_panel_shows_the_position_of_the_panel() -> None:
    frames = nn.Sequential(nn.Flatten(0, 1), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    recording = record(frames, torch.randn(VIDEO), layers="panels", positions={"1": 3})
    assert recording.network.layer("1").shows == "2" and recording.maps("2").place == "frame 3 of 5"


def test_a_position_that_is_not_there_is_refused() -> None:
    model, v = video("frames").eval(), torch.randn(VIDEO)
    for positions, message in (
        ({"conv": 5}, "no frame 5 of layer 'conv': it has 5, counted from 0"),
        ({"head": 1}, "no position 1 of layer 'head'"),
        ({"conv": -1}, "must be a whole number from 0"),
        ({"conv": True}, "must be a whole number from 0"),
        ([("conv", 1)], "must be a dict of whole numbers by layer"),
    ):
        with pytest.raises(InputError, match=message):
            record(model, v, positions=positions)
    with pytest.raises(UnknownName, match="conf"):
        record(model, v, positions={"conf": 1})
    with pytest.raises(InputError, match="no input 3: the batch has 3"):
        record(model, v, index=3)


def test_nodes_of_a_graph_are_positions_of_one_input() -> None:
    def run(net, x, edges):
        hidden = net.a(x)
        return net.b(torch.zeros_like(hidden).index_add(0, edges[1], hidden[edges[0]])).mean(0)

    model, x, edges = Net(run, a=nn.Linear(4, 6), b=nn.Linear(6, 3)), torch.randn(7, 4), torch.randint(0, 7, (2, 12))
    recording = record(model, (x, edges), positions={"a": 4})
    assert recording.maps("a").place == "node 4 of 7" and recording.maps("b").place == "node 0 of 7"
    np.testing.assert_allclose(recording.maps("a").data.ravel(), model.a(x)[4].detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(recording.maps(":mean").data.ravel(), model(x, edges).detach().numpy(), atol=1e-6)
    assert not [layer.note for layer in recording.network.layers if layer.note]
    with pytest.raises(InputError, match="no input 1"):
        record(model, (x, edges), index=1)


@pytest.mark.parametrize("frames", [15, 16, 17, 49, 50])
def test_a_sequence_is_no_picture(frames: int) -> None:
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = nn.Sequential(nn.Linear(6, 8), encoder).eval()
    recording = record(model, torch.randn(1, frames, 6))
    assert {layer.map_shape[1] for layer in recording.network.layers} == {frames}
    assert not [layer for layer in recording.network.layers if "left out" in layer.note]


def test_tokens_after_a_picture_are_not_taken_for_class_tokens() -> None:
    def run(net, x, before: bool):
        tokens, extra = net.patches(x).flatten(2).transpose(1, 2), net.extra.expand(len(x), -1, -1)
        return net.mix(torch.cat([extra, tokens] if before else [tokens, extra], 1))

    for before, shape in ((True, (8, 2, 3)), (False, (1, 7, 8))):
        layers = {"patches": nn.Conv2d(3, 8, 4, 4), "extra": nn.Parameter(torch.rand(1, 1, 8)), "mix": nn.Linear(8, 8)}
        model = Net(lambda net, x, before=before: run(net, x, before), **layers)
        assert record(model, torch.rand(1, 3, 8, 12)).network.layer("mix").map_shape == shape


def test_what_cannot_be_measured_is_noted() -> None:
    def run(net, v):
        return net.head(net.conv(v.view(5, 3, 8, 8)).mean((2, 3))).view(1, -1)

    recording = record(Net(run, conv=conv(), head=nn.Linear(4, 3)), torch.rand(1, 5, 3, 8, 8))
    assert "batch axis assumed" in recording.network.layer("conv").note
    assert recording.maps("conv").shape == (4, 8, 8)


class Stateful(nn.Module):
    """Changes all that a network can change while it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = conv(), nn.BatchNorm2d(4, momentum=None)
        self.register_buffer("calls", torch.zeros(()))
        self.seen: list[torch.Tensor] = []
        self.cache: torch.Tensor | None = None

    def forward(self, v):
        self.calls += 1
        features = self.conv(v.flatten(0, 1))
        self.seen += [v, torch.rand(()), torch.tensor(np.random.rand())]  # noqa: NPY002
        self.cache = self.norm(features)
        return self.cache.mean((2, 3)).unflatten(0, v.shape[:2])


def test_measuring_changes_nothing() -> None:
    model, v = Stateful().train(), torch.rand(1, 5, 3, 8, 8)
    outputs: list[torch.Tensor] = []
    model.conv.register_forward_hook(lambda *call: outputs.append(call[2]))
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    recording = record(model, v)
    assert recording.maps("conv").place == "frame 0 of 5"
    seen, drawn, of_numpy = model.seen
    assert seen is v and len(outputs) == 1 and model.cache is None
    assert (drawn, of_numpy) == (torch.rand(()), np.random.rand())  # noqa: NPY002
    assert model.training and model.calls == 0 and model.norm.num_batches_tracked == 0


def test_a_network_is_measured_once_and_only_where_an_axis_is_in_doubt(monkeypatch) -> None:
    runs: list[str] = []
    measure = AxisMeasurement._measure

    def counted(measurement):
        runs.append(type(measurement.model).__name__)
        return measure(measurement)

    monkeypatch.setattr(AxisMeasurement, "_measure", counted)
    plain = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    record(plain, torch.rand(1, 3, 8, 8))
    assert runs == []
    for _ in range(2):
        record(plain, torch.rand(2, 3, 8, 8), index=1)
    assert runs.pop() == "Sequential" and not runs
    model = video("frames").train()
    model.cyclic = []
    model.cyclic.append(model.cyclic)
    for _ in range(3):
        record(model, torch.randn(VIDEO))
    assert runs == ["Net"]
    record(model, torch.randn(2, 4, 3, 8, 8))
    model.extra = "of another configuration"
    record(model, torch.randn(VIDEO))
    assert runs == ["Net"] * 3


@functools.cache
def grid_of_positions(tokens: int) -> torch.Tensor:
    return torch.linspace(0, 1, tokens)[:, None]


def test_measuring_leaves_values_in_caches_outside_the_network() -> None:
    def run(net, x):
        rows = net.f(x.flatten(0, 1)).view(x.shape)
        return net.g(rows + grid_of_positions(x.shape[1]))

    grid_of_positions.cache_clear()
    model, x = Net(run, f=nn.Linear(4, 4), g=nn.Linear(4, 2)), torch.randn(1, 6, 4)
    maps = record(model, x).maps("g").data
    assert type(grid_of_positions(6)) is torch.Tensor
    np.testing.assert_allclose(maps[0], model(x)[0].detach().numpy(), atol=1e-6)


def test_measuring_keeps_the_hooks_of_parts_that_cannot_be_copied() -> None:
    class Frozen(nn.Linear):
        def __deepcopy__(self, memo):
            return self

    model = Net(lambda net, x: net.f(x.flatten(0, 1)), f=Frozen(4, 4))
    model.f.register_forward_hook(lambda *args: None)
    record(model, torch.randn(2, 6, 4))
    assert len(model.f._forward_hooks) == 1 and model.f.training


def test_other_arguments_are_measured_anew() -> None:
    class Ordered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.f = nn.Linear(4, 4)

        def forward(self, x, tokens_first=False):
            return self.f((x.transpose(0, 1) if tokens_first else x).flatten(0, 1))

    model, x = Ordered(), torch.randn(3, 2, 4)
    for inputs in ({"x": x}, {"x": x, "tokens_first": True}):
        maps = record(model, inputs, index=1, positions={"f": 1}).maps("f")
        assert maps.positions == 2
        np.testing.assert_allclose(maps.data.ravel(), model.f(x[1, 1]).detach().numpy(), atol=1e-6)


def test_states_of_recurrent_layers_have_the_batch_in_axis_1() -> None:
    model = nn.GRU(4, 6, 2, batch_first=True).eval()
    state = torch.randn(2, 3, 6)
    recording = record(model, (torch.randn(3, 5, 4), state), index=1)
    np.testing.assert_array_equal(recording.maps("input@2").data[0], state[:, 1].numpy())


def test_generators_of_the_network_stay_where_they_are() -> None:
    model = Net(lambda net, x: net.f(x.flatten(0, 1) + torch.rand(4, generator=net.random)), f=nn.Linear(4, 4))
    model.random = torch.Generator().manual_seed(1)
    first, second = (record(model, torch.zeros(2, 3, 4)).maps("f").data for _ in range(2))
    np.testing.assert_array_equal(first, second)
