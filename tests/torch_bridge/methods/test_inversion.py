"""Inversion: layers whose inverse is known, and the authors' own optimiser."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge import data as sets  # noqa: E402
from innerwalk.torch_bridge.inputs.pixels import Pixels  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.inverters import gradient_descent as descents  # noqa: E402
from innerwalk.torch_bridge.inverters.gradient_descent import (  # noqa: E402
    AUTHORS_RATES,
    InversionDescent,
    InversionObjective,
    start_noise,
)
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402

PLAIN = Preprocessing(size=(12, 12), channels=3, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))


def picture(side=12, channels=3, seed=0):
    """A smooth picture, in the network's numbers."""
    coarse = torch.rand(1, channels, 4, 4, generator=torch.Generator().manual_seed(seed))
    shares = nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return Pixels(PLAIN, torch.zeros(1, 3, side, side)).to_network(shares)


class Rounded(nn.Module):
    """Its weight has a gradient, the picture has none."""

    def __init__(self):
        super().__init__()
        self.by = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x.round().detach() * self.by


class Net(nn.Module):
    """Layers to invert: two that keep everything, one that is 0, some that can't be followed."""

    def __init__(self):
        super().__init__()
        self.turn, self.squares = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 12, 2, 2, bias=False)
        self.dead, self.rounded = nn.Conv2d(3, 2, 1, bias=False), Rounded()
        nn.init.zeros_(self.dead.weight)
        random = torch.Generator().manual_seed(1)
        nn.init.orthogonal_(self.turn.weight.data.view(3, 3), generator=random)
        nn.init.orthogonal_(self.squares.weight.data.view(12, 12), generator=random)

    def forward(self, x):
        self.dead(x), self.rounded(x)
        return self.squares(self.turn(x)).mean((2, 3))


def context_of(layers, channels=(), **more):
    return method_runs.make_context(Net().eval(), picture(), layers, channels, preprocessing=PLAIN, **more)


@pytest.mark.parametrize("layer", ["turn", "squares"])
def test_a_layer_that_keeps_everything_gives_the_picture_back(layer):
    context = context_of([layer])
    maps = method_runs.run_method(context, "inversion", smoothness=0.0, steps=150)[layer]
    assert maps.shape == (1, 12, 12) and maps.colour and maps.frame == "input"
    assert maps.extras["values"].shape == (1,) and maps.extras["values"][0] < 1e-3
    shares = Pixels(PLAIN, context.picture).to_brightness(context.picture)[0].permute(1, 2, 0).numpy()
    assert np.abs(maps.data[0] - shares).max() < 0.05
    assert maps.labels[0].startswith("feature error ") and "picture error " in maps.labels[0]


def test_the_label_gives_both_errors():
    context = context_of(["turn"])
    maps = method_runs.run_method(context, "inversion", steps=5)["turn"]
    shares = torch.from_numpy(maps.data).permute(0, 3, 1, 2)
    values, goal = Pixels(PLAIN, context.picture).to_network(shares), context.picture
    with torch.no_grad():
        features, wanted = context.model.turn(values), context.model.turn(goal)
    feature = float((features - wanted).square().sum() / wanted.square().sum())
    contrast = 2 * float((goal - goal.mean((2, 3), keepdim=True)).square().sum())
    off = float((values - goal).square().sum()) / contrast
    assert maps.labels[0] == f"feature error {feature:.2g}, picture error {off:.2g} (twice the input's variance = 1)"
    assert maps.extras["values"][0] == pytest.approx(off, rel=1e-3)


def test_the_distance_of_two_pictures_of_the_data_is_error_one():
    model, _ = concepts.load("object")
    inputs = torch.from_numpy(concepts.picture(4)).permute(2, 0, 1)[None].float() / 127.5 - 1
    context = method_runs.make_context(model, inputs, ["stem.norm"], data=sets.open_data("concepts:object"))
    steps = method_runs.method_steps(context, "inversion", steps=3)
    assert steps[0].message == "compared 8 pictures of concepts object" and not steps[0].maps
    maps = steps[-1].maps[0]
    assert "(two pictures of concepts object = 1)" in maps.labels[0]
    chosen = sets.random_indices(context.data, 48, 0)
    seen = torch.stack([context.arguments_from_picture(context.data.picture(k))[0][0] for k in chosen])
    pairs = [(a - b).square().sum().item() for k, a in enumerate(seen) for b in seen[:k]]
    values = torch.from_numpy(maps.data).permute(0, 3, 1, 2) * 2 - 1
    assert maps.extras["values"][0] == pytest.approx(float((values - inputs).square().sum()) / np.mean(pairs), rel=1e-3)


