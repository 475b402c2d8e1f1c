"""Ablated recordings are bit for bit those of a network whose channels are set to 0 by hand."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from innerwalk.scenes import cli  # noqa: E402
from innerwalk.tests.support import bridges  # noqa: E402
from innerwalk.torch_bridge import client, record  # noqa: E402
from innerwalk.torch_bridge.capture.ablation import (  # noqa: E402
    NO_ABLATION,
    Ablation,
    channel_values,
    use_ablation,
    values_by_channel,
)
from innerwalk.torch_bridge.capture.values.map_layout import Axes, choose_layout  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import ChannelFill, PartialForward  # noqa: E402
from innerwalk.torch_bridge.recording import load  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402
from innerwalk.torch_bridge.server.config import ServeConfig, parse_specs  # noqa: E402
from innerwalk.torch_bridge.server.loaded_model import LoadedModel  # noqa: E402
from innerwalk.torch_bridge.server.priority_lock import PriorityLock  # noqa: E402
from innerwalk.torch_bridge.subject import record_from  # noqa: E402


class Block(nn.Module):
    """In-place activations, a sum, a layer that is used twice, a folded norm."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.a, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.b, self.c = nn.Conv2d(6, 6, 3, padding=1), nn.Linear(6, 4)
        self.cut: dict[str, list[int]] = {}
        nn.init.normal_(self.norm.weight), nn.init.normal_(self.norm.bias)

    def zeroed(self, id: str, x: torch.Tensor) -> torch.Tensor:
        """Sets the channels of a layer in `cut` to 0."""
        if self.cut.get(id):
            keep = torch.ones(x.shape[1])
            keep[self.cut[id]] = 0.0
            x = x * keep.view(1, -1, *[1] * (x.dim() - 2))
        return x

    def forward(self, x):
        x = F.relu(self.zeroed("norm", self.norm(self.a(x))), inplace=True)
        y = self.zeroed("b", self.b(x)).relu_()
        y = self.zeroed("b@2", self.b(y))
        y = self.zeroed(":add", y + x)
        return self.zeroed("c", self.c(F.relu_(y).mean((2, 3))))


@pytest.fixture
def network() -> Block:
    return Block().eval()


np.finfo(np.float32), np.finfo(np.float64)  # they warn once denormal numbers are zero
PICTURE = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(2))
CUTS = [{"norm": [0, 5]}, {"b": [2]}, {"b@2": [1]}, {":add": [3, 4]}, {"c": [1]}, {"norm": [1], ":add": [1], "b": [0]}]


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_values_are_those_of_a_network_with_channels_made_0(network, cut):
    plain = record(network, PICTURE)
    answers = []
    recording = record(network, PICTURE, ablate=cut, answer=lambda output: answers.append(output.clone()))
    again = record(network, PICTURE)
    assert (
        recording.network == plain.network
        and recording.provenance["ablated"] == cut
        and "ablated" not in plain.provenance
    )
    for layer, channels in cut.items():
        assert not recording.maps(layer).data[channels].any() and plain.maps(layer).data[channels].any()
    assert all(np.array_equal(again.maps(id).texels, maps.texels) for (id, _), maps in plain.all_maps.items())
    network.cut = cut
    reference = record(network, PICTURE, layers=["a", "b", "b@2", "c"])
    for id in {"a", "b", "b@2", "c"} - cut.keys():  # the reference's own are cut after they were recorded
        assert np.array_equal(recording.maps(id).data, reference.maps(id).data), id
    with torch.no_grad():
        assert torch.equal(answers[0], network(PICTURE))


def test_a_panel_stands_for_the_norm_it_shows(network):
    by_panel, by_norm = (record(network, PICTURE, layers="panels", ablate={id: [2, 3]}) for id in ("a", "norm"))
    assert by_panel.provenance["ablated"] == {"norm": [2, 3]}
    assert all(np.array_equal(by_panel.maps(id).texels, maps.texels) for (id, _), maps in by_norm.all_maps.items())
    assert Ablation.resolve(by_norm.network, {"a": [3], "norm": [2, 2]}).as_json() == {"norm": [2, 3]}


