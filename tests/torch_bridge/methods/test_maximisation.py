"""Activation maximisation where the best picture is known (kernels, shapes of `concepts`), and its errors."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.tests.support.method_runs import CONCEPTS, make_context, method_steps, run_method  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.inputs.pixels import Pixels  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, parse_parameters  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402
from innerwalk.torch_bridge.recording import load, save  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402

LOOKED_AT = 300
"""Pictures of the data."""
GREY = Preprocessing(size=(24, 24), channels=1, mean=(0.5,), std=(0.5,))


@pytest.fixture(scope="module")
def shipped():
    return concepts.load("object")


@pytest.fixture(scope="module")
def inputs():
    return torch.from_numpy(concepts.picture().copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def own_numbers(maps, tile=slice(None)):
    """(n, 3, H, W): tiles as the shipped networks take them, in the 256 levels in which they are kept."""
    levels = np.round(maps.data[tile] * 255) / 255
    return torch.from_numpy(levels.transpose(0, 3, 1, 2).copy()).float() * 2 - 1


def test_every_shape_is_drawn(shipped, inputs):
    """Far above all pictures of the data, and for the network just what was asked for."""
    model, names = shipped
    maps = run_method(make_context(model, inputs, ["fc"], class_names=names), "maximisation", objective="class")["fc"]
    assert maps.colour and maps.shape == (6, 64, 64) and maps.frame == "input"
    with torch.no_grad():
        scores = model(own_numbers(maps))
        data = np.stack([sample.image for sample in concepts.batch(0, 1, 0, LOOKED_AT, task="object")])
        known = model(torch.from_numpy(data).permute(0, 3, 1, 2).float() / 127.5 - 1)
    assert scores.argmax(1).tolist() == list(range(6))
    own = scores.diagonal()
    assert (own > known.quantile(0.99, 0)).all() and (own > 1.5 * known.amax(0)).all()
    np.testing.assert_allclose(maps.extras["values"], own.numpy(), rtol=1e-4)
    moved = maps.extras["moved"]
    assert maps.labels[4] == f"ring: reached {float(own[4]):.3g}, {moved[4]:.3g} when moved"
    assert (moved > known.amax(0).numpy()).all()
    curve = maps.extras["curve"]
    assert curve.shape == (6, 64) and (curve[:, -8:].mean(1) > curve[:, :8].mean(1) + 10).all()


def test_networks_of_a_fixed_size_get_moved_pictures_without_a_margin(inputs):
    torch.manual_seed(0)
    seen: dict[str, list[int]] = {}
    for name, end in (("fixed", nn.Flatten()), ("free", nn.AdaptiveAvgPool2d(64))):
        model = nn.Sequential(end, nn.Flatten(), nn.Linear(3 * 64 * 64, 4)).eval()
        context, seen[name] = make_context(model, inputs, ["2"], (1, 3)), []
        end.register_forward_pre_hook(lambda _, read, sides=seen[name]: sides.append(read[0].shape[3]))
        maps = run_method(context, "maximisation", steps=4)["2"]
        assert maps.shape == (2, 64, 64) and np.isfinite(maps.extras["moved"]).all()
    assert seen["fixed"].count(76) == 1 and seen["free"].count(76) > 4  # the first one tries it
    assert {*seen["fixed"], *seen["free"]} == {64, 76}


def test_the_same_seed_gives_the_same_picture(shipped, inputs):
    context = make_context(shipped[0], inputs, ["stage2.1:add"], (3, 5))
    first, second = (run_method(context, "maximisation", steps=6)["stage2.1:add"] for _ in range(2))
    assert np.array_equal(first.texels, second.texels)
    other = run_method(context, "maximisation", steps=6, seed=1)["stage2.1:add"]
    assert np.abs(other.data[0] - first.data[0]).mean() > 0.01


def test_a_channels_picture_does_not_depend_on_other_channels(shipped, inputs):
    layer = "stage2.1:add"
    among = run_method(make_context(shipped[0], inputs, [layer], (2, 3, 4, 5)), "maximisation", steps=8)[layer]
    alone = run_method(make_context(shipped[0], inputs, [layer], (4,)), "maximisation", steps=8)[layer]
    assert among.channel_numbers == (2, 3, 4, 5) and alone.channel_numbers == (4,)
    np.testing.assert_allclose(alone.data[0], among.data[2], atol=4e-2)  # batches round in other ways
    assert np.abs(alone.data[0] - among.data[1]).mean() > 0.01


def gabors(count=6, side=9):
    """(count, 3, side, side): stripes in several ways and colours."""
    random, place = np.random.default_rng(0), np.mgrid[:side, :side] - side // 2
    kernels = []
    for k in range(count):
        along = place[0] * np.sin(k * np.pi / count) + place[1] * np.cos(k * np.pi / count)
        wave = np.cos(along * 1.2 + k) * np.exp(-(place**2).sum(0) / 10)
        kernels.append(random.normal(size=3)[:, None, None] * wave)
    return torch.tensor(np.stack(kernels), dtype=torch.float32)


def test_the_best_picture_of_a_neuron_is_its_kernel():
    """What is known is found: the kernel itself, where the neuron looks."""
    layer = nn.Conv2d(3, 6, 9, bias=False)
    layer.weight.data = gabors()
    context = make_context(nn.Sequential(layer), torch.randn(1, 3, 24, 24), ["0"], preprocessing=CONCEPTS)
    for preset, least in (("erhan2009", 0.95), ("simonyan2013", 0.5), ("deepvisionvr", 0.6)):
        maps = run_method(context, "maximisation", objective="neuron", preset=preset)["0"]
        seen = maps.data[:, 8:17, 8:17].transpose(0, 3, 1, 2)  # of 16 places the neuron is at 8
        for picture, kernel in zip(seen, layer.weight.detach().numpy(), strict=True):
            assert cosine(picture - (picture.mean() if preset == "deepvisionvr" else 0.5), kernel) > least, preset


def cosine(first, second):
    return (first * second).sum() / np.linalg.norm(first) / np.linalg.norm(second)


def test_the_first_layers_pictures_resemble_its_kernels(shipped, inputs):
    """Direct mapping beside maximisation, on the support of the middle neuron; a batch norm may turn a kernel round."""
    context = make_context(shipped[0], inputs, ["stem.norm"])
    direct = run_method(context, "weights")["stem.norm"].data
    found = run_method(context, "maximisation", objective="neuron", preset="erhan2009")["stem.norm"].data
    picture = inputs.clone().requires_grad_()
    maps = PartialForward(shipped[0], ["stem.norm"], context.arguments)((picture,)).maps["stem.norm"]
    middle = maps[0, 0, maps.shape[2] // 2, maps.shape[3] // 2]
    (support,) = torch.autograd.grad(middle, picture)
    rows, columns = (support.abs().sum((0, 1, axis)).nonzero().flatten() for axis in (3, 2))
    top, left, side = int(rows[0]), int(columns[0]), direct.shape[1]
    assert (len(rows), len(columns)) == (side, side)
    turned = torch.sign(shipped[0].get_submodule("stem.norm").weight.detach()).numpy()
    for channel in range(len(direct)):
        seen = found[channel, top : top + side, left : left + side] - 0.5
        assert cosine(seen, turned[channel] * (direct[channel] - 0.5)) > 0.95


def test_kernels_per_pixel_brightness():
    layer = nn.Conv2d(3, 2, 3)
    how = Preprocessing(size=(8, 8), mean=(0.0,) * 3, std=(0.5, 0.25, 1.0))
    context = make_context(nn.Sequential(layer), torch.rand(1, 3, 8, 8), ["0"], preprocessing=how)
    plain, pixels = run_method(context, "weights")["0"], run_method(context, "weights", pixels=True)["0"]
    kernels = layer.weight.detach().numpy() / np.array(how.std, np.float32)[:, None, None]
    expected = 0.5 + kernels / (2 * np.abs(kernels).max())
    np.testing.assert_allclose(pixels.data, expected.transpose(0, 2, 3, 1), atol=1e-6)
    assert np.abs(plain.data - pixels.data).max() > 0.05


def test_diversity_makes_samples_differ(shipped, inputs):
    layer, found = "stage3.1:add", {}
    context = make_context(shipped[0], inputs, [layer], (1,))
    reach = PartialForward(shipped[0], [layer], context.arguments)
    for diversity in (0.0, 100.0):
        maps = run_method(context, "maximisation", samples=4, diversity=diversity, steps=32)[layer]
        assert maps.extras["samples"].tolist() == [2, 2]
        tile = maps.data[0]
        samples = np.stack([tile[a : a + 64, b : b + 64] for a in (0, 66) for b in (0, 66)])
        with torch.no_grad():
            pictures = torch.from_numpy(samples.transpose(0, 3, 1, 2).copy()).float() * 2 - 1
            seen = reach((pictures,)).maps[layer].flatten(2)
        grams = nn.functional.normalize((seen @ seen.transpose(1, 2)).flatten(1), dim=1)
        found[diversity] = float(((grams @ grams.T).sum() - 4) / 12)
    assert found[100.0] < found[0.0] - 0.05


def test_the_four_sets_of_yosinski_are_shown_together(shipped, inputs):
    maps = run_method(make_context(shipped[0], inputs, ["fc"], (0,)), "maximisation", preset="yosinski2015", steps=8)[
        "fc"
    ]
    assert maps.extras["samples"].tolist() == [2, 2] and maps.shape == (1, 130, 130)


def test_least_minimises(shipped, inputs):
    context = make_context(shipped[0], inputs, ["fc"], (0, 1))
    most, least = (
        run_method(context, "maximisation", steps=24, least=least)["fc"].extras["values"] for least in (False, True)
    )
    assert (least[:2] < most[:2] - 15).all() and least[:2].max() < 0


def test_joint_channels(shipped, inputs):
    """One picture for two classes has more of both than the pictures of the others; weights turn one of them round."""
    model, _ = shipped
    context = make_context(model, inputs, ["fc"], (0, 4))
    both = run_method(context, "maximisation", joint=True)["fc"]
    assert both.shape == (1, 64, 64) and both.labels[0].startswith("2 channels together: reached")
    against = run_method(context, "maximisation", joint=True, weights="1, -1")["fc"]
    with torch.no_grad():
        scores, others = model(own_numbers(both))[0], model(own_numbers(against))[0]
    assert float(both.extras["values"][0]) == pytest.approx(float(scores[0] + scores[4]), rel=1e-4)
    assert set(scores.topk(2).indices.tolist()) == {0, 4}
    assert others[0] - others[4] > scores[0] - scores[4] + 10


def test_a_whole_layer_and_a_direction(shipped, inputs):
    layer = "stage3.1:add"
    context = make_context(shipped[0], inputs, [layer])
    with torch.no_grad():
        here = PartialForward(shipped[0], [layer], context.arguments)(context.arguments).maps[layer][0]
    dream = run_method(context, "maximisation", objective="layer", start="image", steps=16)[layer]
    assert dream.shape == (1, 64, 64) and dream.extras["values"][0] > 2 * here.square().mean()
    way = run_method(context, "maximisation", objective="direction", steps=32)[layer]
    assert way.labels[0].startswith("the direction: reached")
    with torch.no_grad():
        found = PartialForward(shipped[0], [layer], context.arguments)((own_numbers(way),)).maps[layer][0].mean((1, 2))
    assert torch.cosine_similarity(found, here.mean((1, 2)), 0) > 0.8
    chosen = make_context(shipped[0], inputs, [layer], (1, 2))
    assert run_method(chosen, "maximisation", objective="direction", weights="1,2", steps=2)[layer].shape == (1, 64, 64)


def test_start_and_size(shipped, inputs):
    context = make_context(shipped[0], inputs, ["stem.norm"], (0,))
    image = run_method(context, "maximisation", start="image", steps=1)["stem.norm"].data[0]
    own = (inputs[0].permute(1, 2, 0).numpy() + 1) / 2
    assert np.corrcoef(image.ravel(), own.ravel())[0, 1] > 0.9
    zeros = run_method(context, "maximisation", start="zeros", steps=1, preset="simonyan2013")["stem.norm"].data[0]
    assert np.abs(zeros - 0.5).mean() < 0.05
    large = run_method(context, "maximisation", size=96, steps=1, start="image")["stem.norm"]
    assert large.shape[1:] == (96, 96)


def test_partial_results(shipped, inputs):
    """Batch after batch, several looks at each; never more than a run of the network in a step."""
    context = make_context(shipped[0], inputs, ["stage1.1:add"], range(10))
    steps = method_steps(context, "maximisation", steps=12)
    shown = [step.maps[0] for step in steps if step.maps]
    there = [int(maps.texels[..., 3].any((1, 2)).sum()) for maps in shown]
    assert there == [8, 8, 10, 10] and np.abs(shown[0].data[0] - shown[1].data[0]).mean() > 0.001
    shares = [step.share for step in steps]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert sum(step.message.endswith("step 12 of 12") for step in steps) >= 2
    assert "stage1.1:add, channels 0 to 7 of 10, step 1 of 12" in {step.message for step in steps}


def test_a_large_network_runs_on_few_pictures_at_once(shipped, inputs, monkeypatch):
    from innerwalk.torch_bridge.method_support import maximisation_run

    sizes = []
    handle = shipped[0].stem.conv.register_forward_hook(lambda module, args, output: sizes.append(len(args[0])))
    context = make_context(shipped[0], inputs, ["stem.norm"], range(6))
    monkeypatch.setitem(maximisation_run.MAXIMISATION_RUN_COST, "cpu", 2 * 64 * 64 * 1000)
    sizes.clear()
    few = run_method(context, "maximisation", steps=3)["stem.norm"]
    handle.remove()
    assert max(sizes) < 6
    monkeypatch.setitem(maximisation_run.MAXIMISATION_RUN_COST, "cpu", 1e12)
    np.testing.assert_allclose(few.data, run_method(context, "maximisation", steps=3)["stem.norm"].data, atol=1e-2)


def test_maps_are_kept(shipped, inputs, tmp_path):
    from innerwalk.torch_bridge import record

    recording = record(shipped[0], inputs, layers=["fc"])
    maps = run_method(make_context(shipped[0], inputs, ["fc"]), "maximisation", steps=2)["fc"]
    recording.add([maps])
    save(recording, tmp_path / "kept")
    again = load(tmp_path / "kept").maps("fc", "maximisation")
    assert np.array_equal(again.texels, maps.texels) and np.array_equal(again.extras["curve"], maps.extras["curve"])


class Own(nn.Module):
    """One channel: any number of a picture."""

    def __init__(self, number):
        super().__init__()
        self.layer = nn.Hardtanh(-1e9, 1e9)
        self.number = number

    def forward(self, x):
        return self.layer(self.number(x))


def own_work(number, **more):
    return make_context(Own(number).eval(), torch.zeros(1, 1, 24, 24), ["layer"], preprocessing=GREY, **more)


def test_a_grey_picture_is_made():
    maps = run_method(own_work(lambda x: x.mean((2, 3), keepdim=True)), "maximisation", steps=40)["layer"]
    assert maps.shape == (1, 24, 24) and maps.data.mean() > 0.65
    assert np.array_equal(maps.data[..., 0], maps.data[..., 2])


def test_nan_restarts_with_smaller_steps():
    """Steps of 0.02 would pass the edge; of half as much they don't."""

    def edge(x):
        mean = x.mean((2, 3), keepdim=True)
        return torch.where(mean > 3, torch.nan, mean * 1e4)

    maps = run_method(own_work(edge), "maximisation", preset="simonyan2013", steps=200)["layer"]
    assert maps.extras["values"][0] == pytest.approx(1e4, rel=1e-3)  # as it is kept: white
    assert maps.extras["curve"][0, -1] == pytest.approx(2e4, rel=0.01)
    with pytest.raises(ModelError, match=r"the objective became NaN or infinite, even with steps of 0\.0025"):
        run_method(own_work(lambda x: x.mean((2, 3), keepdim=True) * torch.nan), "maximisation", preset="simonyan2013")


