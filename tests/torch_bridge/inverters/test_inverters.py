"""What is kept of a layer's maps, the natural picture's energy, and networks trained to invert layers."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from PIL import Image  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge import data as sets  # noqa: E402
from innerwalk.torch_bridge.inverters import fit as fitting  # noqa: E402
from innerwalk.torch_bridge.inverters import train  # noqa: E402
from innerwalk.torch_bridge.inverters.distances import picture_of, spread  # noqa: E402
from innerwalk.torch_bridge.inverters.files import SHIPPED, read, write  # noqa: E402
from innerwalk.torch_bridge.inverters.fit import Codes, Pictures, Recipe, Subject, fit  # noqa: E402
from innerwalk.torch_bridge.inverters.image_priors import alpha_norm, total_variation  # noqa: E402
from innerwalk.torch_bridge.inverters.perturbations import keep_only, perturbed  # noqa: E402
from innerwalk.torch_bridge.inverters.upconv_network import UpconvPlan, UpconvNet  # noqa: E402
from innerwalk.torch_bridge.models.fingerprint import weights_fingerprint  # noqa: E402
from innerwalk.torch_bridge.recording import safetensors  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def some_maps(relu=True):
    drawn = torch.randn(3, 6, 5, 4, generator=random(1)) * torch.tensor([1.0, 10.0, 0.1]).reshape(3, 1, 1, 1)
    return drawn.relu() if relu else drawn


# What is kept


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("how", ["binarise", "dropout"])
def test_each_sample_keeps_its_norm_and_its_signs(how, relu):
    maps = some_maps(relu)
    made = perturbed(maps, how, random())
    norms = [one.flatten(1).double().norm(dim=1) for one in (maps, made)]
    assert torch.allclose(norms[1] / norms[0], torch.ones(3, dtype=torch.float64), atol=1e-6)
    assert not torch.allclose(made, maps, atol=1e-2)
    kept = made != 0
    assert torch.equal(made[kept].sign(), maps[kept].sign())
    if how == "binarise":
        assert torch.equal(kept, maps != 0)
        assert all(len(sample[sample != 0].abs().unique()) == 1 for sample in made)


def test_half_of_all_entries_is_dropped():
    maps = some_maps(relu=False)
    least, top, dropped = (perturbed(maps, how, random()) for how in ("drop_least", "drop_top", "dropout"))
    for made in (least, top, dropped):
        assert [int((sample != 0).sum()) for sample in made] == [60, 60, 60]
    assert torch.equal(least + top, maps)  # what the one drops the other keeps
    for sample, rest in zip(least, top, strict=True):
        assert sample[sample != 0].abs().min() >= rest.abs().max()
    scaled = dropped[dropped != 0] / maps[dropped != 0]
    assert scaled.min() > 1 and not torch.equal(dropped[0] != 0, dropped[1] != 0)


def test_dropping_the_least_of_sparse_maps_changes_nothing():
    maps = some_maps() * (torch.rand(3, 6, 5, 4, generator=random(3)) < 0.5)
    assert (maps != 0).float().mean() < 0.5
    assert torch.equal(perturbed(maps, "drop_least", random()), maps)


def test_importance_may_be_another_than_size():
    maps = some_maps(relu=False)
    made = perturbed(maps, "drop_least", random(), importance=1 / maps.abs())
    assert torch.equal(made, perturbed(maps, "drop_top", random()))


def test_nothing_stays_nothing():
    zeros = torch.zeros(2, 3, 2, 2)
    assert all(not perturbed(zeros, how, random()).any() for how in ("binarise", "dropout", "drop_least", "drop_top"))


def test_only_some_channels():
    maps = some_maps()
    made = keep_only(maps, (4, 0))
    assert torch.equal(made[:, [0, 4]], maps[:, [0, 4]]) and not made[:, [1, 2, 3, 5]].any()


def test_the_energy_of_a_picture_by_hand():
    picture = torch.tensor([[[[1.0, 3.0], [1.0, -2.0]]]])
    assert alpha_norm(picture).tolist() == [1 + 729 + 1 + 64]
    # right: 2, 0 | -3, 0; down: 0, -5 | 0, 0
    assert total_variation(picture, 2.0).tolist() == [4 + 25 + 9]
    assert torch.allclose(total_variation(picture, 1.0), torch.tensor([2.0 + 5 + 3]), atol=0.03)


def test_the_spread_is_that_of_all_pairs():
    pictures = torch.randn(7, 2, 3, 3, generator=random())
    pairs = [(a - b).square().sum().item() for k, a in enumerate(pictures) for b in pictures[:k]]
    assert spread(pictures) == pytest.approx(np.mean(pairs), rel=1e-5)


# Networks


@pytest.mark.parametrize(
    ("maps", "picture"),
    [((3, 8, 8), (3, 8, 8)), ((5, 4, 6), (1, 17, 23)), ((7, 1, 1), (3, 32, 48)), ((9, 55, 55), (3, 224, 224)),
     ((4, 13, 13), (3, 227, 227)), ((6, 1, 1), (1, 5, 5)), ((2, 30, 30), (1, 10, 10))],
)  # fmt: skip
def test_an_upconvnet_makes_the_picture_s_shape(maps, picture):
    net = UpconvNet(UpconvPlan(maps, picture, 4))
    assert net(torch.randn(2, *maps)).shape == (2, *picture)


def test_it_begins_with_numbers_near_one():
    maps = torch.randn(16, 3, 4, 4, generator=random()) * torch.tensor([1e-3, 50.0, 0.0]).reshape(3, 1, 1) + 7
    net = UpconvNet(UpconvPlan((3, 4, 4), (1, 8, 8), 4))
    net.fit_to(maps)
    scaled = (maps - net.mean) * net.scale
    assert torch.allclose(scaled[:, :2].std((0, 2, 3), correction=0), torch.ones(2), atol=1e-3)
    assert scaled[:, 2].abs().max() < 1e-4


# Training


class Turned(nn.Module):
    """An invertible linear layer: every 2 × 2 square of a grey picture, by an orthogonal matrix."""

    def __init__(self):
        super().__init__()
        self.squares = nn.Conv2d(1, 4, 2, 2, bias=False)
        nn.init.orthogonal_(self.squares.weight.data.view(4, 4), generator=random(5))

    def forward(self, x):
        return self.squares(x)


def blobs(count=240, side=8):
    """Grey pictures: a bright bar each."""
    drawn, pictures = random(2), torch.zeros(count, 1, side, side, dtype=torch.uint8)
    for picture in pictures:
        row, shade = (
            int(torch.randint(0, side - 1, (), generator=drawn)),
            int(torch.randint(60, 255, (), generator=drawn)),
        )
        picture[0, row : row + 2] = shade
    return Pictures(pictures, torch.tensor(0.5), torch.tensor(0.5))


def trained(data, given=lambda pictures: (pictures,), **recipe):
    model, told = Turned().eval(), []
    said = Recipe(**{"epochs": 20, "batch": 20, "rate": 1e-2, "width": 8} | recipe)
    made = fit(Subject(model, given, "squares"), data, said, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(told)
    assert all(one.grad is None for one in model.parameters()) and model.squares.weight.requires_grad
    return made


@pytest.fixture(scope="module")
def bars():
    return trained(blobs())


def test_an_invertible_layer_is_inverted(bars):
    assert bars.error < 0.03


def test_pairs_that_do_not_belong_together_give_the_variance():
    """The mean picture is the best answer then: half the distance of two pictures."""
    assert trained(blobs(960), lambda pictures: (pictures.roll(1, 0),), epochs=4).error == pytest.approx(0.5, abs=0.1)


def test_the_same_words_train_the_same(bars):
    again, other = trained(blobs()), trained(blobs(), seed=1)
    state, same, different = (one.net.state_dict() for one in (bars, again, other))
    assert all(torch.equal(state[name], same[name]) for name in state)
    assert not torch.equal(state["last.weight"], different["last.weight"])


def test_what_the_maps_are_like_is_kept(bars):
    with torch.no_grad():
        maps = Turned()(blobs().values(slice(0, 216)))
    mean, deviation = maps.mean(0), maps.std(0, correction=0)
    assert all(
        torch.allclose(one, other, atol=1e-4) for one, other in zip(bars.codes, (mean, deviation, mean), strict=True)
    )


def test_maps_that_do_not_fit_in_memory_are_made_again(bars, monkeypatch):
    monkeypatch.setattr(fitting, "MOST_KEPT", 0)
    assert trained(blobs()).error == pytest.approx(bars.error, abs=0.01)


def test_numbers_beyond_all_bounds():
    with pytest.raises(ModelError, match="no numbers; a smaller --rate may help"):
        trained(blobs(), rate=1e30)


# The command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a model and pictures are."""
    (tmp_path / "own_tiny.py").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "pictures").mkdir()
    for k in range(24):
        Image.fromarray(concepts.picture(k)).resize((16, 16)).save(tmp_path / "pictures" / f"{k:02d}.png")
    return tmp_path


