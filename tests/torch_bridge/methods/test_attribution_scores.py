"""Insertion and deletion curves, the ranking of attribution methods, and the check with random weights."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from unittest import mock  # noqa: E402

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.attribution.class_heat import HeatSource  # noqa: E402
from innerwalk.torch_bridge.attribution.explained_maps import enlarge  # noqa: E402
from innerwalk.torch_bridge.attribution.explained_values import explained_class  # noqa: E402
from innerwalk.torch_bridge.attribution.heat_sheet import (  # noqa: E402
    PANEL_ASPECT,
    TILE,
    HeatTile,
    arrange_tiles,
    draw_sheet,
)
from innerwalk.torch_bridge.methods import METHODS, attribution_scores, parse_parameters  # noqa: E402
from innerwalk.torch_bridge.methods.attribution_sanity import LATE, CheckedMethod, CheckedStage  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError, UnknownName  # noqa: E402

GRADIENTS = "saliency,guided_backprop,deconvnet,smooth_grad,gradient_x_input,integrated_gradients"
SHAPE = 12, 12


class Region(nn.Module):
    """The score of class 1 is the brightness of the top left corner."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3 * SHAPE[0] * SHAPE[1], 2)
        with torch.no_grad():
            weights = self.fc.weight.zero_().reshape(2, 3, *SHAPE)
            weights[1, :, :4, :4] = 0.3
            self.fc.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x.flatten(1))


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.fc = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 5, 3), nn.Linear(5, 3)
        self.bias = nn.Parameter(torch.randn(1, 6, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.b((self.a(x) + self.bias).relu()).relu().mean((2, 3)))


class ClassToken(nn.Module):
    """A transformer of one block, which answers from its class token."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.token = nn.Conv2d(3, 16, 3, 3), nn.Parameter(torch.randn(1, 1, 16))
        self.before, self.attention = nn.LayerNorm(16), nn.MultiheadAttention(16, 4, batch_first=True)
        self.mlp, self.after, self.fc = nn.Linear(16, 16), nn.LayerNorm(16), nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.patch(x).flatten(2).transpose(1, 2)
        y = self.before(torch.cat([self.token.expand(len(y), -1, -1), y], 1))
        y = y + self.attention(y, y, y)[0]
        return self.fc(self.after(y + self.mlp(y))[:, 0])


def small() -> nn.Module:
    torch.manual_seed(1)
    return Small().eval()


def picture() -> torch.Tensor:
    return torch.rand(1, 3, *SHAPE, generator=torch.Generator().manual_seed(0))


def run(model, method, **parameters):
    names = ("ant", "bee", "cat")[: model.fc.out_features]
    context = method_runs.make_context(model, picture(), ["fc"], class_names=names)
    return method_runs.run_method(context, method, **parameters)["fc"]


def result_of(steps):
    """Runs a generator to its end and returns its value."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def shipped(index=3):
    model, names = concepts.load("object")
    x = torch.from_numpy(concepts.picture(index)).permute(2, 0, 1)[None].float() / 127.5 - 1
    return method_runs.make_context(model, x, ["fc"], class_names=names)


# Insertion and deletion


def test_curves_by_loops():
    model, x = Region(), picture()
    maps = run(model, "attribution_scores", of_class=1, methods="gradient_x_input", steps=9, cells=0)
    heat = (model.fc.weight[1].reshape(3, *SHAPE) * x[0]).sum(0).detach().numpy().ravel()
    order, count = np.argsort(-heat, kind="stable"), heat.size
    blurred = maps_of_blur(x)
    for curve, (start, end) in zip(
        maps.extras["curves:gradient_x_input"], [(blurred, x), (x, torch.zeros_like(x))], strict=True
    ):
        for step in (0, 1, 9):  # pixels that count come first; among equal ones the order is by chance
            pixels = start.clone().reshape(1, 3, -1)
            chosen = order[: round(step / 9 * count)]
            pixels[..., chosen] = end.reshape(1, 3, -1)[..., chosen]
            wanted = model(pixels.reshape(x.shape)).softmax(1)[0, 1].item()
            assert curve[step] == pytest.approx(wanted, abs=1e-6)
    insertion, deletion = maps.extras["curves:gradient_x_input"].astype(np.float64)
    areas = [sum((curve[k] + curve[k + 1]) / 2 / 9 for k in range(9)) for curve in (insertion, deletion)]
    assert np.allclose(maps.extras["scores:gradient_x_input"], [*areas, areas[0] - areas[1]], atol=1e-6)


def test_regions_by_loops():
    from innerwalk.torch_bridge.attribution.pixel_curves import region_ranks

    heat = np.random.default_rng(0).random((7, 10))
    ranks, means = region_ranks(heat, 3, 0), {}
    for row in range(3):
        for column in range(3):
            cells = [(y, x) for y in range(7) for x in range(10) if y * 3 // 7 == row and x * 3 // 10 == column]
            (rank,) = {int(ranks[cell]) for cell in cells}
            means[rank] = np.mean([heat[cell] for cell in cells])
    assert sorted(means) == list(range(9)) and [means[k] for k in range(9)] == sorted(means.values(), reverse=True)
    assert np.array_equal(region_ranks(heat, 0, 0).ravel(), (-heat).ravel().argsort().argsort())
    equal = [region_ranks(np.zeros((6, 6)), 3, seed) for seed in (1, 1, 2)]
    assert np.array_equal(equal[0], equal[1]) and not np.array_equal(equal[0], equal[2])


def maps_of_blur(x):
    from innerwalk.torch_bridge.attribution.baselines import baseline_picture

    return baseline_picture(method_runs.make_context(Region(), x, ["fc"]), "blur")


def test_the_best_map_is_first_and_a_random_one_tells_nothing():
    maps = run(Region(), "attribution_scores", of_class=1, methods="gradient_x_input, saliency")
    scores = {name.partition(":")[2]: float(value[2]) for name, value in maps.extras.items() if name[0] == "s"}
    assert set(scores) == {"gradient_x_input", "saliency", "random"}
    assert scores["gradient_x_input"] > scores["random"] + 0.05 and scores["saliency"] > scores["random"] + 0.05
    order = list(scores)
    assert order == sorted(scores, key=lambda name: -scores[name]) and order[-1] == "random"
    assert maps.labels[0] == f"bee: best is {order[0]}, {scores[order[0]]:+.2f}"
    assert maps.colour and maps.channels == 1 and maps.frame == "layer" and not maps.note


def test_maps_that_are_no_better_than_a_random_one_say_so():
    """Each pixel that counts speaks against the class, so that its size is the worst order there is."""
    model = Region()
    with torch.no_grad():
        model.fc.weight.neg_()
    maps = run(model, "attribution_scores", of_class=1, methods="saliency,cam")
    assert float(maps.extras["scores:saliency"][2]) < float(maps.extras["scores:random"][2]) - 0.05
    assert maps.note.startswith(f"{attribution_scores.NOTHING_BETTER}; left out: cam (")
    assert maps.labels[0].startswith("bee: best is random, ")


def test_all_methods_of_a_shipped_network():
    context, rise = shipped(), HeatSource("rise", METHODS["rise"], parameters={"count": 100})
    parameters = parse_parameters(METHODS["attribution_scores"], {"steps": 8})
    with mock.patch.dict(attribution_scores.SOURCES, rise=rise):
        steps = list(METHODS["attribution_scores"].run(context, parameters))
    maps = steps[-1].maps[0]
    scores = {name.partition(":")[2]: float(value[2]) for name, value in maps.extras.items() if name[0] == "s"}
    assert len(scores) == 12 and "attribution_rollout" not in scores
    assert maps.note.startswith("left out: attention_rollout (no layer of the network has attention")
    assert max(scores, key=scores.get) != "random" and scores["integrated_gradients"] > scores["random"] + 0.05
    assert [step.share for step in steps] == sorted(step.share for step in steps) and steps[-1].share == pytest.approx(
        1
    )
    assert maps.data[0].std() > 0.1


def test_positions_that_the_class_token_still_reads():
    torch.manual_seed(1)
    model = ClassToken().eval()
    x, context = picture(), method_runs.make_context(model, picture(), ["fc"], class_names=("ant", "bee", "cat"))
    y = model.patch(x).flatten(2).transpose(1, 2)
    y = model.before(torch.cat([model.token, y], 1)).detach().requires_grad_()
    z = y + model.attention(y, y, y)[0]
    scores = model.fc(model.after(z + model.mlp(z))[:, 0])
    slopes = torch.autograd.grad(scores[0, 2], y)[0][0, 1:]
    wanted = (y[0, 1:] @ slopes.mean(0)).relu().detach().reshape(4, 4)
    source = HeatSource("grad_cam", METHODS["grad_cam"], "maps", {"smooth": False})
    heat = result_of(source.compute(context, explained_class(context, 2)))
    assert wanted.any() and np.allclose(heat, enlarge(wanted, SHAPE), atol=1e-6)
    for method in ("attribution_scores", "attribution_sanity"):
        maps = run(model, method, methods="grad_cam,layer_cam", of_class=2)
        assert (
            "left out" not in maps.note and sum(name.endswith(("grad_cam", "layer_cam")) for name in maps.extras) >= 2
        )


def test_the_same_seed_gives_the_same_bits():
    first, again, other = (run(small(), "attribution_scores", methods="saliency", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.texels, again.texels)
    assert np.array_equal(first.extras["curves:random"], again.extras["curves:random"])
    assert not np.array_equal(first.extras["curves:random"], other.extras["curves:random"])


def test_maps_of_zeros_are_left_out():
    model = small()
    with torch.no_grad():
        model.b.bias.fill_(-1000)
    maps = run(model, "attribution_scores", methods="saliency")
    assert maps.note == "left out: saliency (zero everywhere)" and "scores:random" in maps.extras
    with pytest.raises(InputError, match=r"no heat map to check: saliency \(zero everywhere\)"):
        run(model, "attribution_sanity", methods="saliency")


@pytest.mark.parametrize("method", ["attribution_scores", "attribution_sanity"])
def test_unknown_names(method):
    with pytest.raises(UnknownName, match="no attribution method 'salency'; did you mean saliency"):
        run(small(), method, methods="salency")
    with pytest.raises(UnknownName, match="no class '7'"):
        run(small(), method, of_class=7)
    with pytest.raises(InputError, match="is drawn on the layer of the classes, fc; ask for that"):
        method_runs.run_method(method_runs.make_context(small(), picture(), ["a"]), method)


# Random weights


def state(model) -> dict[str, tuple]:
    return {
        name: (id(weight), weight.data_ptr(), weight.stride(), weight.detach().clone(), weight.requires_grad)
        for name, weight in model.named_parameters()
    }


def assert_same(before, model) -> None:
    for name, (*facts, values, needs) in state(model).items():
        assert before[name][:3] == tuple(facts) and before[name][4] == needs
        assert torch.equal(before[name][3].view(torch.int32), values.view(torch.int32)), name  # bit for bit


def test_weights_are_the_own_ones_between_all_steps_and_at_the_end():
    model = small()
    with torch.no_grad():
        model.fc.bias[0] = -0.0
    before = state(model)
    context = method_runs.make_context(model, picture(), ["fc"])
    parameters = parse_parameters(
        METHODS["attribution_sanity"], {"stages": 3, "methods": "saliency,integrated_gradients"}
    )
    for _ in METHODS["attribution_sanity"].run(context, parameters):
        assert_same(before, model)
    assert_same(before, model)


@pytest.mark.parametrize("after", [3, 7, 12])
def test_closing_leaves_the_own_weights(after):
    model = small()
    before = state(model)
    context = method_runs.make_context(model, picture(), ["fc"])
    steps = METHODS["attribution_sanity"].run(context, parse_parameters(METHODS["attribution_sanity"], {}))
    for _ in range(after):
        next(steps)
    steps.close()
    assert_same(before, model)


def test_an_error_with_random_weights_leaves_the_own_ones():
    class Failing(Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.fail and not torch.equal(self.fc.weight, self.own):
                raise self.fail("broken")
            return super().forward(x)

    for error in (ValueError, KeyboardInterrupt):
        model = Failing().eval()
        model.fail, model.own = None, model.fc.weight.detach().clone()
        before = state(model)
        context = method_runs.make_context(model, picture(), ["fc"])
        model.fail = error
        with pytest.raises((ModelError, InputError, KeyboardInterrupt)):
            method_runs.run_method(context, "attribution_sanity", methods="saliency")
        assert_same(before, model)


def test_weights_become_random_from_the_output_on():
    model, seen = small(), []
    own = {name: weight.detach().clone() for name, weight in model.named_parameters()}

    def watch(module, args, output) -> None:
        seen.append({name for name, weight in module.named_parameters() if not torch.equal(weight, own[name])})

    context = method_runs.make_context(model, picture(), ["fc"])
    handle = model.register_forward_hook(watch)
    maps = method_runs.run_method(context, "attribution_sanity", methods="gradient_x_input", stages=4)["fc"]
    handle.remove()
    stages = list(dict.fromkeys(map(frozenset, seen)))
    last, middle, first = ({f"{name}.weight", f"{name}.bias"} for name in ("fc", "b", "a"))
    assert stages == [set(), last, last | middle, last | middle | first, last | middle | first | {"bias"}]
    assert maps.extras["correlations:gradient_x_input"].shape == (4,)


def test_random_weights_are_those_of_an_untrained_network_and_follow_the_seed():
    from innerwalk.torch_bridge.attribution.random_weights import LayerWeights, RandomWeights

    weight = nn.Parameter(torch.randn(200, 30, 3, 3, generator=torch.Generator().manual_seed(0)) * 0.2 + 3)
    bias = nn.Parameter(torch.arange(50.0))

    def drawn(seed) -> tuple[torch.Tensor, torch.Tensor]:
        random = RandomWeights(seed)
        random.add(LayerWeights("a", (weight, bias)))
        with random.applied():
            return weight.detach().clone(), bias.detach().clone()

    values, places = drawn(1)
    assert torch.equal(values, drawn(1)[0]) and not torch.equal(values, drawn(2)[0])
    assert float(values.mean()) == pytest.approx(0, abs=1e-3)
    assert float(values.std()) == pytest.approx((2 / 270) ** 0.5, rel=0.02)
    assert torch.equal(places.sort().values, bias) and not torch.equal(places, bias)


def test_correlations_by_hand():
    """The map after all weights have become random, computed on a copy that really holds them."""
    from innerwalk.torch_bridge.attribution.random_weights import RandomWeights, layers_from_output

    model, copy = small(), small()
    maps = run(model, "attribution_sanity", methods="saliency", stages=1, of_class=2, seed=4)
    random = RandomWeights(4)
    for layer in layers_from_output(copy, method_runs.make_context(copy, picture(), ["fc"]).network):
        random.add(layer)
    with torch.no_grad():
        for weight, value in random.values:
            weight.copy_(value)
    heats = []
    for each in (model, copy):
        leaf = picture().requires_grad_()
        heats.append(torch.autograd.grad(each(leaf)[0, 2], leaf)[0][0].abs().amax(0).numpy().ravel())
    ranks = [heat.argsort().argsort() for heat in heats]
    assert maps.extras["correlations:saliency"][0] == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-5)


def test_a_map_that_shows_only_the_picture_is_marked():
    class Scaled(nn.Module):
        """Its only weights are a bias for each class: the gradient doesn't depend on them."""

        def __init__(self) -> None:
            super().__init__()
            self.fc, self.out_features = Shifted(), 2

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(x.square().sum((2, 3))[:, :2])

    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bias, self.out_features = nn.Parameter(torch.tensor([1.0, 3.0])), 2

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.bias

    unchanged = run(Scaled(), "attribution_sanity", methods="gradient_x_input", of_class=1)
    assert unchanged.labels == ("bee: gradient_x_input unchanged by random weights",)
    assert unchanged.extras["correlations:gradient_x_input"].tolist() == [pytest.approx(1)]
    changed = run(small(), "attribution_sanity", methods="saliency", of_class=1)
    assert changed.labels == ("bee: no map unchanged by random weights",)


@pytest.mark.parametrize(
    ("correlations", "verdict"),
    [
        ([0.9, 0.8, 0.2], LATE), ([0.9, 0.2, 0.7], "changes"), ([0.2, 0.9], "changes"), ([0.3], "changes"),
        ([0.9, 0.8], "unchanged"), ([0.9, np.nan], "unchanged"), ([0.9, np.nan, 0.4], LATE),
    ],
)  # fmt: skip
def test_all_stages_decide(correlations, verdict):
    stages = [CheckedStage(str(k), np.full((2, 2), not np.isnan(c)), c) for k, c in enumerate([1.0, *correlations])]
    assert CheckedMethod("saliency", tuple(stages)).verdict(0.5) == verdict


def test_a_silenced_class_tells_nothing():
    class Silent(Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * torch.equal(self.fc.weight, self.own)

    torch.manual_seed(1)
    model = Silent().eval()
    model.own = model.fc.weight.detach().clone()
    with pytest.raises(InputError, match=r"saliency \(zero everywhere with random weights; another seed may help\)"):
        run(model, "attribution_sanity", methods="saliency")


def test_rank_correlation_of_equal_values():
    from innerwalk.torch_bridge.attribution.rank_correlation import rank_correlation

    first, second = np.array([1.0, 2, 2, 5]), np.array([10.0, 30, 20, 20])
    by_hand = np.corrcoef([0, 1.5, 1.5, 3], [0, 3, 1.5, 1.5])[0, 1]
    assert rank_correlation(first, second) == pytest.approx(by_hand)
    assert rank_correlation(first, np.exp(first)) == pytest.approx(1) and rank_correlation(first, -first) == -1
    assert rank_correlation(first, np.ones(4)) == 0


@pytest.mark.parametrize(
    ("count", "length", "rows"),
    [(11, 2, 4), (4, 2, 2), (1, 2, 1), (8, 7, 4), (8, 4, 4), (3, 7, 3)],
)
def test_sheets_fill_a_wide_panel(count, length, rows):
    tile = HeatTile(np.zeros((TILE, TILE, 3), np.uint8), ("a", "b"))
    arranged = arrange_tiles([[tile] * length] * count)
    assert len(arranged) == rows and sum(map(len, arranged)) == count * length
    height, width = draw_sheet(arranged).shape[:2]
    assert count * length < 8 or 0.4 < min(width / height / PANEL_ASPECT, PANEL_ASPECT * height / width)
