"""The layout of maps for tensors of every rank, and the copy of their values into texels."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.capture.trace.axes import infer_axes, input_axes, reshaped_axes  # noqa: E402
from innerwalk.torch_bridge.capture.trace.axis_positions import permutation  # noqa: E402
from innerwalk.torch_bridge.capture.values.map_layout import (  # noqa: E402
    Axes,
    BatchFold,
    choose_layout,
    extract_maps,
    to_texels,
    token_grid,
)
from innerwalk.torch_bridge.recording import pack  # noqa: E402

torch.set_num_threads(1)

RULES = [
    # shape, axes, map_shape, the maps written with plain indexing
    ((), Axes(), (1, 1, 1), lambda t: t.reshape(1, 1, 1)),
    ((2,), Axes(0), (1, 1, 1), lambda t: t[1].reshape(1, 1, 1)),
    ((2, 5), Axes(0), (5, 1, 1), lambda t: t[1][:, None, None]),
    ((2, 5, 7), Axes(0, 1), (5, 1, 7), lambda t: t[1][:, None, :]),
    ((2, 10, 3), Axes(0, 2, grid=(3, 3)), (3, 3, 3), lambda t: t[1, 1:].T.reshape(3, 3, 3)),
    ((10, 2, 3), Axes(1, 2, grid=(3, 3)), (3, 3, 3), lambda t: t[1:, 1].T.reshape(3, 3, 3)),
    ((2, 6, 3), Axes(0, 2, grid=(2, 3)), (3, 2, 3), lambda t: t[1].T.reshape(3, 2, 3)),
    ((2, 9, 3), Axes(0, 2, grid=None), (1, 9, 3), lambda t: t[1][None]),
    ((2, 7, 3), Axes(0, 2), (1, 7, 3), lambda t: t[1][None]),
    ((2, 4, 9, 3), Axes(0, 3, head=1, grid=(3, 3)), (12, 3, 3), lambda t: t[1].transpose(1, 2).reshape(12, 3, 3)),
    ((2, 5, 4, 6), Axes(0, 1), (5, 4, 6), lambda t: t[1]),
    ((2, 4, 6, 5), Axes(0, 3), (5, 4, 6), lambda t: t[1].permute(2, 0, 1)),
    ((5, 4, 6), Axes(None, 0), (5, 4, 6), lambda t: t),
    ((2, 5, 3, 4, 6), Axes(0, 1), (15, 4, 6), lambda t: t[1].reshape(15, 4, 6)),
    ((8, 5, 4, 6), Axes(0, 1), (5, 4, 6), lambda t: t[4]),
]


@pytest.mark.parametrize(("shape", "axes", "map_shape", "truth"), RULES)
def test_every_rank_has_its_rule(shape, axes, map_shape, truth) -> None:
    tensor = torch.rand(shape)
    layout = choose_layout(shape, axes, batch_size=2, index=1)
    assert layout.map_shape == map_shape
    assert torch.equal(extract_maps(tensor, layout), truth(tensor))


def test_notes_and_labels() -> None:
    layout = choose_layout((8, 5, 4, 6), Axes(0, 1), 2, 1, position=3)
    assert (layout.note, layout.position, layout.positions, layout.batch_index) == ("", 3, 4, 7)
    layout = choose_layout((8, 5, 4, 6), Axes(0, 1), 2, 1, fold=BatchFold(4, 1, "view"), position=3)
    assert (layout.positions, layout.batch_index) == (4, 7) and layout.fold.word == "view"
    assert choose_layout((8, 5, 4, 6), Axes(0, 1), 2, 1, fold=BatchFold(2, 2), position=2).batch_index == 6
    assert choose_layout((5, 3), Axes(0, 1), 2, 1).note == "item 2 of 5"
    assert choose_layout((1, 5, 3), Axes(0, 2, grid=(2, 2))).note == "1 special token left out"
    assert choose_layout((1, 2, 3, 4, 4), Axes(0, 1)).labels[4] == "channel 1 slice 1"
    assert choose_layout((1, 0, 4, 4), Axes(0, 1)).is_empty and choose_layout((0, 4), Axes(0)).note == "empty"


@pytest.mark.parametrize(
    ("tokens", "inferred", "stated", "grid"),
    [
        (196, None, None, None), (197, None, None, None), (0, None, None, None), (78, (7, 11), None, (7, 11)),
        (78, None, (6, 13), (6, 13)), (78, (7, 11), (6, 13), (6, 13)), (78, (7, 11), (9, 9), (7, 11)),
        (500, (7, 11), None, None),
    ],
)  # fmt: skip
def test_token_grids(tokens, inferred, stated, grid) -> None:
    assert token_grid(tokens, inferred, stated) == grid


@pytest.mark.parametrize("channels", [1, 3, 4, 6, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool])
def test_texels_are_those_of_pack(channels, dtype) -> None:
    maps = (torch.rand(channels, 3, 5) * 9).to(dtype)
    for view in (maps, maps.transpose(1, 2), maps.flip(0), maps[:, ::2]):
        assert np.array_equal(to_texels(view), pack(view.float().numpy()))


def test_complex_values_become_magnitudes() -> None:
    maps = torch.tensor([[[3 + 4j]]])
    assert to_texels(maps)[0, 0, 0].tolist() == [5, 0, 0, 0]


MOVES = [
    ("permute", (None, 0, 2, 3, 1), {}, (2, 5, 4, 6)),
    ("permute", (None, (0, 2, 3, 1)), {}, (2, 5, 4, 6)),
    ("permute", (None,), {"dims": (0, -2, -1, 1)}, (2, 5, 4, 6)),
    ("transpose", (None, 1, -1), {}, (2, 5, 4, 6)),
    ("transpose", (None,), {"dim0": 1, "dim1": 2}, (2, 5, 4, 6)),
    ("movedim", (None, 1, -1), {}, (2, 5, 4, 6)),
    ("movedim", (None, (0, 1), (1, 0)), {}, (2, 5, 4, 6)),
    ("t", (None,), {}, (2, 5)),
    ("mT", (None,), {}, (2, 5, 4)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "before"), MOVES)
def test_permutations_are_torchs_own(name, args, kwargs, before) -> None:
    tensor = torch.empty(before)
    moved = tensor.mT if name == "mT" else getattr(tensor, name)(*args[1:], **kwargs)
    positions = permutation(name, args, kwargs, len(before))
    assert [moved.shape[position] for position in positions] == list(before)
    assert [moved.stride(position) for position in positions] == list(tensor.stride())


@pytest.mark.parametrize(
    ("source", "before", "after", "truth"),
    [
        (input_axes((2, 5, 4, 6), False, False, False), (2, 5, 4, 6), (2, 5, 24), Axes(0, 1, grid=(4, 6))),
        (Axes(0, 2, grid=(4, 6)), (2, 24, 5), (2, 4, 6, 5), Axes(0, 3, grid=(4, 6))),
        (Axes(0, 1), (1, 1, 4, 6), (1, 24), Axes(0, None)),
        (Axes(0, 1), (1, 5, 1, 1), (5,), Axes(None, 0)),
        (Axes(0, 1), (1, 5, 4, 6), (5, 4, 6), Axes(None, 0)),
        (Axes(None, 0), (5, 4, 6), (1, 5, 4, 6), Axes(None, 1)),
        (Axes(0, 3), (1, 2, 2, 7), (4, 1, 7), Axes(0, 2, grid=None)),
        (Axes(0, 2), (8, 4, 7), (2, 16, 7), Axes(0, 2)),
        (Axes(0, 2), (2, 9, 12), (2, 9, 3, 4), Axes(0, None)),
    ],
)
def test_reshapes_keep_what_they_do_not_mix(source, before, after, truth) -> None:
    found = reshaped_axes(source, before, after)
    assert (found.batch, found.channel) == (truth.batch, truth.channel)
    assert truth.grid is None or found.grid == truth.grid


@pytest.mark.parametrize(
    ("index", "after", "truth"),
    [
        ((slice(None), 0), (2, 4, 6), (0, None)),
        ((slice(None), slice(None), 0), (2, 5, 6), (0, 1)),
        (0, (5, 4, 6), (None, 0)),
        ((Ellipsis, 0), (2, 5, 4), (0, 1)),
        ((slice(None), None), (2, 1, 5, 4, 6), (0, 2)),
        ((slice(None), slice(1, 3)), (2, 2, 4, 6), (0, 1)),
        (torch.tensor([1, 0, 1]), (3, 5, 4, 6), (0, 1)),
    ],
)
def test_indexing_moves_axes(index, after, truth) -> None:
    assert torch.empty(2, 5, 4, 6)[index].shape == after
    found = infer_axes("__getitem__", (None, index), {}, Axes(0, 1), (2, 5, 4, 6), after)
    assert (found.batch, found.channel) == truth


def test_inputs_are_read_by_their_rank() -> None:
    assert input_axes((1, 3, 8, 8), False, False, False)[:2] == (0, 1)
    assert input_axes((3, 8, 8), True, False, False)[:2] == (None, 0)
    assert input_axes((1, 12), False, True, False)[:2] == (0, None)
    assert input_axes((12, 1, 8), False, False, True).batch == 1


def shapes_of(model: nn.Module, *inputs: torch.Tensor, **options) -> dict[str, tuple[int, int, int]]:
    return {layer.id: layer.map_shape for layer in record(model, inputs, **options).network.layers}


def test_one_and_three_dimensional_convolutions() -> None:
    audio = nn.Sequential(nn.Conv1d(1, 4, 3), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(4 * 7, 3))
    assert shapes_of(audio, torch.rand(1, 1, 16)) == {
        "input": (1, 1, 16), "0": (4, 1, 14), "1": (4, 1, 7), "2": (28, 1, 1), "3": (3, 1, 1), "output": (3, 1, 1),
    }  # fmt: skip
    volume = nn.Sequential(nn.Conv3d(1, 2, 3), nn.AdaptiveAvgPool3d(1))
    assert shapes_of(volume, torch.rand(1, 1, 6, 7, 8)) == {
        "input": (6, 7, 8), "0": (8, 5, 6), "1": (2, 1, 1), "output": (2, 1, 1),
    }  # fmt: skip


class Tokens(nn.Module):
    """Patches, a class token, attention, and back to a picture."""

    def __init__(self, sequence_first: bool) -> None:
        super().__init__()
        self.patches, self.first = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.rand(1, 1, 8))
        self.attend = nn.MultiheadAttention(8, 2, batch_first=not sequence_first)
        self.norm, self.out, self.sequence_first = nn.LayerNorm(8), nn.Conv2d(8, 2, 1), sequence_first

    def forward(self, x):
        y = self.patches(x)
        h, w = y.shape[-2:]
        y = torch.cat([self.first.expand(len(x), -1, -1), y.flatten(2).transpose(1, 2)], 1)
        if self.sequence_first:
            y = y.permute(1, 0, 2)
        y = self.norm(y + self.attend(y, y, y)[0])
        if self.sequence_first:
            y = y.permute(1, 0, 2)
        return self.out(y[:, 1:].transpose(1, 2).reshape(len(x), 8, h, w))


@pytest.mark.parametrize("sequence_first", [False, True])
@pytest.mark.parametrize("index", [0, 1])
def test_tokens_keep_the_grid_of_their_picture(sequence_first: bool, index: int) -> None:
    model, pictures = Tokens(sequence_first).eval(), torch.rand(2, 3, 12, 20)
    recording = record(model, pictures, index=index)
    shapes = {layer.id: layer.map_shape for layer in recording.network.layers}
    for id in ("patches", ":cat", "attend", ":add", "norm"):
        assert shapes[id] == (8, 3, 5), id
    with torch.no_grad():
        tokens = model.patches(pictures)[index]
        assert np.array_equal(recording.maps(":cat").data, tokens.numpy())
        assert np.array_equal(recording.maps("out").data, model(pictures)[index].numpy())


def test_a_stated_grid_has_precedence_and_words_have_none() -> None:
    linear = nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4))
    assert shapes_of(linear, torch.rand(1, 12, 6))["1"] == (1, 12, 4)
    assert shapes_of(linear, torch.rand(1, 12, 6), grid=(3, 4))["1"] == (4, 3, 4)
    model = nn.Sequential(nn.Embedding(20, 6), nn.Linear(6, 4))
    assert shapes_of(model, torch.arange(16)[None])["1"] == (1, 16, 4)


def test_channels_last_networks_are_recognised() -> None:
    class ChannelsLast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.norm, self.mix, self.b = (
                nn.Conv2d(3, 8, 1),
                nn.LayerNorm(8),
                nn.Linear(8, 8),
                nn.Conv2d(8, 2, 1),
            )

        def forward(self, x):
            y = self.norm(self.a(x).permute(0, 2, 3, 1))
            return self.b((y + self.mix(y)).permute(0, 3, 1, 2))

    model, x = ChannelsLast(), torch.rand(1, 3, 4, 6)
    recording = record(model, x)
    assert {recording.network.layer(id).map_shape for id in ("a", "norm", "mix", ":add")} == {(8, 4, 6)}
    assert recording.network.layer("norm").shape == (4, 6, 8)
    with torch.no_grad():
        truth = model.norm(model.a(x).permute(0, 2, 3, 1))[0].permute(2, 0, 1)
    assert np.array_equal(recording.maps("norm").data, truth.numpy())


def test_recurrent_networks_with_either_axis_first() -> None:
    assert shapes_of(nn.LSTM(5, 6, batch_first=True), torch.rand(2, 7, 5), index=1)["LSTM"] == (1, 7, 6)
    assert shapes_of(nn.LSTM(5, 6), torch.rand(7, 2, 5), index=1)["LSTM"] == (1, 7, 6)