TINY = """
import torch
from torch import nn

def build():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 6, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(96, 5))
"""
WORDS = ["own_tiny:build", "3", "--data", "pictures", "--epochs", "2", "--batch", "8", "--width", "4"]


@pytest.fixture
def sized(monkeypatch):
    """The tiny network takes 16 × 16."""
    monkeypatch.setattr("innerwalk.torch_bridge.inputs.input_adapter.SIDES", (16,))


def test_the_command_writes_an_inverter(folder, sized, capsys):
    assert train.main([*WORDS, "-o", "a.safetensors"]) == 0
    assert "inverter of 3, picture error" in capsys.readouterr().err
    assert sorted(one.name for one in folder.iterdir() if one.suffix == ".safetensors") == ["a.safetensors"]
    made = read(folder / "a.safetensors")
    facts = made.facts
    assert (facts.kind, facts.layer, facts.maps, facts.picture) == ("inverter", "3", (6, 4, 4), (3, 16, 16))
    assert (facts.data, facts.pictures, facts.epochs, facts.seed) == ("pictures", 24, 2, 0)
    assert made.codes is None
    before = (folder / "a.safetensors").read_bytes()
    assert train.main([*WORDS, "-o", "b.safetensors"]) == 0
    assert (folder / "b.safetensors").read_bytes() == before


