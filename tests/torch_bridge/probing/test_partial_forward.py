"""Partial forward passes: values, gradients and changes against plain torch."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError  # noqa: E402

RAN: list[str] = []


class Net(nn.Module):
    """A module in place, one called twice, a sum, a functional ReLU; and layers that can't be reached."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(n, 4, 3, padding=1) for n in (3, 4, 4))
        self.norm, self.relu, self.idle = nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        y = self.relu(self.a(x))
        z = self.b(self.b(y)) + y
        RAN.append("sum")
        return {"logits": self.fc(F.relu(self.c(self.norm(z))).mean((2, 3)))}


@pytest.fixture
def model():
    torch.manual_seed(3)
    network = Net().eval()
    network.norm.running_mean.normal_()
    return network


def make_pictures(count=2, side=9):
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(count))


@pytest.mark.parametrize("layer", ["a", "relu", "b", "b@2", ":add", "norm", "c", "fc"])
def test_maps_are_those_of_the_recording(model, layer):
    pictures = make_pictures()
    result = PartialForward(model, [layer], (pictures[:1],))((pictures,))
    for k in range(2):
        known = record(model, pictures[k : k + 1]).maps(layer).data
        assert torch.allclose(result.maps[layer][k], torch.from_numpy(known), atol=1e-6)
    assert result.output is None


@pytest.mark.parametrize("layer", ["a", ":add"])
def test_nothing_is_left_on_the_input(model, layer):
    pictures = make_pictures()
    PartialForward(model, [layer], (pictures,))((pictures,))
    assert not vars(pictures)


def test_the_network_runs_no_further_than_it_must(model):
    forward = PartialForward(model, ["a", "relu"], (make_pictures(),))
    RAN.clear()
    forward((make_pictures(),))
    assert RAN == []
    assert forward((make_pictures(),), to_output=True).output.shape == (2, 5) and RAN == ["sum"]


def by_hand(model, x, cut):
    """The output; `cut` makes the values of its layer a leaf of the graph."""
    a = model.a(x)
    a = cut(a) if cut.layer == "a" else a
    y = a.relu()
    z = model.b(model.b(y)) + y
    z = cut(z) if cut.layer == ":add" else z
    return model.fc(model.c(model.norm(z)).relu().mean((2, 3)))


class Cut:
    def __init__(self, layer):
        self.layer = layer

    def __call__(self, value):
        self.value = value.detach().requires_grad_()
        return self.value + 0


@pytest.mark.parametrize("layer", ["a", ":add"])
def test_gradients_are_those_of_torch_though_values_change_in_place(model, layer):
    x = make_pictures().requires_grad_()
    result = PartialForward(model, [layer], (make_pictures(1),))((x,), to_output=True)
    cut = Cut(layer)
    (wanted,) = torch.autograd.grad(by_hand(model, x, cut)[1, 2], cut.value)
    assert torch.allclose(result.gradients(result.output[1, 2])[layer], wanted, atol=1e-6)
    assert torch.allclose(result.maps[layer], cut.value, atol=1e-6)
    assert wanted.abs().max() > 1e-4 and not wanted[0].any()
    (to_input,) = torch.autograd.grad(result.maps[layer][0, 1].sum(), x)
    assert to_input[0].any() and not to_input[1].any()


@pytest.mark.parametrize("layer", ["a", ":add"])
def test_a_change_goes_on_from_there(model, layer):
    x = make_pictures()
    with torch.no_grad():
        result = PartialForward(model, [layer], (x,))((x,), {layer: lambda maps: maps[:, 1].zero_()}, to_output=True)

        def zeroed(value):
            value = value.clone()
            value[:, 1] = 0
            return value

        zeroed.layer = layer
        wanted, before = by_hand(model, x, zeroed), model(x)["logits"]
    assert torch.allclose(result.output, wanted, atol=1e-6) and not torch.allclose(wanted, before, atol=1e-3)
    assert not result.maps[layer][:, 1].any()


def test_tokens_become_maps_for_a_batch():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    class Patches(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut, self.block = nn.Conv2d(3, 8, 4, 4), layer

        def forward(self, x):
            return self.block(self.cut(x).flatten(2).transpose(1, 2))

    model, pictures = Patches().eval(), torch.randn(3, 3, 16, 16)
    result = PartialForward(model, ["block.linear1"], (pictures[:1],))((pictures,)).maps["block.linear1"]
    assert result.shape == (3, 16, 4, 4)
    known = record(model, pictures[1:2]).maps("block.linear1").data
    assert torch.allclose(result[1], torch.from_numpy(known), atol=1e-5)


def test_pictures_of_another_size(model):
    forward = PartialForward(model, ["c"], (make_pictures(),))
    assert forward((make_pictures(1, 14),)).maps["c"].shape == (1, 4, 14, 14)


def test_what_it_leaves_behind(model):
    model.train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    PartialForward(model, ["norm", ":add"], (make_pictures(),))((make_pictures(),))
    assert model.training and all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert not any(len(module._forward_hooks) for module in model.modules())


@pytest.mark.parametrize("layer", ["idle", "nowhere", "a@2"])
def test_a_layer_that_is_not_reached(model, layer):
    with pytest.raises(ModelError, match=f"layer '{layer}' wasn't reached"):
        PartialForward(model, ["a", layer], (make_pictures(),))


def test_a_network_that_fails_says_where(model):
    with pytest.raises(ModelError, match="in layer 'a'"):
        PartialForward(model, ["c"], (torch.zeros(1, 7, 9, 9),))


@pytest.mark.parametrize("layer", ["c", ":add"])
def test_without_gradients_no_history_is_kept(model, layer):
    forward = PartialForward(model, [layer], (make_pictures(1),))
    with torch.no_grad():
        result = forward((make_pictures(1),), to_output=True)
        assert not result.maps[layer].requires_grad and not result.output.requires_grad and not torch.is_grad_enabled()
    assert forward((make_pictures(1),)).maps[layer].requires_grad