def test_a_dead_channel_changes_nothing(network):
    with torch.no_grad():
        network.b.weight[4], network.b.bias[4] = 0.0, 0.0
    plain, recording = record(network, PICTURE), record(network, PICTURE, ablate={"b": [4]})
    assert all(np.array_equal(recording.maps(id).texels, maps.texels) for (id, _), maps in plain.all_maps.items())


def test_tokens_with_a_class_token():
    torch.manual_seed(0)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    network = nn.Sequential(encoder, nn.Linear(8, 5)).eval()
    tokens = torch.randn(1, 17, 8)
    recording = record(network, tokens, grid=(4, 4), ablate={"0.linear1": [3], "1": [0]})
    assert recording.maps("0.linear1").shape == (16, 4, 4) and not recording.maps("0.linear1").data[3].any()

    def without(module, args, output):
        output = output.clone()
        output[..., 3] = 0.0  # of all 17
        return output

    network[0].linear1.register_forward_hook(without)
    with torch.no_grad():
        wanted = network(tokens)[0, 1:].T.reshape(5, 4, 4).numpy()
    assert np.array_equal(recording.maps("1").data[1:], wanted[1:]) and not recording.maps("1").data[0].any()


@pytest.mark.parametrize(
    ("shape", "axes", "channel", "wanted"),
    [
        ((2, 5, 3, 4), Axes(0, 1), 2, np.s_[:, 2]),
        ((2, 3, 4, 5), Axes(0, 3), 2, np.s_[..., 2]),
        ((7, 2, 5), Axes(1, 2, None, (2, 3)), 4, np.s_[..., 4]),
        ((2, 3, 10, 4), Axes(0, 3, 1, (3, 3)), 6, np.s_[:, 1, :, 2]),
        ((2, 3, 2, 4, 5), Axes(0, 1), 5, np.s_[:, 2, 1]),
        ((6,), Axes(None, 0), 1, np.s_[1]),
    ],
)
def test_all_values_of_a_channel(shape, axes, channel, wanted):
    value, marked = torch.zeros(shape), torch.zeros(shape)
    layout = choose_layout(shape, axes, 1 if axes.batch is None else shape[axes.batch])
    assert channel < layout.map_shape[0]
    channel_values(value, layout, channel).fill_(1.0)
    marked[wanted] = 1.0
    assert torch.equal(value, marked)
    assert values_by_channel(value, layout).sum(1).nonzero().flatten().tolist() == [channel]


@pytest.mark.parametrize(
    ("ablate", "kind", "message"),
    [
        ({"nor": [0]}, UnknownName, "no layer 'nor'; did you mean norm"),
        ({"a": [6]}, InputError, "layer a has channels 0 to 5; there is no channel 6"),
        ({"a": [-1]}, InputError, "there is no channel -1"),
        ({"input": [0]}, InputError, "layer input has no channels that could be ablated"),
        ({"output": [0]}, InputError, "layer output has no channels"),
        ({"a": 3}, InputError, "layers with numbers of channels"),
        ({"a": [1.5]}, InputError, "layers with numbers of channels"),
        (["a"], InputError, "layers with numbers of channels"),
    ],
)
def test_what_is_not_there(network, ablate, kind, message):
    with pytest.raises(kind, match=message) as raised:
        record(network, PICTURE, ablate=ablate)
    assert "\n" not in str(raised.value)