def test_a_prior_is_another_thing(folder, sized):
    assert train.main([*WORDS, "--prior", "-o", "a.safetensors"]) == 0
    made = read(folder / "a.safetensors")
    assert made.facts.kind == "prior" and made.codes.mean.shape == (6, 4, 4)
    assert not made.codes.origin.any() and made.codes.mean.max() > 0  # after a ReLU


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["own_tiny:build", "9", "--data", "pictures", "-o", "a.safetensors"], "no layer '9'"),
        (["own_tiny:build", "3", "--data", "none", "-o", "a.safetensors"], "no such folder"),
        (["own_tiny:build", "3", "--data", "pictures", "-o", "a.pt"], "ends with .safetensors"),
        ([*WORDS, "--pictures", "5", "-o", "a.safetensors"], "has 5 pictures; at least 10"),
        ([*WORDS, "--rate", "-1", "-o", "a.safetensors"], "--rate -1.0"),
        ([*WORDS, "--prior", "--like", "x", "-o", "a.safetensors"], "no layer 'x'"),
        (["own_tiny:build", "0", "--prior", "--data", "pictures", "-o", "a.safetensors"], "no layer with sides comes"),
    ],
)
def test_what_the_command_can_not_do(folder, sized, capsys, words, line):
    assert train.main(words) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert line in told and not list(folder.glob("*.safetensors"))


def test_what_is_ended_leaves_nothing(folder, sized, monkeypatch):
    def ended(*told):
        raise KeyboardInterrupt

    monkeypatch.setattr("innerwalk.torch_bridge.inverters.train.Progress.step", ended)
    with pytest.raises(KeyboardInterrupt):
        train.main([*WORDS, "-o", "a.safetensors"])
    assert not [one for one in folder.iterdir() if "safetensors" in one.name]


def test_the_script_needs_words(capsys):
    with pytest.raises(SystemExit):
        train.main(["object"])
    assert "--shipped alone" in capsys.readouterr().err


# What comes with innerwalk


def shipped():
    return sorted(SHIPPED.glob("*.safetensors"))


def test_the_shipped_ones_are_for_the_shipped_network():
    model, _ = concepts.load("object")
    facts = [read(path).facts for path in shipped()]
    assert {one.network for one in facts} == {weights_fingerprint(model)}
    assert [one.layer for one in facts if one.kind == "prior"] == [train.PRIOR]
    assert {one.layer for one in facts if one.kind == "inverter"} == set(train.LAYERS)
    assert sum(path.stat().st_size for path in shipped()) < 1.5e6