def test_memory_that_runs_out():
    from innerwalk.torch_bridge.method_support import maximisation_run

    sizes = []

    def small(x):
        sizes.append(len(x))
        if len(x) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return x.flatten(2).mean(2)[..., None, None].repeat(1, 8, 1, 1)

    maps = run_method(own_work(small), "maximisation", steps=4)["layer"]
    assert sizes[1] == maximisation_run.BATCH["cpu"] or 8 in sizes
    assert sizes[-1] <= 3 and np.isfinite(maps.extras["values"]).all()

    def none(x):
        if x.requires_grad:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return x.mean((2, 3), keepdim=True)

    with pytest.raises(ModelError, match="no memory for a single picture; a smaller size needs less"):
        run_method(own_work(none), "maximisation", steps=4)


def test_a_silent_channel_restarts_from_louder_noise():
    """Grey and a little noise leave it dead; louder noise doesn't."""

    def asleep(x):
        return torch.relu(x.std((2, 3), keepdim=True) - 0.3)

    maps = run_method(own_work(asleep), "maximisation", steps=40)["layer"]
    assert maps.extras["values"][0] > 0.3 and maps.labels[0].startswith("reached")
    dead = run_method(own_work(lambda x: torch.relu(x.mean((2, 3), keepdim=True) - 99)), "maximisation", steps=12)[
        "layer"
    ]
    assert dead.labels[0] == "reached 0, 0 when moved, no gradient reaches it"