def test_results_come_step_by_step():
    steps = method_runs.method_steps(context_of(["turn", "squares"]), "inversion", steps=20)
    assert [step.share for step in steps] == sorted(step.share for step in steps) and steps[-1].share == 1
    assert sum(len(step.maps) for step in steps if step.maps and step.maps[0].layer == "turn") == 10
    assert len(steps) == 42 and steps[19].message.startswith("turn, step 20 of 20: feature error ")


def test_repeats_lie_side_by_side_and_begin_with_their_own_noise():
    first = method_runs.run_method(context_of(["turn"]), "inversion", steps=8)["turn"]
    other = method_runs.run_method(context_of(["turn"]), "inversion", steps=8, seed=1)["turn"]
    three = method_runs.run_method(context_of(["turn"]), "inversion", steps=8, repeats=3)["turn"]
    assert three.extras["samples"].tolist() == [2, 2] and "samples" not in first.extras
    assert np.allclose(three.data[0, :12, :12], first.data[0], atol=1e-4)
    assert np.allclose(three.data[0, :12, 14:26], other.data[0], atol=1e-4)
    assert not np.allclose(first.data, other.data, atol=1e-2)
    again = method_runs.run_method(context_of(["turn"]), "inversion", steps=8)["turn"]
    assert np.array_equal(first.texels, again.texels)


def test_selected_channels_only():
    """The others of the reconstruction are free."""
    context = context_of(["turn"], channels=(1,))
    maps = method_runs.run_method(context, "inversion", smoothness=0.0, steps=150)["turn"]
    values = Pixels(PLAIN, context.picture).to_network(torch.from_numpy(maps.data).permute(0, 3, 1, 2))
    with torch.no_grad():
        off = (context.model.turn(values) - context.model.turn(context.picture)).square().mean((0, 2, 3))
    assert off[1] < 1e-3 < off[0] and off[2] > 1e-3
    assert maps.channels == 1 and maps.extras["values"][0] > 0.05


@pytest.mark.parametrize("features", ["binarise", "dropout", "drop_least", "drop_top"])
def test_features_can_be_changed_before_inversion(features):
    plain = method_runs.run_method(context_of(["turn"]), "inversion", smoothness=0.0, steps=60)["turn"]
    maps = method_runs.run_method(context_of(["turn"]), "inversion", smoothness=0.0, steps=60, features=features)[
        "turn"
    ]
    assert maps.extras["values"][0] > plain.extras["values"][0] + 0.02


def test_the_half_of_sparse_maps_is_chosen():
    """Of maps with 85 % zeros: half of all values drops nothing, and says so; half of the others drops some."""

    class Sparse(nn.Module):
        def __init__(self):
            super().__init__()
            self.few = nn.Threshold(1.0, 0.0)

        def forward(self, x):
            return self.few(x)

    x = torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    context = method_runs.make_context(Sparse().eval(), x, ["few"], preprocessing=PLAIN)
    results = {}
    for name, changed in {
        "plain": {}, "all": {"features": "drop_least"}, "others": {"features": "drop_least", "half_of": "nonzero"}
    }.items():  # fmt: skip
        results[name] = method_runs.run_method(context, "inversion", steps=3, **changed)["few"]
    assert np.array_equal(results["plain"].texels, results["all"].texels)
    zeros = float((x <= 1).float().mean())
    assert results["all"].note.startswith(f"nothing dropped: {zeros:.0%} of the values are 0 already; half_of=nonzero")
    assert not np.array_equal(results["plain"].texels, results["others"].texels)
    assert results["plain"].note == results["others"].note == ""
    with pytest.raises(InputError, match="drop_top leaves nothing of layer few.*half_of=nonzero does"):
        method_runs.run_method(context, "inversion", steps=3, features="drop_top")