def test_their_errors_are_those_they_tell_and_grow_with_depth():
    model, _ = concepts.load("object")
    errors = []
    for layer in train.LAYERS:
        made = next(
            one for path in shipped() if (one := read(path)).facts.layer == layer and one.facts.kind == "inverter"
        )
        errors.append(held_out(model, made))
        assert errors[-1] == pytest.approx(made.facts.error, rel=0.25)
    assert errors == sorted(errors) and errors[0] < 0.1


def held_out(model, inverter, count=100, how="plain", shuffled=False):
    """Mean picture error on pictures of the test split."""
    pictures = pictures_to_test(count)
    with torch.no_grad():
        maps = Subject(model, lambda one: (one,), inverter.facts.layer).reach(pictures[:1], inverter.facts.layer)(
            pictures
        )
        maps = perturbed(maps.roll(1, 0) if shuffled else maps, how, random())
        made = inverter.net(maps)
    return float((made - pictures).flatten(1).square().sum(1).mean()) / spread(pictures)


def pictures_to_test(count=100):
    images = np.stack([concepts.picture(k, concepts.SPLITS["test"]) for k in range(count)])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.parametrize("layer", ["stem.norm", "stage1.1:add", "stage2.1:add"])
def test_the_least_important_half_matters_least(layer):
    model, _ = concepts.load("object")
    made = next(one for path in shipped() if (one := read(path)).facts.layer == layer)
    errors = {how: held_out(model, made, 60, how) for how in ("plain", "drop_least", "dropout", "binarise", "drop_top")}
    assert errors["plain"] <= errors["drop_least"] + 0.01
    assert errors["drop_least"] < min(errors["dropout"], errors["binarise"], errors["drop_top"])
    assert held_out(model, made, 60, shuffled=True) > 0.5  # worse than the mean picture


@pytest.mark.parametrize("index", [0, 5999])
def test_the_training_split_is_there(index):
    data = sets.open_data("concepts:object:train")
    assert len(data) == 6000 and data.label(index) == index % 6
    assert np.array_equal(np.asarray(data.picture(index)), concepts.picture(index, concepts.SPLITS["train"]))
    with pytest.raises(InputError, match="concepts:object:train"):
        sets.open_data("concepts:object:trial")


# Files that are no inverters


def test_damaged_files(folder, sized):
    assert train.main([*WORDS, "-o", "a.safetensors"]) == 0
    arrays, said = safetensors.open_arrays(folder / "a.safetensors")

    def refused(line, arrays=arrays, **change):
        (folder / "b.safetensors").write_bytes(b"".join(safetensors.encode(arrays, said | change)))
        with pytest.raises(ModelError, match=line) as told:
            read(folder / "b.safetensors")
        assert "python -m innerwalk.torch_bridge.inverters.train" in str(told.value) and "\n" not in str(told.value)

    refused("holds no inverter", arch="another")
    refused("its metadata is damaged", maps="[1, 2")
    refused("doesn't hold what", width=json.dumps(5))
    refused("doesn't hold what", maps=json.dumps([6, 4, -4]))
    refused("doesn't hold what", maps=json.dumps([6, 4]))
    refused("doesn't hold what", width=json.dumps(1 << 40))
    refused("doesn't hold what", maps=json.dumps([6, "4", 4]))
    refused("doesn't hold what", kind=json.dumps("prior"))
    refused("doesn't hold what", arrays={name: one for name, one in arrays.items() if name != "net.mean"})
    (folder / "b.safetensors").write_bytes(b"garbage")
    with pytest.raises(ModelError, match="not a safetensors file"):
        read(folder / "b.safetensors")


# UpconvNet, asked as a method


def concept(layers, index=3, data=False, channels=()):
    model, _ = concepts.load("object")
    picture = torch.from_numpy(concepts.picture(index)).permute(2, 0, 1)[None].float() / 127.5 - 1
    return method_runs.make_context(model, picture, layers, channels, data=sets.open_data("concepts:object") if data else None)


def test_upconvnet_shows_a_picture_for_each_layer():
    work = concept(["stem.norm", "stage2.1:add", "stage1.0.norm1"], data=True)
    told = method_runs.method_steps(work, "upconvnet")
    maps = {one.layer: one for step in told for one in step.maps}
    assert set(maps) == {"stem.norm", "stage2.1:add"}
    assert told[-1].message == "layers inverted: 2; without a trained inverter: 1"
    stem, stage = maps["stem.norm"], maps["stage2.1:add"]
    assert stem.shape == (1, 64, 64) and stem.colour and stem.frame == "input"
    assert stem.extras["values"][0] < 0.1 < stage.extras["values"][0]
    assert "(two pictures of concepts object = 1)" in stem.labels[0] and "picture error" in stem.labels[0]
    original = concepts.picture(3) / 255
    assert np.abs(stem.data[0] - original).mean() < 0.08