def test_objectives_that_do_not_fit_are_errors(shipped, inputs):
    model, names = shipped
    with pytest.raises(ModelError, match="layer has no gradient to the picture: the network detaches"):
        run_method(own_work(lambda x: x.detach().mean((2, 3), keepdim=True)), "maximisation")
    with pytest.raises(InputError, match="stem.norm has no channel for each of the 6 classes; fc has"):
        run_method(make_context(model, inputs, ["stem.norm"]), "maximisation", objective="class")
    with pytest.raises(InputError, match="output has shape"):
        run_method(own_work(lambda x: x[:, :, :3, :3]), "maximisation", objective="class")
    with pytest.raises(ModelError, match="layer 'stage9' wasn't reached"):
        run_method(make_context(model, inputs, ["stage9"]), "maximisation")
    with pytest.raises(InputError, match="there is no channel 6"):
        run_method(make_context(model, inputs, ["fc"], (6,)), "maximisation")
    with pytest.raises(InputError, match="needs a picture, but this network's first input is not one"):
        run_method(make_context(nn.Sequential(nn.Linear(4, 2)), torch.rand(1, 4), ["0"]), "maximisation")
    with pytest.raises(InputError, match="samples of yosinski2015 differ by their regularisers"):
        run_method(make_context(model, inputs, ["fc"]), "maximisation", preset="yosinski2015", samples=2, diversity=1.0)


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"joint": True, "weights": "1"}, "2 finite numbers are needed"),
        ({"joint": True, "weights": "0,0"}, "not all of them 0"),
        ({"joint": True, "weights": "1,nan"}, "2 finite numbers are needed"),
        ({"joint": True, "weights": "1;2"}, "write numbers with commas"),
        ({"weights": "1,2"}, "weights need joint channels or a direction"),
    ],
)
def test_wrong_weights_are_errors(shipped, inputs, parameters, line):
    with pytest.raises(InputError, match=line):
        run_method(make_context(shipped[0], inputs, ["fc"], (0, 1)), "maximisation", **parameters)