def test_importance_by_the_strongest_class():
    """Of a linear answer: gradient × value by hand."""
    from innerwalk.torch_bridge.method_support.inversion_target import InversionParameters, find_inversion_target

    context = context_of(["turn"])
    code = find_inversion_target(
        context,
        PartialForward(context.model, ["turn"], context.arguments),
        "turn",
        InversionParameters("drop_least", "gradient"),
    )
    with torch.no_grad():
        maps = context.model.turn(context.picture)
        best = int(context.model(context.picture)[0].argmax())
        kernel = context.model.squares.weight[best].repeat(1, 6, 6) / 36  # the answer is a mean over 6 × 6
        importance = (maps[0] * kernel).abs().flatten()
    kept = torch.zeros(432).scatter_(0, importance.argsort(descending=True)[:216], 1.0).reshape(maps.shape)
    assert torch.allclose(code.maps, maps * kept)


# The authors' optimiser


def objective(context, layer="turn", smoothness=1.0, way="adam"):
    reach, pixels = PartialForward(context.model, [layer], context.arguments), Pixels(PLAIN, context.picture)
    with torch.no_grad():
        maps = reach(context.arguments).maps[layer]
    return InversionObjective(
        reach, context.arguments_with, layer, maps, tuple(range(maps.shape[1])), pixels, smoothness, way
    )


def test_the_authors_first_step_on_a_linear_layer_by_hand():
    """u <- u - rate (dR/du + norm d(E)/du), in steps of 1/255 about mid-grey."""
    context = context_of(["turn"])
    wanted = objective(context, smoothness=2.0, way="authors")
    start = start_noise(wanted.pixels, 3, context.device)
    descent = InversionDescent(wanted, start, 2100)
    next(descent.steps())
    about = ((start - 0.5) * 255).double()
    std = torch.tensor(PLAIN.std).double().reshape(1, 3, 1, 1)
    weight = context.model.turn.weight[:, :, 0, 0].double()
    off = context.model.turn(wanted.pixels.to_network(start)).double() - wanted.target
    of_maps = torch.einsum("oc,nohw->nchw", weight, 2 * off / wanted.target.square().sum()) / std / 255
    right, down = about.diff(dim=3), about.diff(dim=2)
    smooth = torch.zeros_like(about)
    smooth[..., 1:] += 2 * right
    smooth[..., :-1] -= 2 * right
    smooth[..., 1:, :] += 2 * down
    smooth[..., :-1, :] -= 2 * down
    of_energy = 8e-10 / 2 * 6 * about**5 + 2.0 * 10 / 2 * smooth
    norm = (0.25 * 255) ** 2 * 3 * 12 * 12
    moved = about - 1e-3 * (of_energy + norm * of_maps)
    assert torch.allclose((descent.brightness.double() - 0.5) * 255, moved.detach(), atol=1e-3)
    assert (moved - about).abs().max() > 0.05


def test_the_authors_step_sizes():
    rates = descents._phase_rates(2100)
    assert [rate.rate for rate in rates[::100]] == [1e-3] * 8 + [1e-4] * 5 + [1e-5] * 5 + [1e-6] * 2 + [1e-7]
    assert [k for k, rate in enumerate(rates) if rate.starts_phase] == [0, 800, 1300, 1800, 2000]
    assert sum(steps for steps, _ in AUTHORS_RATES) == 2100 and len(descents._phase_rates(21)) == 21


def test_both_optimisers_reach_the_same():
    found = [
        method_runs.run_method(context_of(["squares"]), "inversion", way=way, smoothness=0.1)["squares"]
        for way in ("adam", "authors")
    ]
    assert np.abs(found[0].data - found[1].data).mean() < 0.05
    assert all(maps.extras["values"][0] < 0.1 for maps in found)


# What goes wrong


