"""Edges from inputs and to outputs, compared with what autograd reaches, and the endpoints at their ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from innerwalk.bench.reachability import compare_reachability, measure_reachability  # noqa: E402
from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.recording import BOARD_ROLES  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

torch.set_num_threads(1)


class Clip(nn.Module):
    """A picture and words, compared; returns nested outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.words = nn.Conv2d(3, 8, 4, 4), nn.Embedding(50, 8)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, pixel_values: Any, input_ids: Any) -> dict[str, Any]:
        image = self.head(self.norm(self.conv(pixel_values).mean((2, 3))))
        text = self.head(self.words(input_ids).mean(1))
        return {"logits": image @ text.T, "embeds": {"text_embeds": text, "image_embeds": image}}


class Translator(nn.Module):
    """Encoder and decoder; only the second output depends on both inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 8)
        self.encoder, self.decoder = nn.LSTM(8, 8, batch_first=True), nn.LSTM(8, 8, batch_first=True)
        self.attention, self.out = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 30)

    def forward(self, input_ids: Any, decoder_input_ids: Any) -> tuple[Any, Any]:
        memory, _ = self.encoder(self.words(input_ids))
        steps, _ = self.decoder(self.words(decoder_input_ids))
        mixed, _ = self.attention(steps, memory, memory)
        return memory, self.out(mixed)


@dataclass
class Detected:
    logits: Any
    pred_boxes: Any
    masks: Any = None


class Detector(nn.Module):
    """One input, three outputs in a dataclass, one of which doesn't meet the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.classes, self.boxes = nn.Conv2d(3, 6, 8, 8), nn.Linear(6, 4), nn.Linear(6, 4)

    def forward(self, image: Any) -> Detected:
        maps = self.body(image)
        queries = maps.flatten(2).transpose(1, 2)
        return Detected(self.classes(queries), self.boxes(queries).sigmoid(), maps[:, :2])


class Flow(nn.Module):
    """Two pictures and a list of refined flows, with a loop that changes its value in place and detaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.update = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(10, 2, 3, padding=1)

    def forward(self, image1: Any, image2: Any) -> list[Any]:
        first, second = self.encoder(image1), self.encoder(image2)
        flow, found = torch.zeros_like(first[:, :2]), []
        for _ in range(2):
            flow = flow.detach()
            flow = flow + self.update(torch.cat([first, second, flow], 1))
            flow[:, :1] += first[:, :1]
            found.append(flow)
        return found


class Skipping(nn.Module):
    """Three inputs by keyword, of which one passes to an output as it is and one goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 4)

    def forward(self, x: Any, *, y: Any, unused: Any) -> tuple[Any, Any, Any]:
        return self.a(x), y, self.a(x) + y


class Graph(nn.Module):
    """Two layers of neighbours' means over the edges of a graph."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x: Any, edge_index: Any) -> Any:
        for layer in (self.a, self.b):
            x = torch.zeros(len(x), x.shape[1]).index_add(0, edge_index[1], x[edge_index[0]])
            x = layer(x)
        return x


def words(length: int) -> Any:
    return torch.arange(length)[None] % 30


CASES: dict[str, tuple[Callable[[], nn.Module], Any, list[tuple[str, str]], list[tuple[str, str]]]] = {
    "clip": (
        Clip, {"pixel_values": torch.rand(1, 3, 16, 16), "input_ids": words(5)},
        [("pixel_values", "picture"), ("input_ids", "tokens")],
        [("logits", "numbers"), ("embeds.text_embeds", "embedding"), ("embeds.image_embeds", "embedding")],
    ),
    "translator": (
        Translator, (words(7), words(4)), [("input_ids", "tokens"), ("decoder_input_ids", "tokens")],
        [("[0]", "sequence"), ("[1]", "sequence")],
    ),
    "detector": (
        Detector, torch.rand(1, 3, 32, 32), [("image", "picture")],
        [("logits", "numbers"), ("pred_boxes", "boxes"), ("masks", "mask")],
    ),
    "flow": (
        Flow, (torch.rand(1, 3, 8, 9), torch.rand(1, 3, 8, 9)), [("image1", "picture"), ("image2", "picture")],
        [("[0]", "flow"), ("[1]", "flow")],
    ),
    "skipping": (
        Skipping, {"x": torch.rand(1, 4), "y": torch.rand(1, 4), "unused": torch.rand(1, 4)},
        [("x", "numbers"), ("y", "numbers"), ("unused", "numbers")],
        [("[0]", "numbers"), ("[1]", "numbers"), ("[2]", "numbers")],
    ),
    "graph": (
        Graph, (torch.rand(6, 5), torch.tensor([[0, 1, 2, 3, 4], [1, 2, 3, 4, 5]])),
        [("x", "graph"), ("edge_index", "graph")], [("output", "numbers")],
    ),
    "lstm": (
        lambda: nn.LSTM(4, 3, batch_first=True), torch.rand(1, 9, 4), [("input", "numbers")],
        [("[0]", "sequence"), ("[1][0]", "sequence"), ("[1][1]", "sequence")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_edges_are_what_autograd_reaches(name: str) -> None:
    make, inputs, takes, gives = CASES[name]
    torch.manual_seed(0)
    model = make().eval()
    recording = record(model, inputs)
    assert compare_reachability(recording.network, measure_reachability(model, inputs)) == []
    assert [(own.name, own.kind) for own in recording.inputs] == takes
    assert [(own.name, own.kind) for own in recording.outputs] == gives
    for role, endpoints in (("input", recording.inputs), ("output", recording.outputs)):
        ids = [layer.id for layer in recording.network.layers if layer.role == role]
        assert [own.layer for own in endpoints] == ids


def test_the_oracle_sees_a_missing_edge_and_a_surplus_one() -> None:
    torch.manual_seed(0)
    model, inputs = Translator().eval(), (words(7), words(4))
    network, truth = record(model, inputs).network, measure_reachability(Translator().eval(), inputs)
    fewer = [edge for edge in network.edges if edge.target != "attention"]
    swapped = type(network)("x", network.layers, tuple(fewer))
    assert any("output@2 lacks" in line for line in compare_reachability(swapped, truth))
    more = (*network.edges, type(network.edges[0])("input@2", "encoder"))
    assert "encoder adds input@2" in compare_reachability(type(network)("x", network.layers, more), truth)


@pytest.mark.parametrize("inputs", [torch.rand(1, 3, 16, 16), {"pixel_values": torch.rand(1, 3, 16, 16)}])
def test_a_missing_input_is_named(inputs: Any) -> None:
    with pytest.raises(InputError, match="^Clip: forward also needs input_ids; pass a tuple or a dict$"):
        record(Clip(), inputs)


def test_a_pass_through_and_an_unused_input() -> None:
    inputs = {"x": torch.rand(1, 4), "y": torch.rand(1, 4), "unused": torch.rand(1, 4)}
    edges = {(edge.source, edge.target) for edge in record(Skipping(), inputs).network.edges}
    assert ("input@2", "output@2") in edges and not any(source == "input@3" for source, _ in edges)


def test_an_input_that_is_returned_has_an_edge_to_its_output():
    class Passing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 3)

        def forward(self, x: Any, mask: Any) -> dict[str, Any]:
            return {"logits": self.head(x), "mask": mask, "x": x[:, :2]}

    recording = record(Passing(), (torch.rand(1, 4), torch.ones(1, 5)), layers=())
    layers, links = recording.network.folded(BOARD_ROLES)
    found = {(layers[source].id, layers[target].id) for source, target in links}
    assert found == {("input", "head"), ("head", "output"), ("input@2", "output@2"), ("input", "output@3")}