def test_channels_that_are_asked_about_alone_are_kept():
    every = method_runs.run_method(concept(["stem.norm"]), "upconvnet")["stem.norm"]
    some = method_runs.run_method(concept(["stem.norm"], channels=(0, 1)), "upconvnet")["stem.norm"]
    assert some.channels == 1 and some.extras["values"][0] > every.extras["values"][0]


def test_what_upconvnet_needs(folder, sized):
    with pytest.raises(
        ModelError, match=r"no inverter for layer stage1.0.norm1 of ConceptsNet comes with innerwalk; python -m"
    ):
        method_runs.method_steps(concept(["stage1.0.norm1"]), "upconvnet")
    with pytest.raises(ModelError, match="no such file or folder; python -m .* NETWORK stem.norm --data WHERE"):
        method_runs.method_steps(concept(["stem.norm"]), "upconvnet", file="nowhere")
    with pytest.raises(ModelError, match="lies in"):
        method_runs.method_steps(concept(["stem.norm"]), "upconvnet", file=str(folder))
    assert train.main([*WORDS, "-o", "a.safetensors"]) == 0
    with pytest.raises(ModelError, match="was trained for another network, or other weights, than ConceptsNet"):
        method_runs.method_steps(concept(["stem.norm"]), "upconvnet", file="a.safetensors")
    path = next(path for path in shipped() if path.name.startswith("object-stage2"))
    with pytest.raises(ModelError, match=r"was trained for layer stage2.1:add, not stem.norm"):
        method_runs.method_steps(concept(["stem.norm"]), "upconvnet", file=str(path))


# Real ones


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """By layer: an inverter of LeNet-5, trained on some digits, and a work on another."""
    from innerwalk.tests.conftest import ROOT

    folder = Path(os.environ.get("INNERWALK_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("needs the folder of real data (INNERWALK_DATA)")
    network = f"innerwalk.tests.support.own_models:LeNet5={folder / 'weights' / 'mnist_lenet5.safetensors'}"
    made, scratch, where = {}, tmp_path_factory.mktemp("digits"), str(folder / "mnist_t10k")
    for layer in ("convnet.s4", "fc.f7"):
        train.train((network, layer, where, ""), Recipe(1500, 10, rate=6e-3), scratch / f"{layer}.safetensors")
        made[layer] = read(scratch / f"{layer}.safetensors")
    (spec,) = train.serve_config([network]).networks.values()
    return made, train._work(spec, "convnet.s4", sets.open_data(where), torch.device("cpu"))


def test_digits_are_lost_layer_by_layer(digits):
    made, _ = digits
    assert made["convnet.s4"].facts.error < made["fc.f7"].facts.error < 0.5


def test_of_digits_the_least_important_half_matters_least(digits):
    made, work = digits
    pictures = torch.stack([picture_of(work, 9000 + index) for index in range(60)])
    inverter = made["convnet.s4"]
    with torch.no_grad():
        maps = Subject(work.model, work.arguments_with, "convnet.s4").reach(pictures[:1], "convnet.s4")(pictures)
        errors = {
            how: float((inverter.net(perturbed(maps, how, random())) - pictures).square().mean())
            for how in ("plain", "drop_least", "dropout", "binarise")
        }
    assert errors["plain"] <= errors["drop_least"] * 1.05
    assert errors["drop_least"] < min(errors["dropout"], errors["binarise"])


def test_a_trained_network_beats_the_regularised_where_sides_are_gone(digits, tmp_path):
    made, work = digits
    facts, (layer, net) = made["fc.f7"].facts, ("fc.f7", made["fc.f7"].net)
    write(tmp_path / "f7.safetensors", facts, net, Codes(*[torch.zeros(1)] * 3))
    work = dataclasses.replace(work, layers=(layer,))
    trained_ = method_runs.run_method(work, "upconvnet", file=str(tmp_path))[layer].extras["values"][0]
    regularised = method_runs.run_method(work, "inversion", steps=60)[layer].extras["values"][0]
    assert trained_ < 0.6 * regularised
