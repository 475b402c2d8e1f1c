"""The inverters' network and its training, and the command that trains them."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.torch_bridge.inverters import inverter_training, train  # noqa: E402
from innerwalk.torch_bridge.inverters.inverter_files import read_inverter  # noqa: E402
from innerwalk.torch_bridge.inverters.inverter_training import (  # noqa: E402
    InvertedLayer,
    InverterPictures,
    InverterTraining,
    train_inverter,
)
from innerwalk.torch_bridge.inverters.upconv_network import UpconvNet, UpconvPlan  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError  # noqa: E402


def random(seed=0):
    return torch.Generator().manual_seed(seed)


# The network


@pytest.mark.parametrize(
    ("maps", "picture"),
    [
        ((3, 8, 8), (3, 8, 8)),
        ((5, 4, 6), (1, 17, 23)),
        ((7, 1, 1), (3, 32, 48)),
        ((9, 55, 55), (3, 224, 224)),
        ((4, 13, 13), (3, 227, 227)),
        ((6, 1, 1), (1, 5, 5)),
        ((2, 30, 30), (1, 10, 10)),
    ],
)
def test_an_upconvnet_makes_the_picture_s_shape(maps, picture):
    net = UpconvNet(UpconvPlan(maps, picture, 4))
    assert net(torch.randn(2, *maps)).shape == (2, *picture)


def test_its_input_is_normalised():
    maps = torch.randn(16, 3, 4, 4, generator=random()) * torch.tensor([1e-3, 50.0, 0.0]).reshape(3, 1, 1) + 7
    net = UpconvNet(UpconvPlan((3, 4, 4), (1, 8, 8), 4))
    net.set_normalisation(maps)
    scaled = (maps - net.mean) * net.scale
    assert torch.allclose(scaled[:, :2].std((0, 2, 3), correction=0), torch.ones(2), atol=1e-3)
    assert scaled[:, 2].abs().max() < 1e-4


def test_untrained_it_has_no_grid():
    """Even maps give an even picture, but near the edges, where zeros surround the maps."""
    net = UpconvNet(UpconvPlan((3, 16, 16), (3, 64, 64), 4))
    net.initialise(random())
    picture = net(torch.randn(1, 3, 1, 1, generator=random()).expand(-1, -1, 16, 16))[0, :, 20:44, 20:44]
    assert picture.std((1, 2)).max() < 1e-5 < 1e-2 < picture.abs().max()


# Training


class Rotation(nn.Module):
    """An invertible linear layer: every 2 × 2 square of a grey picture, multiplied by an orthogonal matrix."""

    def __init__(self):
        super().__init__()
        self.squares = nn.Conv2d(1, 4, 2, 2, bias=False)
        nn.init.orthogonal_(self.squares.weight.data.view(4, 4), generator=random(5))

    def forward(self, x):
        return self.squares(x)


def bar_pictures(count=240, side=8):
    """Grey pictures with a bright bar each."""
    generator, pixels = random(2), torch.zeros(count, 1, side, side, dtype=torch.uint8)
    for picture in pixels:
        row = int(torch.randint(0, side - 1, (), generator=generator))
        picture[0, row : row + 2] = int(torch.randint(60, 255, (), generator=generator))
    return InverterPictures(pixels, torch.tensor(0.5), torch.tensor(0.5))


def trained(data, arguments_with=lambda pictures: (pictures,), **changes):
    model, progress = Rotation().eval(), []
    settings = InverterTraining(**{"epochs": 20, "batch": 20, "rate": 1e-2, "width": 8} | changes)
    layer = InvertedLayer(model, arguments_with, "squares")
    result = train_inverter(layer, data, settings, lambda done, total: progress.append((done, total)))
    assert progress[-1][0] == progress[-1][1] == len(progress)
    assert all(parameter.grad is None for parameter in model.parameters()) and model.squares.weight.requires_grad
    return result


@pytest.fixture(scope="module")
def trained_on_bars():
    return trained(bar_pictures())


def test_an_invertible_layer_is_inverted(trained_on_bars):
    assert trained_on_bars.error < 0.03


def test_unrelated_pairs_give_the_variance():
    """The mean picture is the best prediction then: half the distance of two pictures."""
    result = trained(bar_pictures(960), lambda pictures: (pictures.roll(1, 0),), epochs=4)
    assert result.error == pytest.approx(0.5, abs=0.1)


def test_the_same_settings_train_the_same(trained_on_bars):
    again, other = trained(bar_pictures()), trained(bar_pictures(), seed=1)
    state, same, different = (result.net.state_dict() for result in (trained_on_bars, again, other))
    assert all(torch.equal(state[name], same[name]) for name in state)
    assert not torch.equal(state["last.weight"], different["last.weight"])


def test_the_codes_are_maps_of_training_pictures(trained_on_bars):
    with torch.no_grad():
        maps = Rotation()(bar_pictures().normalised(slice(0, inverter_training.CODES)))
    assert torch.allclose(trained_on_bars.codes, maps, atol=1e-5)


def test_maps_that_do_not_fit_in_memory_are_computed_again(trained_on_bars, monkeypatch):
    monkeypatch.setattr(inverter_training, "MAX_CACHED_BYTES", 0)
    assert trained(bar_pictures()).error == pytest.approx(trained_on_bars.error, abs=0.01)


def test_a_loss_that_becomes_infinite():
    with pytest.raises(ModelError, match="became NaN or infinite; try a smaller --rate"):
        trained(bar_pictures(), rate=1e30)


# The command


def test_the_command_writes_an_inverter(own_network, training_arguments, capsys):
    assert train.main([*training_arguments, "-o", "a.safetensors"]) == 0
    assert "inverter of 3, picture error" in capsys.readouterr().err
    assert sorted(path.name for path in own_network.iterdir() if path.suffix == ".safetensors") == ["a.safetensors"]
    inverter = read_inverter(own_network / "a.safetensors")
    metadata = inverter.metadata
    assert (metadata.kind, metadata.layer) == ("inverter", "3")
    assert (metadata.maps, metadata.picture) == ((6, 4, 4), (3, 16, 16))
    assert (metadata.data, metadata.pictures, metadata.epochs, metadata.seed) == ("pictures", 24, 2, 0)
    assert inverter.codes is None
    before = (own_network / "a.safetensors").read_bytes()
    assert train.main([*training_arguments, "-o", "b.safetensors"]) == 0
    assert (own_network / "b.safetensors").read_bytes() == before


def test_a_prior_holds_codes(own_network, training_arguments):
    assert train.main([*training_arguments, "--prior", "-o", "a.safetensors"]) == 0
    inverter = read_inverter(own_network / "a.safetensors")
    assert inverter.metadata.kind == "prior" and inverter.codes.shape[1:] == (6, 4, 4)
    assert 10 < len(inverter.codes) <= 24 and inverter.codes.min() == 0 < inverter.codes.max()  # after a ReLU


@pytest.mark.parametrize(
    ("layer", "options", "message"),
    [
        ("9", ["-o", "a.safetensors"], "no layer '9'"),
        ("3", ["--data", "none", "-o", "a.safetensors"], "no such folder"),
        ("3", ["-o", "a.pt"], "must end with .safetensors"),
        ("3", ["-o", "a.safetensors", "--pictures", "5"], "5 pictures of data set pictures are too few; at least 10"),
        ("3", ["-o", "a.safetensors", "--rate", "-1"], "--rate -1.0"),
        ("3", ["-o", "a.safetensors", "--prior", "--like", "x"], "no layer 'x'"),
        ("0", ["-o", "a.safetensors", "--prior"], "no layer before 0 has maps larger than"),
    ],
)
def test_what_the_command_refuses(own_network, training_arguments, capsys, layer, options, message):
    network, _, *rest = training_arguments
    assert train.main([network, layer, *rest, *options]) == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]
    assert not list(own_network.glob("*.safetensors"))


def test_an_interrupted_training_leaves_no_file(own_network, training_arguments, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("innerwalk.torch_bridge.inverters.train.TrainingProgress.step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train.main([*training_arguments, "-o", "a.safetensors"])
    assert not [path for path in own_network.iterdir() if "safetensors" in path.name]


def test_the_command_needs_arguments(capsys):
    with pytest.raises(SystemExit):
        train.main(["object"])
    assert "--shipped alone" in capsys.readouterr().err