class Moody(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.a(x) if x.mean() > 0 else self.b(x)


def test_a_layer_that_is_not_reached():
    known = record(Moody(), PICTURE.abs(), layers=()).network
    with pytest.raises(InputError, match="layer a isn't reached with this input; it can't be ablated"):
        record(Moody(), -PICTURE.abs(), ablate=Ablation.resolve(known, {"a": [1]}))


# Partial forward passes


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_partial_forward_pass_is_ablated(network, cut):
    layers = ["norm", "b", "b@2", ":add", "c"]
    ablation = Ablation.resolve(record(network, PICTURE, layers=()).network, cut)
    picture = PICTURE.repeat(2, 1, 1, 1).requires_grad_()
    for requested in (layers, ["norm", "c"], ["c"]):
        with use_ablation(ablation):
            forward = PartialForward(network, requested, (PICTURE,))
        network.cut = {}
        result = forward((picture,), to_output=True)
        (own,) = torch.autograd.grad(forward((picture,), to_output=True).output.square().sum(), picture)
        network.cut = cut
        plain = PartialForward(network, ["a", "b"], (PICTURE,))((picture,), to_output=True)
        wanted = plain.output.square().sum()
        assert torch.equal(result.output, plain.output)
        assert torch.allclose(own, torch.autograd.grad(wanted, picture, retain_graph=True)[0], atol=1e-6)
        assert not any(result.maps[id][:, cut.get(id, [])].any() for id in requested)


def test_fill_gives_each_input_another_channel(network):
    with torch.no_grad():
        forward = PartialForward(network, ["norm", ":add"], (PICTURE,))
        many = (PICTURE.expand(3, -1, -1, -1),)
        found = forward(many, {"norm": ChannelFill([0, 3, 5], [0.0, 0.0, 0.0])}, to_output=True).output
        high = forward(many, {":add": ChannelFill([1, 1, 1], [0.0, 2.0, -1.0])}).maps[":add"].detach()
        for k, channel in enumerate((0, 3, 5)):
            network.cut = {"norm": [channel]}
            assert torch.allclose(found[k], network(PICTURE)[0], atol=1e-6)
    assert [float(maps[1].mean()) for maps in high] == [0.0, 2.0, -1.0]


# A bridge


def live(**fields) -> LoadedModel:
    return LoadedModel(
        "object", parse_specs({"object": {"model": "object"} | fields})["object"], torch.device("cpu"), PriorityLock()
    )


def test_the_first_recording_and_the_streamed_ones_agree():
    """The first has no graph yet; later ones stream maps while the network runs."""
    cut, loaded = {"stem.conv": [1, 2], "stage2.0:add": [7]}, live()
    inputs = loaded.read(loaded.default_sources)
    streamed: list = []
    first = loaded.record(inputs, ["panels"], lambda maps: None, cut)
    later = loaded.record(inputs, ["panels"], streamed.append, cut)
    assert (
        loaded.run_context.ablation.as_json()
        == {"stage2.0:add": [7], "stem.norm": [1, 2]}
        == first.provenance["ablated"]
    )
    assert {maps.layer for maps in streamed} == {id for id, _ in later.all_maps}
    assert all(np.array_equal(later.maps(id).texels, maps.texels) for (id, _), maps in first.all_maps.items())
    assert not later.maps("stem.norm").data[[1, 2]].any() and not later.maps("stage2.0:add").data[7].any()
    assert first.prediction.top == later.prediction.top
    plain = loaded.record(inputs, ["panels"], lambda maps: None)
    assert loaded.run_context.ablation == NO_ABLATION and plain.network == later.network
    assert plain.maps("stem.norm").data[[1, 2]].any() and plain.prediction.top != later.prediction.top


def test_a_spec_may_ablate():
    loaded = live(ablate={"stem.conv": [0]})
    inputs = loaded.read(loaded.default_sources)
    assert loaded.record(inputs, ["panels"], lambda maps: None).provenance["ablated"] == {"stem.norm": [0]}
    assert "ablated" not in loaded.record(inputs, ["panels"], lambda maps: None, {}).provenance
    spec = parse_specs({"object": {"model": "object", "ablate": {"stem.conv": [0]}}})["object"]
    assert record_from(spec).provenance["ablated"] == {"stem.norm": [0]}
    assert (
        ServeConfig.parse({"networks": {"object": {"model": "object", "ablate": {}}}}).networks["object"].ablate == {}
    )


@pytest.fixture(scope="module")
def bridge():
    with bridges.serving_here({"object": {"model": "object"}}) as server, bridges.joined(server) as joined:
        yield joined


def test_a_bridge_ablates(bridge):
    before = bridge.record("object", [client.noise(1)])
    heard: list = []
    recording = bridge.record("object", [client.noise(1)], on_maps=heard.append, ablate={"stem.conv": [0, 4]})
    wanted = record(live().model, _noise(1), layers="panels", ablate={"stem.conv": [0, 4]})
    assert recording.network is before.network and recording.provenance["ablated"] == {"stem.norm": [0, 4]}
    assert all(np.array_equal(maps.texels, wanted.maps(maps.layer).texels) for maps in heard)
    assert len(heard) == len(wanted.all_maps)
    assert "ablated" not in bridge.record("object", [client.noise(1)]).provenance
    assert recording.prediction.top != before.prediction.top


def _noise(seed: int) -> torch.Tensor:
    loaded = live()
    return loaded.subject.adapter.arguments(loaded.read([f"noise:{seed}"]))[0]


def run_job(bridge, method: str, parameters: dict, **options) -> tuple[str, dict[str, np.ndarray]]:
    job = bridge.start("object", method, ["stem.norm", "fc"], parameters, **options)
    states, results = bridges.followed(bridge, job)
    last = states[-1]
    assert last["state"] == "done" and last["what"]["ablate"] == options.get("ablate", last["what"]["ablate"])
    return last["told"], {layer: maps.texels for (layer, _), maps in results.items()}


@pytest.mark.parametrize(("method", "parameters"), [("activations", {}), ("contribution", {"top": 2})])
def test_a_method_is_about_the_network_as_it_was_ablated(bridge, method, parameters):
    """Activations record again; contributions run the network in part."""
    inputs, cut = [client.noise(2)], {"stem.norm": [3]}
    plain_run = bridge.record("object", inputs).run
    cut_run = bridge.record("object", inputs, ablate={"stem.conv": [3]}).run
    plain = run_job(bridge, method, parameters, run=plain_run)[1]
    message, found = run_job(bridge, method, parameters, run=cut_run)
    assert message != "as it was made before", "it isn't the same question"
    assert not found["stem.norm"][0, ..., 3].any() and plain["stem.norm"][0, ..., 3].any()
    assert not np.array_equal(found["fc"], plain["fc"])
    for options, wanted in (
        ({"inputs": inputs, "ablate": cut}, found), ({"run": cut_run}, found), ({"inputs": inputs}, plain),
    ):  # fmt: skip
        message, again = run_job(bridge, method, parameters, **options)
        assert message == "as it was made before" and all(np.array_equal(again[id], wanted[id]) for id in wanted)


@pytest.mark.parametrize(
    ("ablate", "message"),
    [
        ({"stem.con": [0]}, "no layer 'stem.con'; did you mean stem.conv"),
        ({"stem.conv": [12]}, "layer stem.conv has channels 0 to 11; there is no channel 12"),
        ({"stem.conv": [True]}, "layers with numbers of channels"),
    ],
)
def test_a_bridge_refuses_unknown_channels(bridge, ablate, message):
    bridge.record("object", [client.noise(1)])
    for ask in (
        lambda: bridge.record("object", ablate=ablate),
        lambda: bridge.start("object", "weights", ablate=ablate),
    ):
        with pytest.raises((UnknownName, InputError), match=message):
            ask()
    assert bridge.record("object", [client.noise(1)]).prediction.top


# The command line


def test_the_command_line_ablates(tmp_path, capsys):
    arguments = ["record", "object", "--layers", "panels", "-o", str(tmp_path / "made"), "--ablate", "stem.conv:0,2-3"]
    assert cli.main([*arguments, "--ablate", "stage1.1:add:5", "--ablate", "stem.conv:7"]) == 0
    assert "ablated        stage1.1:add: 5; stem.norm: 0, 2, 3, 7\n" in capsys.readouterr().out
    recording = load(tmp_path / "made")
    assert recording.provenance["ablated"] == {"stage1.1:add": [5], "stem.norm": [0, 2, 3, 7]}
    assert not recording.maps("stage1.1:add").data[5].any() and recording.maps("stage1.1:add").data[4].any()
    for wrong, message in (
        ("5", "'5' names no layer; write it like conv1:"),
        ("a:x", "'a:x'|'x' is not a list of channels"),
    ):
        with pytest.raises(SystemExit):
            cli.main([*arguments, "--ablate", wrong])
        assert re.search(message, capsys.readouterr().err)
