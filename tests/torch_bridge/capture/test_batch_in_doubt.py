"""Inputs and layers whose batch axis neither shapes nor operations tell: which is found out, and what is said else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from innerwalk.torch_bridge import record  # noqa: E402

torch.set_num_threads(1)


class Net(nn.Module):
    """A convolution and a linear layer with a forward of its own."""

    def __init__(self, run: Callable[..., Any], channels: int = 3, kind: type[nn.Module] = nn.Conv2d) -> None:
        super().__init__()
        self.conv, self.head, self.run = kind(channels, 4, 3, padding=1), nn.Linear(4, 2), run
        self.register_buffer("size", torch.tensor([2, 3]))

    def forward(self, *inputs: Any) -> Any:
        return self.run(self, *inputs)


def notes(model: nn.Module, inputs: Any, index: int = 0) -> dict[str, str]:
    return {layer.id: layer.note for layer in record(model, inputs, index=index).network.layers}


@pytest.mark.parametrize(
    ("channels", "kind", "shape", "picture"),
    [
        (1, nn.Conv2d, (3, 6, 8), lambda x: x[:, None]),  # spectrograms that get their channel inside
        (1, nn.Conv1d, (3, 20), lambda x: x[:, None]),  # waves
    ],
)
def test_a_batch_may_get_its_channel_inside_the_network(channels: int, kind, shape, picture) -> None:
    model, x = Net(lambda net, x: net.conv(picture(x)).relu(), channels, kind).eval(), torch.randn(shape)
    truth = model.conv(picture(x)).detach()
    for index in range(3):
        batched = record(model, x, index=index)
        assert batched.network.layer("conv") == record(model, x[index : index + 1]).network.layer("conv")
        np.testing.assert_allclose(batched.maps("conv").data.ravel(), truth[index].numpy().ravel(), atol=1e-6)


@pytest.mark.parametrize(("kind", "shape"), [(nn.Conv1d, (3, 9)), (nn.Conv2d, (3, 9, 7)), (nn.Conv3d, (3, 5, 9, 7))])
def test_one_input_may_come_without_a_batch(kind: type[nn.Module], shape: tuple[int, ...]) -> None:
    model, x = Net(lambda net, x: net.conv(x), 3, kind).eval(), torch.randn(shape)
    recording = record(model, x)
    assert recording.network.layer("conv").shape == (4, *shape[1:]) and not recording.network.layer("conv").note
    np.testing.assert_allclose(recording.maps("conv").data.ravel(), model(x).detach().numpy().ravel(), atol=1e-6)


def test_sizes_may_be_read_from_a_buffer_while_the_axes_are_measured() -> None:
    def run(net, x):
        rows, columns = net.size.tolist()
        parts = net.conv(x.unflatten(2, (rows, -1)).unflatten(4, (columns, -1)).permute(2, 4, 0, 1, 3, 5).flatten(0, 2))
        return net.head(parts.mean((2, 3))).view(rows * columns, len(x), 2).mean(0)

    model, x = Net(run).eval(), torch.randn(3, 3, 4, 6)
    for index in range(3):
        batch, alone = record(model, x, index=index), record(model, x[index : index + 1])
        np.testing.assert_allclose(batch.maps("conv").data, alone.maps("conv").data, atol=1e-6)
        assert batch.network.layers == alone.network.layers
        assert not any("assumed" in layer.note for layer in batch.network.layers)


def test_rows_that_values_have_sorted_are_of_all_inputs() -> None:
    def run(net, x):
        features = net.conv(x).mean((2, 3))
        order = features[:, 0].argsort()
        return net.head(features[order])[order.argsort()] * 2

    model, x = Net(run).eval(), torch.randn(3, 3, 4, 6)
    found = notes(model, x, 1)
    assert {id for id, note in found.items() if "of all inputs together" in note} == {"head"}
    for index in range(3):
        maps = record(model, x, index=index).maps(":mul").data
        np.testing.assert_allclose(maps.ravel(), model(x)[index].detach().numpy(), atol=1e-6)


def test_an_untracked_order_is_noted() -> None:
    def run(net, x):
        steps = x[..., 0].transpose(0, 1).contiguous()
        mixed = steps.as_strided((5 * len(x), 4), (4, 1))  # of which nothing is known
        return net.head(mixed).view(5, len(x), 2).mean(0)

    model = Net(run).eval()
    assert notes(model, torch.randn(3, 5, 4, 1), 1)["head"] == "not what this input gives alone"
    assert not notes(model, torch.randn(1, 5, 4, 1))["head"]


def test_a_list_of_one_has_the_axes_of_longer_ones() -> None:
    def run(net, pictures):
        scores = net.conv(torch.stack(pictures)).flatten(1)[..., None]
        return scores.flatten(0, -2).reshape(len(pictures), -1).topk(5, 1).values * 2

    model, pictures = Net(run).eval(), list(torch.rand(2, 3, 6, 8))
    shapes = [record(model, some).network.layer(":topk").shape for some in (pictures[:1], pictures)]
    assert shapes == [(5,), (5,)]


def test_no_items_can_be_reshaped() -> None:
    model = Net(lambda net, x: x[x[:, 0] > 9].unflatten(1, (2, 2)) * 2).eval()
    assert "empty" in record(model, torch.rand(3, 4)).network.layers[-1].note


class Listed(nn.Module):
    """Takes a list of pictures, as detection networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)

    def forward(self, pictures: list[torch.Tensor]) -> torch.Tensor:
        features = self.conv(torch.stack([picture * 2 for picture in pictures]))
        return self.head(torch.cat([own.flatten(1).T[: 3 + k] for k, own in enumerate(features)]))


def test_layers_of_a_list_say_what_they_show() -> None:
    model, pictures = Listed().eval(), [torch.rand(3, 6, 6), torch.rand(3, 6, 6)]
    found = notes(model, pictures, 1)
    assert found["input"] == found[":mul"] == "of input 0" and not found["input@2"] + found[":mul@2"] + found["conv"]
    assert found["head"] == found[":cat"] == "of all inputs together"
    truth = model.conv(pictures[1][None] * 2)[0].detach().numpy()
    np.testing.assert_allclose(record(model, pictures, index=1).maps("conv").data, truth, atol=1e-5)
    assert not any(notes(model, pictures[1:]).values())


@pytest.mark.parametrize(
    ("shape", "place"),
    [((2, 5, 3, 8, 8), "frame 0 of 5"), ((2, 3, 5, 8, 8), "frame 0 of 5"), ((2, 1, 5, 8, 8), "part 0 of 5")],
)
def test_only_colour_videos_have_frames(shape: tuple[int, ...], place: str) -> None:
    axis = 1 if shape[1] == 5 else 2
    model = Net(lambda net, v: net.conv(v.movedim(axis, 1).flatten(0, 1)), shape[3 - axis]).eval()
    assert record(model, torch.randn(shape), index=1).maps("conv").place == place