@pytest.mark.parametrize(
    ("layer", "kind", "line"),
    [
        ("dead", InputError, "layer dead is 0 everywhere for this input; there is nothing to invert"),
        ("rounded", ModelError, "layer rounded has no gradient to the picture.*upconvnet needs none"),
    ],
)
def test_layers_that_cannot_be_inverted_are_errors(layer, kind, line):
    with pytest.raises(kind, match=line):
        method_runs.method_steps(context_of([layer]), "inversion", steps=3)


def test_it_needs_a_picture():
    model = nn.Sequential(nn.Linear(4, 3))
    with pytest.raises(InputError, match="needs a picture"):
        method_runs.method_steps(method_runs.make_context(model, torch.ones(1, 4), ["0"]), "inversion")


def test_a_missing_channel_is_an_error():
    with pytest.raises(InputError, match="there is no channel 7"):
        method_runs.method_steps(context_of(["turn"], channels=(7,)), "inversion", steps=2)


class Fragile(InversionObjective):
    """NaN where the step was too large."""

    def errors(self, brightness):
        found = super().errors(brightness)
        return found * torch.where((brightness > 1.05).any(), float("nan"), 1.0)


def fragile(start):
    plain = objective(context_of(["turn"]), way="authors")
    return InversionDescent(Fragile(**vars(plain)), torch.full((1, 3, 12, 12), start), 3)


def test_it_restarts_with_a_smaller_step(monkeypatch):
    monkeypatch.setattr(descents, "AUTHORS_RATES", ((3, 0.5),))
    descent = fragile(0.5)
    done = list(descent.steps())
    assert done.count(1) > 1 and done[-3:] == [1, 2, 3] and descent.brightness.isfinite().all()


def test_nan_at_every_step_size_is_an_error():
    with pytest.raises(ModelError, match="turn: the inversion became NaN or infinite"):
        list(fragile(1.1).steps())


def test_fewer_run_at_once_when_memory_is_short():
    wanted, sizes = objective(context_of(["turn"])), []
    start = torch.cat([start_noise(wanted.pixels, k, torch.device("cpu")) for k in range(4)])
    easy = InversionDescent(wanted, start, 3)
    list(easy.steps())

    class Short(InversionObjective):
        def errors(self, brightness):
            sizes.append(len(brightness))
            if len(brightness) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().errors(brightness)

    hard = InversionDescent(Short(**vars(wanted)), start, 3)
    list(hard.steps())
    assert sizes[:3] == [4, 2, 1] and torch.allclose(hard.brightness, easy.brightness, atol=1e-5)
    assert len(hard.errors) == 4

    class Never(InversionObjective):
        def errors(self, brightness):
            raise torch.OutOfMemoryError("CUDA out of memory")

    none = InversionDescent(Never(**vars(wanted)), start, 3)
    with pytest.raises(ModelError, match="no memory for a single picture"):
        list(none.steps())


def test_memory_that_runs_out_within_the_network():
    context, sizes = context_of(["turn"]), []

    def short(module, args):
        sizes.append(len(args[0]))
        if len(args[0]) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    context.model.turn.register_forward_pre_hook(short)
    maps = method_runs.run_method(context, "inversion", steps=2, repeats=4)["turn"]
    assert maps.extras["samples"].tolist() == [2, 2] and sizes.count(4) == 1 and sizes[-1] == 2


def test_the_network_is_left_unchanged():
    context = context_of(["turn"])
    context.model.train()
    before = {name: value.clone() for name, value in context.model.state_dict().items()}
    method_runs.method_steps(context, "inversion", steps=3)
    assert context.model.training and all(
        weight.requires_grad and weight.grad is None for weight in context.model.parameters()
    )
    assert all(torch.equal(before[name], value) for name, value in context.model.state_dict().items())


def test_a_grey_picture_and_a_list():
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv2d(1, 4, 3, padding=1)

        def forward(self, images):
            return self.c(torch.stack(images))

    grey = Preprocessing(size=(8, 8), channels=1, mean=(0.0,), std=(1.0,))
    context = method_runs.make_context(Listed().eval(), ([torch.rand(1, 8, 8)],), ["c"], preprocessing=grey)
    maps = method_runs.run_method(context, "inversion", steps=60, smoothness=0.0)["c"]
    assert maps.shape == (1, 8, 8) and np.allclose(maps.data[..., 0], maps.data[..., 2])
