"""DGN-AM: codes against their closed form, digits by another network's generator, and the shipped prior."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)


from torch import nn  # noqa: E402

from innerwalk.tests.support import SUPPORT, bridges, method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge import data as sets  # noqa: E402
from innerwalk.torch_bridge.inputs.pixels import Pixels  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.inverters import code_ascent as ascents  # noqa: E402
from innerwalk.torch_bridge.inverters.code_ascent import CodeAscent  # noqa: E402
from innerwalk.torch_bridge.inverters.generators import (  # noqa: E402
    PictureGenerator,
    generator_from_network,
    generator_from_prior,
)
from innerwalk.torch_bridge.methods import dgn_am  # noqa: E402
from innerwalk.torch_bridge.models.build import BuiltModel  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError, UnknownName  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, Subject, prepare  # noqa: E402

GREY = Preprocessing(size=(8, 8), channels=1, mean=(0.0,), std=(1.0,))


class Halves(nn.Module):
    """How bright the left half and the right half are, each less the other."""

    def __init__(self):
        super().__init__()
        self.sides = nn.Linear(64, 2, bias=False)
        left = torch.zeros(8, 8)
        left[:, :4], left[:, 4:] = 1, -1
        self.sides.weight.data = torch.stack([left.flatten(), -left.flatten()]) / 32

    def forward(self, x):
        return self.sides(x.flatten(1))


class Painter(nn.Module):
    """Two numbers -> the brightness of either half, from -1 to 1 as generators have it."""

    def __init__(self):
        super().__init__()
        self.lay = nn.Linear(2, 64, bias=False)
        weight = torch.zeros(8, 8, 2)
        weight[:, :4, 0], weight[:, 4:, 1] = 0.5, 0.5
        self.lay.weight.data = weight.reshape(64, 2)

    def forward(self, z):
        return self.lay(z).reshape(-1, 1, 8, 8)


def painted(layers=("sides",), **more):
    from dataclasses import replace

    context = method_runs.make_context(Halves().eval(), torch.rand(1, 1, 8, 8), layers, preprocessing=GREY, **more)
    return replace(context, other_networks={"painter": beside(Painter().eval(), (2,))})


def beside(model, shape):
    from innerwalk.torch_bridge.inputs.input_adapter import make_input_adapter
    from innerwalk.torch_bridge.predictions.class_names import ClassNames

    built = BuiltModel(model, type(model).__name__, shapes=((1, *shape),))
    return Subject(built, make_input_adapter(built, {}, ("", {})), ClassNames(), "", {})


def test_the_code_reaches_the_best_corner():
    maps = method_runs.run_method(painted(), "dgn_am", generator="painter", steps=40)["sides"]
    left, right = maps.data
    high, low = (1 + 0.99) / 2, (1 - 0.99) / 2
    assert np.allclose(left[:, :4], high, atol=1e-3) and np.allclose(left[:, 4:], low, atol=1e-3)
    assert np.allclose(right, left[:, ::-1], atol=1e-3)
    assert maps.extras["values"] == pytest.approx([high - low] * 2, abs=2e-3)
    assert maps.labels == (f"reached {high - low:.3g}",) * 2 and maps.frame == "input" and maps.colour
    assert "nearest" not in maps.extras


class PriorNet(Painter):
    """Maps (N, 2, 1, 1) -> the brightness of either half."""

    def forward(self, maps):
        return super().forward(2 * maps.flatten(1))


def prior_of_halves():
    """A prior of two maps, (1, 0) and (0, 1), which it draws as one bright half."""
    from types import SimpleNamespace

    return SimpleNamespace(codes=torch.eye(2)[:, :, None, None], net=PriorNet().eval().requires_grad_(False))


def test_a_prior_draws_means_of_its_real_maps():
    context = painted()
    generator = generator_from_prior(prior_of_halves(), Pixels(GREY, context.picture), context.device, spread=1.0)
    equal, left = generator.decode(torch.tensor([[0.0, 0.0], [1.0, -1.0]]))
    share = 1 / (1 + np.exp(-2))
    assert torch.allclose(equal, torch.full((1, 8, 8), 0.5))
    assert torch.allclose(left[0, :, :4], torch.tensor(share, dtype=torch.float32))
    assert torch.allclose(left[0, :, 4:], torch.tensor(1 - share, dtype=torch.float32))
    assert generator.starts.tolist() == [[1, -1], [-1, 1]] and not generator.origin.any()


def test_the_search_starts_at_the_best_real_map(monkeypatch):
    context = painted()
    generator = generator_from_prior(prior_of_halves(), Pixels(GREY, context.picture), context.device, spread=1.0)
    monkeypatch.setattr(dgn_am, "_find_generator", lambda *_: generator)
    maps = method_runs.run_method(context, "dgn_am", steps=1, step=1e-6)["sides"]
    kept = 1 / (1 + np.exp(-2))
    assert maps.extras["values"] == pytest.approx([2 * kept - 1] * 2, abs=1e-4)


def test_one_step_by_hand():
    """z + step x range x (1 - k / n) x g / mean |g|, then its range, then 0.99."""
    ends = torch.tensor([4.0, 2.0, 1.0])
    weight = torch.tensor([3.0, -1.0, 0.5])
    ascent = CodeAscent(
        PictureGenerator(lambda codes: codes.reshape(-1, 1, 1, 3), -ends, ends, torch.zeros(3)),
        lambda pictures, channels: (pictures[:, 0, 0] * weight).sum(1),
        [0],
        torch.tensor([[1.0, 1.0, 0.0]]),
        4,
        0.25,
    )
    steps = ascent.steps()
    next(steps)
    size = 0.25 * (8 + 4 + 2) / 3
    moved = torch.tensor([1.0, 1.0, 0.0]) + size * weight / 1.5
    assert torch.allclose(ascent.codes[0], torch.minimum(moved, ends).maximum(-ends) * 0.99)
    before = ascent.codes[0].clone()
    next(steps)
    moved = before + size * 0.75 * weight / 1.5
    assert torch.allclose(ascent.codes[0], torch.minimum(moved, ends).maximum(-ends) * 0.99)


def test_a_channels_picture_does_not_depend_on_the_selection():
    full = method_runs.run_method(painted(), "dgn_am", generator="painter", steps=5, start="noise")["sides"]
    from dataclasses import replace

    alone = method_runs.run_method(
        replace(painted(), channels=(1,)), "dgn_am", generator="painter", steps=5, start="noise"
    )["sides"]
    assert alone.channel_numbers == (1,) and np.allclose(alone.data[0], full.data[1])
    assert np.allclose(alone.extras["values"], full.extras["values"][1]) and alone.labels == (full.labels[1],)
    single = method_runs.run_method(painted(), "dgn_am", generator="painter", steps=5, start="noise", batch=1)["sides"]
    assert np.allclose(single.data, full.data, atol=1e-6)
    other = method_runs.run_method(painted(), "dgn_am", generator="painter", steps=1, start="noise", seed=1, step=0.01)[
        "sides"
    ]
    first = method_runs.run_method(painted(), "dgn_am", generator="painter", steps=1, start="noise", seed=0, step=0.01)[
        "sides"
    ]
    assert not np.allclose(other.data, first.data, atol=1e-3)


def test_progress_and_partial_results():
    steps = method_runs.method_steps(painted(), "dgn_am", generator="painter", steps=8, batch=1)
    shares = [step.share for step in steps]
    assert shares == sorted(shares) and shares[-1] == 1
    assert steps[0].message == "sides, 1 of 2 channels, step 1 of 8" and not steps[0].maps and steps[1].maps
    assert np.isnan(steps[1].maps[0].extras["values"][1]) and not np.isnan(steps[-1].maps[0].extras["values"]).any()


def test_the_nearest_picture_of_the_data(tmp_path):
    from PIL import Image

    best = np.zeros((8, 8), np.uint8)
    high, low = (1 + 0.99) / 2, (1 - 0.99) / 2
    best[:, :4], best[:, 4:] = round(high * 255), round(low * 255)
    for name, pixels in (("a", best), ("b", np.full((8, 8), 255, np.uint8)), ("c", np.zeros((8, 8), np.uint8))):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    context = painted(data=sets.open_data(str(tmp_path)))
    maps = method_runs.run_method(context, "dgn_am", generator="painter", steps=40)["sides"]
    assert maps.extras["nearest"][0] < 1e-3 and maps.extras["nearest"][1] > 0.1
    assert maps.labels[0].endswith(f", nearest picture {maps.extras['nearest'][0]:.2g}")
    none = method_runs.run_method(context, "dgn_am", generator="painter", steps=4, compared=0)["sides"]
    assert "nearest" not in none.extras


# What goes wrong


class Detached(Halves):
    def forward(self, x):
        return self.sides(x.flatten(1).detach())


def test_missing_generators_are_errors():
    with pytest.raises(UnknownName, match="no other network on the bridge 'painer'; did you mean painter"):
        method_runs.method_steps(painted(), "dgn_am", generator="painer")
    with pytest.raises(
        ModelError, match=r"no prior for any layer of Halves comes with innerwalk; python -m .* --prior"
    ):
        method_runs.method_steps(painted(), "dgn_am")


def test_a_network_that_makes_no_pictures():
    context = painted()
    with pytest.raises(ModelError, match="Linear can't be a generator: its output isn't pictures"):
        generator_from_network(beside(nn.Linear(2, 5), (2,)), Pixels(GREY, context.picture), context.device)


def test_a_layer_without_gradient():
    from dataclasses import replace

    model = Detached().eval()
    context = replace(
        method_runs.make_context(model, torch.rand(1, 1, 8, 8), ["sides"], preprocessing=GREY),
        other_networks=painted().other_networks,
    )
    with pytest.raises(ModelError, match="no gradient to the picture"):
        method_runs.method_steps(context, "dgn_am", generator="painter", steps=2)


def climbing(score, rows=4):
    ends = torch.ones(3)
    return CodeAscent(
        PictureGenerator(lambda codes: codes.reshape(-1, 1, 1, 3), -ends, ends, 0 * ends),
        score,
        list(range(rows)),
        torch.zeros(rows, 3),
        3,
        0.5,
    )


def test_fewer_run_at_once_when_memory_is_short():
    sizes = []

    def score(pictures, channels):
        sizes.append(len(pictures))
        assert len(channels) == len(pictures)
        if len(pictures) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return pictures.flatten(1).sum(1) * torch.tensor([channel + 1.0 for channel in channels])

    ascent = climbing(score)
    list(ascent.steps())
    assert sizes[:3] == [4, 2, 1] and ascent.scores.shape == (4,) and (ascent.scores.diff() > 0).all()


def test_nan_is_an_error():
    with pytest.raises(ModelError, match="the code became NaN or infinite"):
        list(climbing(lambda pictures, channels: (pictures * float("nan")).flatten(1).sum(1)).steps())
    once = climbing(lambda pictures, channels: torch.where(pictures > 0.4, float("inf"), pictures).flatten(1).prod(1))
    assert ascents.MAX_ATTEMPTS == 4 and len(list(once.steps())) >= 3


# Through a bridge: a network is named when it starts, and never over the wire


def test_another_network_of_the_bridge_can_be_the_generator():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SUPPORT))
        networks = {name: {"model": "own_models:small"} for name in ("reader", "other")}
        with bridges.serving_here(networks, {}) as server, bridges.joined(server) as bridge:
            steps, _ = bridges.followed(bridge, bridge.start("reader", "dgn_am", parameters={"generator": "os:system"}))
            assert steps[-1]["state"] == "failed" and "no other network on the bridge" in steps[-1]["error"]
            live = server.calls["record"].__self__.networks["reader"]
            assert set(live.served_models) == {"reader", "other"}


# Real ones


@pytest.fixture
def digits(data_folder, monkeypatch):
    """A work on LeNet-5 with the generator of digits beside."""
    from dataclasses import replace

    monkeypatch.syspath_prepend(str(SUPPORT))
    weights = data_folder / "weights"
    reader = prepare(RecordSpec("own_models:LeNet5", weights=str(weights / "mnist_lenet5.safetensors")))
    painter = prepare(
        RecordSpec("own_models:DcganGenerator", weights=str(weights / "mnist_dcgan_generator.safetensors"))
    )
    blank = reader.adapter.arguments(reader.adapter.read(["noise:0"], 0))
    context = method_runs.make_context(
        reader.built.module,
        blank,
        ["fc.f7"],
        preprocessing=reader.adapter.preprocessing,
        class_names=[str(k) for k in range(10)],
    )
    return replace(context, other_networks={"dcgan": painter})


def test_each_digit_wins_by_the_generator_of_digits(digits):
    maps = method_runs.run_method(digits, "dgn_am", generator="dcgan", steps=200, batch=10)["fc.f7"]
    pictures = torch.from_numpy(maps.data[..., :1]).permute(0, 3, 1, 2)
    with torch.no_grad():
        answers = digits.model(pictures).softmax(1)
    assert answers.argmax(1).tolist() == list(range(10))
    assert answers.max(1).values.mean() > 0.9
    assert maps.labels[7].startswith("7: reached ")


def test_the_shipped_prior_makes_each_class_win():
    model, names = concepts.load("object")
    inputs = torch.from_numpy(concepts.picture(4)).permute(2, 0, 1)[None].float() / 127.5 - 1
    data = sets.open_data("concepts:object")
    context = method_runs.make_context(model, inputs, ["fc"], class_names=names, data=data)
    maps = method_runs.run_method(context, "dgn_am", steps=40, compared=24)["fc"]
    pictures = torch.from_numpy(maps.data).permute(0, 3, 1, 2) * 2 - 1
    with torch.no_grad():
        answers = model(pictures)
        real = torch.cat([model(context.arguments_from_picture(data.picture(k))[0]) for k in range(42)])
    assert answers.argmax(1).tolist() == list(range(6)) and (answers.softmax(1).diagonal() > 0.9).all()
    own = torch.stack([real[label::6, label].mean() for label in range(6)])
    assert answers.diagonal().mean() > own.mean()
    assert maps.labels[0].startswith("circle: reached ") and "nearest picture" in maps.labels[0]
    assert np.allclose(maps.extras["values"], answers.diagonal(), atol=0.05)
