"""Inverters shipped with Innerwalk, damaged files, the method upconvnet, and inverters of a LeNet-5 trained here."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge import data as sets  # noqa: E402
from innerwalk.torch_bridge.inverters import train  # noqa: E402
from innerwalk.torch_bridge.inverters.distances import load_picture, mean_pair_distance  # noqa: E402
from innerwalk.torch_bridge.inverters.inverter_files import WEIGHTS_FOLDER, read_inverter, write_inverter  # noqa: E402
from innerwalk.torch_bridge.inverters.inverter_training import InvertedLayer, InverterTraining  # noqa: E402
from innerwalk.torch_bridge.inverters.perturbations import perturb_maps  # noqa: E402
from innerwalk.torch_bridge.models.fingerprint import weights_fingerprint  # noqa: E402
from innerwalk.torch_bridge.recording import safetensors  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402


def random(seed=0):
    return torch.Generator().manual_seed(seed)


# Shipped inverters


def shipped_files():
    return sorted(WEIGHTS_FOLDER.glob("*.safetensors"))


def shipped_inverter(layer):
    inverters = map(read_inverter, shipped_files())
    return next(file for file in inverters if (file.metadata.layer, file.metadata.kind) == (layer, "inverter"))


def test_shipped_inverters_are_for_the_shipped_network():
    model, _ = concepts.load("object")
    files = [read_inverter(path).metadata for path in shipped_files()]
    assert {metadata.network for metadata in files} == {weights_fingerprint(model)}
    assert [metadata.layer for metadata in files if metadata.kind == "prior"] == [train.SHIPPED_PRIOR_LAYER]
    inverted = {metadata.layer for metadata in files if metadata.kind == "inverter"}
    assert inverted == set(train.SHIPPED_LAYERS)
    assert sum(path.stat().st_size for path in shipped_files()) < 3e6


def test_their_errors_are_those_of_the_metadata_and_grow_with_depth():
    model, _ = concepts.load("object")
    errors = []
    for layer in train.SHIPPED_LAYERS:
        inverter = shipped_inverter(layer)
        errors.append(error_on_test_split(model, inverter))
        assert errors[-1] == pytest.approx(inverter.metadata.error, rel=0.25)
    *of_pictures, of_shapes = errors
    assert of_pictures == sorted(of_pictures) and of_pictures[0] < 0.1
    assert of_shapes < 0.5  # the mean picture's


def pictures_of_test_split(data, count=100):
    """data: name of the data that an inverter was trained on, such as "concepts object train"."""
    pictures = sets.open_data(data.replace(" ", ":").replace("train", "test"))
    images = np.stack([np.asarray(pictures.picture(k)) for k in range(count)])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def error_on_test_split(model, inverter, count=100, perturbation="plain", shuffled=False):
    """Mean picture error on pictures of the test split."""
    pictures, layer = pictures_of_test_split(inverter.metadata.data, count), inverter.metadata.layer
    compute_maps = InvertedLayer(model, lambda inputs: (inputs,), layer).maps_function(pictures[:1], layer)
    with torch.no_grad():
        maps = compute_maps(pictures)
        predictions = inverter.net(perturb_maps(maps.roll(1, 0) if shuffled else maps, perturbation, random()))
    return float((predictions - pictures).flatten(1).square().sum(1).mean()) / mean_pair_distance(pictures)


@pytest.mark.parametrize("layer", ["stem.norm", "stage1.1:add", "stage2.1:add"])
def test_the_least_important_half_matters_least(layer):
    model, _ = concepts.load("object")
    inverter = shipped_inverter(layer)
    names = ("plain", "drop_least", "dropout", "binarise", "drop_top")
    errors = {name: error_on_test_split(model, inverter, 60, name) for name in names}
    assert errors["plain"] <= errors["drop_least"] + 0.01
    assert errors["drop_least"] < min(errors["dropout"], errors["binarise"], errors["drop_top"])
    assert error_on_test_split(model, inverter, 60, shuffled=True) > 0.5  # worse than the mean picture


def overlaps(pictures):
    """Of blurred pictures (N, 3, 64, 64), 0..1, by class: the largest overlap of what is light with a real shape, 0..1.

    Overlap: intersection over union, of the middle 56 × 56 pixels.
    """
    shapes = [concepts.shape_sample(0, concepts.SPLITS["test"], index).maps[1] > 0 for index in range(120)]
    masks = torch.from_numpy(np.stack(shapes))[:, 4:-4, 4:-4]
    found = []
    for picture in torch.nn.functional.avg_pool2d(pictures.mean(1, keepdim=True), 3, 1, 1)[:, 0, 4:-4, 4:-4]:
        light = picture > picture.flatten().quantile(torch.tensor([0.1, 0.9])).mean()
        overlap = (masks & light).sum((1, 2)) / (masks | light).sum((1, 2))
        found.append(overlap.reshape(-1, 6).max(0).values)
    return torch.stack(found)


def test_overlaps_know_shapes_from_grain():
    shapes = [concepts.shape_sample(0, concepts.SPLITS["validation"], index).image for index in range(12)]
    real = overlaps(torch.from_numpy(np.stack(shapes)).permute(0, 3, 1, 2) / 255)
    assert real.argmax(1).tolist() == [*range(6)] * 2 and real.max(1).values.min() > 0.75
    assert overlaps(torch.rand((4, 3, 64, 64), generator=random())).max() < 0.5


def test_the_shipped_prior_draws_the_shape_of_each_class():
    maps = method_runs.run_method(shipped_context(["fc"]), "dgn_am", steps=40, compared=0)["fc"]
    found = overlaps(torch.from_numpy(maps.data).permute(0, 3, 1, 2))
    assert found.argmax(1).tolist() == list(range(6)) and found.max(1).values.min() > 0.75


def test_the_inverter_of_the_classes_draws_the_shape_that_they_name():
    model, _ = concepts.load("object")
    pictures = pictures_of_test_split("concepts shapes test", 60)
    with torch.no_grad():
        maps = model(pictures)[:, :, None, None]
        inverted = shipped_inverter("fc").net(maps)
        found = overlaps(inverted / 2 + 0.5)
        errors = [(model(made) - maps[..., 0, 0]).square().sum() for made in (inverted, pictures.mean(0, keepdim=True))]
    assert (found.argmax(1) == maps[:, :, 0, 0].argmax(1)).float().mean() > 0.9
    assert errors[0] < 0.3 * errors[1]  # the mean picture's


@pytest.mark.parametrize("index", [0, 5999])
def test_the_training_split_is_there(index):
    data = sets.open_data("concepts:object:train")
    assert len(data) == 6000 and data.label(index) == index % 6
    assert np.array_equal(np.asarray(data.picture(index)), concepts.picture(index, concepts.SPLITS["train"]))
    with pytest.raises(InputError, match="concepts:object:train"):
        sets.open_data("concepts:object:trial")


# Damaged files


def test_damaged_files(own_network, training_arguments):
    assert train.main([*training_arguments, "-o", "a.safetensors"]) == 0
    arrays, metadata = safetensors.open_arrays(own_network / "a.safetensors")

    def check_refused(message, arrays=arrays, **change):
        (own_network / "b.safetensors").write_bytes(b"".join(safetensors.encode(arrays, metadata | change)))
        with pytest.raises(ModelError, match=message) as caught:
            read_inverter(own_network / "b.safetensors")
        text = str(caught.value)
        assert "python -m innerwalk.torch_bridge.inverters.train" in text and "\n" not in text

    check_refused("holds no inverter", arch="another")
    check_refused("its metadata is damaged", maps="[1, 2")
    for change in (
        {"width": 5},
        {"maps": [6, 4, -4]},
        {"maps": [6, 4]},
        {"width": 1 << 40},
        {"maps": [6, "4", 4]},
        {"kind": "prior"},
    ):
        encoded = {key: json.dumps(value) for key, value in change.items()}
        check_refused("its tensors don't match its metadata", **encoded)
    others = {name: array for name, array in arrays.items() if name != "net.mean"}
    check_refused("its tensors don't match its metadata", arrays=others)
    (own_network / "b.safetensors").write_bytes(b"garbage")
    with pytest.raises(ModelError, match="not a safetensors file"):
        read_inverter(own_network / "b.safetensors")


# The method upconvnet


def shipped_context(layers, index=3, data=False, channels=()):
    model, _ = concepts.load("object")
    picture = torch.from_numpy(concepts.picture(index)).permute(2, 0, 1)[None].float() / 127.5 - 1
    pictures = sets.open_data("concepts:object") if data else None
    return method_runs.make_context(model, picture, layers, channels, data=pictures)


def test_upconvnet_shows_a_picture_for_each_layer():
    context = shipped_context(["stem.norm", "stage2.1:add", "stage1.0.norm1"], data=True)
    steps = method_runs.method_steps(context, "upconvnet")
    maps = {result.layer: result for step in steps for result in step.maps}
    assert set(maps) == {"stem.norm", "stage2.1:add"}
    assert steps[-1].message == "layers inverted: 2; without a trained inverter: 1"
    stem, stage = maps["stem.norm"], maps["stage2.1:add"]
    assert stem.shape == (1, 64, 64) and stem.colour and stem.frame == "input"
    assert stem.extras["values"][0] < 0.1 < stage.extras["values"][0]
    assert "(two pictures of concepts object = 1)" in stem.labels[0] and "picture error" in stem.labels[0]
    original = concepts.picture(3) / 255
    assert np.abs(stem.data[0] - original).mean() < 0.08


def test_only_selected_channels_are_kept():
    full = method_runs.run_method(shipped_context(["stem.norm"]), "upconvnet")["stem.norm"]
    some = method_runs.run_method(shipped_context(["stem.norm"], channels=(0, 1)), "upconvnet")["stem.norm"]
    assert some.channels == 1 and some.extras["values"][0] > full.extras["values"][0]


def test_what_upconvnet_needs(own_network, training_arguments):
    def check_refused(message, layer="stem.norm", **parameters):
        with pytest.raises(ModelError, match=message):
            method_runs.method_steps(shipped_context([layer]), "upconvnet", **parameters)

    message = r"no inverter for layer stage1.0.norm1 of ConceptsNet comes with innerwalk; python -m"
    check_refused(message, "stage1.0.norm1")
    check_refused("no such file or folder; python -m .* NETWORK stem.norm --data WHERE", file="nowhere")
    check_refused("no inverter for layer stem.norm of ConceptsNet is in /", file=str(own_network))
    assert train.main([*training_arguments, "-o", "a.safetensors"]) == 0
    check_refused("was trained for another network, or other weights, than ConceptsNet", file="a.safetensors")
    path = next(path for path in shipped_files() if path.name.startswith("object-stage2"))
    check_refused("was trained for layer stage2.1:add, not stem.norm", file=str(path))


# Inverters of a LeNet-5 on MNIST


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """By layer: an inverter of LeNet-5, trained on some digits; and a context with another digit."""
    from innerwalk.tests.conftest import ROOT

    folder = Path(os.environ.get("INNERWALK_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("needs the folder of real data (INNERWALK_DATA)")
    network = f"innerwalk.tests.support.own_models:LeNet5={folder / 'weights' / 'mnist_lenet5.safetensors'}"
    inverters, scratch, data = {}, tmp_path_factory.mktemp("digits"), str(folder / "mnist_t10k")
    for layer in ("convnet.s4", "fc.f7"):
        path = scratch / f"{layer}.safetensors"
        train.train_to_file(train.InverterJob(network, layer, data), InverterTraining(1500, 10, rate=6e-3), path)
        inverters[layer] = read_inverter(path)
    (spec,) = train.serve_config([network]).networks.values()
    context = train.make_training_context(spec, "convnet.s4", sets.open_data(data), torch.device("cpu"))
    return inverters, context


def test_digits_are_lost_layer_by_layer(digits):
    inverters, _ = digits
    assert inverters["convnet.s4"].metadata.error < inverters["fc.f7"].metadata.error < 0.5


def test_of_digits_the_least_important_half_matters_least(digits):
    inverters, context = digits
    pictures = torch.stack([load_picture(context, 9000 + index) for index in range(60)])
    net, layer = inverters["convnet.s4"].net, InvertedLayer(context.model, context.arguments_with, "convnet.s4")
    with torch.no_grad():
        maps = layer.maps_function(pictures[:1], layer.layer)(pictures)
        errors = {
            name: float((net(perturb_maps(maps, name, random())) - pictures).square().mean())
            for name in ("plain", "drop_least", "dropout", "binarise")
        }
    assert errors["plain"] <= errors["drop_least"] * 1.05
    assert errors["drop_least"] < min(errors["dropout"], errors["binarise"])


def test_a_trained_inverter_beats_inversion_of_a_vector(digits, tmp_path):
    inverters, context = digits
    layer, inverter = "fc.f7", inverters["fc.f7"]
    write_inverter(tmp_path / "f7.safetensors", inverter.metadata, inverter.net, torch.zeros(1))
    context = dataclasses.replace(context, layers=(layer,))
    trained = method_runs.run_method(context, "upconvnet", file=str(tmp_path))[layer].extras["values"][0]
    regularised = method_runs.run_method(context, "inversion", steps=60)[layer].extras["values"][0]
    assert trained < 0.6 * regularised