def test_a_layer_without_direction():
    with pytest.raises(InputError, match="is 0 for this input, which is no direction"):
        run_method(own_work(lambda x: x.mean((2, 3), keepdim=True)), "maximisation", objective="direction")


def test_the_model_is_left_unchanged(shipped, inputs):
    model = shipped[0].train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    context = make_context(model, inputs, ["stage1.1:add"], (0,))
    running = METHODS["maximisation"].run(context, parse_parameters(METHODS["maximisation"], {}))
    for _ in range(5):
        next(running)
        assert model.training and all(weight.grad is None for weight in model.parameters())
    running.close()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.requires_grad for weight in model.parameters())
    model.eval()


def test_pixels_are_kept_in_256_levels(shipped, inputs):
    """What is told as reached is what a saved picture reaches."""
    maps = run_method(make_context(shipped[0], inputs, ["fc"], (2,)), "maximisation", steps=8)["fc"]
    with torch.no_grad():
        score = shipped[0](own_numbers(maps, slice(0, 1)))[0, 2]
    assert float(maps.extras["values"][0]) == pytest.approx(float(score), rel=1e-5)
    assert Pixels(CONCEPTS, inputs).shape == (3, 64, 64)


def test_a_real_network_recognises_its_pictures(data_folder):
    """MobileNet V2 of ImageNet: half the steps of the default make a picture that it names as was wanted."""
    from innerwalk.torch_bridge.models.build import build_model
    from innerwalk.torch_bridge.models.torchvision_import import import_torchvision
    from innerwalk.torch_bridge.models.weights import load_weights

    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    model = build_model("mobilenet_v2").module
    load_weights(model, data_folder / "weights" / "mobilenet_v2_imagenet.safetensors")
    context = make_context(model, torch.zeros(1, 3, 225, 225), ["classifier.1"], (340,))
    maps = run_method(context, "maximisation", steps=32, joint=True)["classifier.1"]
    assert maps.shape == (1, 225, 225) and maps.labels[0].startswith("channel 340: reached")
    with torch.no_grad():
        scores = model(own_numbers(maps))[0]
    assert int(scores.argmax()) == 340 and float(scores.softmax(0)[340]) > 0.9
